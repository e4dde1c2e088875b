import ClusterModel
import DNOwnership
import NodeCore
import NodeStore
import Orchestration
import SIPCore
import Transport

/// What the shell measures of its own doing. It costs a few additions where a frame or a commit passes anyway.
struct ShellMeasures {
    /// Commits that are under way and measured; more are not.
    private static let maximumCommits = 1_024

    /// By node: how long it took until what the peer says was heard here.
    private(set) var propagation: [DurationHistogram]
    private(set) var commits = DurationHistogram()
    /// What was given to the store, up to which number and when.
    private var underWay: [(last: UInt64, at: UInt64)] = []
    var revisions: RevisionTimes

    init(nodes: Int, revision: UInt64) {
        propagation = Array(repeating: DurationHistogram(), count: nodes)
        revisions = RevisionTimes(revision: revision)
    }

    /// Peers have other places.
    mutating func renumber(_ renumbering: Renumbering, nodes: Int) {
        var heard = Array(repeating: DurationHistogram(), count: nodes)
        for position in propagation.indices {
            if let place = renumbering.place(of: NodeIndex(position)) { heard[place.position] = propagation[position] }
        }
        propagation = heard
    }

    mutating func heard(from peer: NodeIndex, after nanoseconds: UInt64) {
        propagation[peer.position].add(nanoseconds: nanoseconds)
    }

    mutating func submitted(_ writes: [StoreWrite], at now: UInt64) {
        guard underWay.count < Self.maximumCommits else { return }
        // History is written at leisure, and nobody hears of it.
        let row = writes.last { if case .row = $0.change { true } else { false } }
        if let row { underWay.append((row.number, now)) }
    }

    mutating func written(through number: UInt64, succeeded: Bool, at now: UInt64) {
        let done = underWay.prefix { $0.last <= number }
        if succeeded { for commit in done { commits.add(nanoseconds: now - min(commit.at, now)) } }
        underWay.removeFirst(done.count)
    }
}

// Figures for whoever watches the cluster; the controller asks for them when somebody does.
extension NodeShell {
    func measures() -> NodeMeasures? {
        var report = NodeMeasures()
        report.dns = core.ownership.serviceCounts()
        report.registrationsRefused = core.counters.registrationsRefused
        report.callsBegun = core.statefulProxy.calls.begun
        report.commits = measured.commits
        report.peers = topology.nodes.indices.filter { $0 != me.position }.map {
            .init(topology.nodes[$0].name, measured.propagation[$0])
        }
        return report
    }

    /// Gives the store what is to be written.
    func write(_ writes: [StoreWrite], _ now: Instant) {
        measured.submitted(writes, at: now.monotonic)
        memory.store?.submit(writes)
    }

    /// Says when what a message tells came to be, for the peer to know how long that took.
    func dated(_ message: PeerMessage, _ now: Instant) -> PeerMessage {
        guard case .records(var batch) = message, let first = batch.revisions?.lowerBound else { return message }
        batch.saidAt = measured.revisions.time(of: first, now: now.monotonic) ?? 0
        return .records(batch)
    }

    func measure(_ message: PeerMessage, from id: ConnectionID) {
        guard case .records(let batch) = message, batch.revisions != nil, batch.saidAt > 0,
            let peer = core.ownership.peer(of: id),
            let age = core.ownership.age(of: batch.saidAt, of: peer, now: loop.now)
        else { return }
        measured.heard(from: peer, after: age)
    }
}
