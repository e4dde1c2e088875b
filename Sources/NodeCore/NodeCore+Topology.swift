import AgentSessions
import CallControl
package import ClusterModel
import DNOwnership
import SIPCore
import TLibraryPorts
import Trunks

// A node goes on under another topology while it serves: it hands itself over, as it would to another process, and what reads
// its state has the other topology. What that does not have ends first, as it would end by itself, so that everybody hears of it.
extension NodeCore {
    /// Ends what a later topology does not have. Called when nothing is read any more; what comes of it is carried out before the
    /// node's state is taken.
    package mutating func retire(for later: Topology, now: Instant) {
        let renumbering = Renumbering(from: topology, to: later)
        retirePoints(renumbering, now)
        retireTrunks(renumbering, now)
        for node in renumbering.goneNodes { ownership.retire(node, now: now, &ownershipActions) }
        settle(now)
        for dns in renumbering.goneDNs {
            for position in dns { retire(DNIndex(position), now) }
        }
        settle(now)
        settleSIP(now)
    }

    /// Calls of it go on: they are nobody's from now on.
    private mutating func retire(_ dn: DNIndex, _ now: Instant) {
        let isMine = ownership.owns(dn)
        if isMine {
            registrar.dropAll(dn, now: now)
            freeReservation(of: dn)
            wrapUps.changed(dn, to: nil, now: now)
            endSession(of: dn, now)
            commits?.note(dn)
        }
        ports.retired(dn, &portsActions)
        graceEnds[dn] = nil
        hasLeft(dn)
        ownership.retire(dn, &ownershipActions)
    }

    private mutating func endSession(of dn: DNIndex, _ now: Instant) {
        guard let session = ownership.session(of: dn), session.isLoggedIn else { return }
        var reasons = Reasons()
        _ = reasons.add("tandem", "not provisioned")
        let ended = AgentSession(
            agent: session.agent, state: .loggedOut, reasons: reasons, login: session.login,
            stamp: ownership.nextStamp(now: now))
        ownership.sessionChanged(dn, to: ended, &ownershipActions)
    }

    private mutating func retirePoints(_ renumbering: Renumbering, _ now: Instant) {
        for position in topology.routingPoints.indices where renumbering.place(ofPoint: position) == nil {
            control.retire(position, now: now, &routingActions)
        }
        settleSIP(now)
    }

    private mutating func retireTrunks(_ renumbering: Renumbering, _ now: Instant) {
        trunks.retire({ renumbering.place(ofGateway: $0.position, of: $0.trunk) != nil }, &trunkActions)
        settleSIP(now)
    }
}

/// A node that goes on under another topology, as far as it is.
package struct TopologyChange: Sendable {
    private var sender: HandoverSender
    /// Nil when it has become the node: what is left here would be copied at the first change.
    private var receiver: HandoverReceiver?

    /// - Parameters:
    ///   - setup: of the node as it will be: with the incarnation, lineage, secret and seed that it has.
    ///   - partSize: bytes of what a step tells.
    package init(
        of core: borrowing NodeCore, to setup: NodeSetup, partSize: Int = HandoverSender.usualPart, now: Instant
    ) {
        sender = HandoverSender(core, partSize: partSize)
        receiver = HandoverReceiver(setup, from: core.topology, now: now)
    }

    /// DNs that have been looked at, of all.
    package var progress: (dns: Int, all: Int) { sender.progress }

    package enum Step: Equatable, Sendable {
        /// There is more to be told while the node serves.
        case more
        case done
        /// The former topology goes on, and why.
        case failed(String)
    }

    /// Does as much of it as a turn of the loop may take.
    package mutating func step(_ core: inout NodeCore, now: Instant) -> Step {
        guard let part = sender.nextPart(of: &core, now: now) else { return .done }
        return receiver?.take(part, now: now).map { .failed($0) } ?? .more
    }

    /// The node under the other topology, once nothing more happens to it under the former and `NodeCore.retire` was called.
    ///
    /// - Returns: what is wrong; then it goes on as it was.
    package mutating func finish(_ core: inout NodeCore, now: Instant) -> String? {
        let last = sender.lastPart(of: &core, now: now)
        if let problem = receiver?.takeLast(last, now: now) { return problem }
        guard let next = receiver?.node() else { return "it has been done already" }
        receiver = nil
        core = next
        core.goOn(now: now)
        return nil
    }
}

extension NodeCore {
    /// After a change of the topology.
    fileprivate mutating func goOn(now: Instant) {
        ports.cutOffFallen(&portsActions)
        settlePorts()
        ownership.goOnDialling(now: now)
    }
}
