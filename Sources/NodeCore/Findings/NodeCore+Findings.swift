import AgentSessions
import CallControl
package import ClusterModel
import DNOwnership
import SIPCore

// Looking for DNs that are not as they should be: the shell calls for it when nothing else is to be done.
extension NodeCore {
    /// When `lookForExceptions` has something to do, monotonic nanoseconds. No deadline of `nextDeadline`: nothing that the node
    /// decides depends on it.
    package var nextLook: UInt64 { mutating get { findings.nextLook } }

    /// Looks at the next DNs, if it is time; at most `AgePages.size` of them.
    package mutating func lookForExceptions(now: Instant) {
        guard findings.nextLook <= now.monotonic else { return }
        let count = topology.directory.count
        if findings.cursor == 0 { beginPass(now) }
        let range = findings.cursor..<min(findings.cursor + AgePages.size, count)
        if !range.isEmpty { look(at: range, now) }
        findings.ended(range, of: count, now: now)
    }

    // MARK: A pass

    private mutating func beginPass(_ now: Instant) {
        findings.pass.began = now.monotonic
        for position in topology.nodes.indices {
            let isHeard = ownership.isReachable(NodeIndex(position))
            if isHeard { findings.heard(NodeIndex(position)) }
            if !isHeard, findings.silentSince[position] == 0 { findings.lost(NodeIndex(position), now: now) }
        }
        findings.pass.gone = findings.silentSince.map { since in
            since != 0 && now.since(since) > DNFindings.ownerGrace ? since : nil
        }
        findings.pass.isDue = topology.directory.expectations.map { $0?.isDue(at: now.wallMilliseconds) ?? false }
        let first = firstNodes()
        findings.pass.homes = topology.directory.homes.map { homes in
            guard let preferred = homes.first, preferred != dataCenter else { return .fine }
            if !homes.contains(dataCenter) { return .forbidden }
            return first[preferred] == nil ? .fine : .away
        }
        findings.pass.isJudge = topology.directory.homes.map { homes in
            let nodes = homes.isEmpty ? first.compactMap { $0 } : homes.compactMap { first[$0] }
            return nodes.min() == me
        }
    }

    /// By data center: the first of its nodes, by name, that is this one or is heard.
    private mutating func firstNodes() -> [NodeIndex?] {
        var first: [NodeIndex?] = topology.dataCenters.map { _ in nil }
        for position in topology.nodes.indices.reversed() {
            let node = NodeIndex(position)
            if node == me || findings.silentSince[position] == 0 { first[topology.nodes[position].dataCenter] = node }
        }
        return first
    }

    // MARK: A slice

    private mutating func look(at range: Range<Int>, _ now: Instant) {
        let page = range.lowerBound / AgePages.size
        let steps = findings.takeSteps(page: page, now: now)
        let isAged = findings.isAged(page: page)
        findings.pass.hasLesserClaimants = ownership.hasLesserClaimants()
        var scanned: [ScannedDN] = []
        swap(&scanned, &findings.scanned)
        ownership.scan(range, into: &scanned)
        var block = topology.directory.blockPosition(of: DNIndex(range.lowerBound))
        var end = topology.directory.place(ofBlock: block) + topology.directory.blocks[block].count
        var provision = provision(of: block)
        for position in range {
            if position == end {
                block += 1
                end += topology.directory.blocks[block].count
                provision = self.provision(of: block)
            }
            let dn = DNIndex(position)
            let held = scanned[position - range.lowerBound]
            let states = self.states(of: dn, held, provision, now)
            if states != 0 || isAged { findings.note(states, of: dn, steps: steps, now: now) }
        }
        swap(&scanned, &findings.scanned)
    }

    /// What the topology says of the DNs of one block, in this pass.
    private struct Provision {
        var home: DNFindings.Pass.Home
        var isJudge: Bool
        var isDue: Bool
        var isPSTN: Bool
    }

    private mutating func provision(of position: Int) -> Provision {
        let block = topology.directory.blocks[position]
        let isDue = findings.pass.isDue
        return Provision(
            home: findings.pass.homes[block.homes], isJudge: findings.pass.isJudge[block.homes],
            isDue: isDue.indices.contains(block.expectation) && isDue[block.expectation],
            isPSTN: topology.agentTypes[block.agentType].phone == .pstn)
    }

    /// The states that a DN is in, a bit each; what need not last is found at once. Most DNs of a healthy cluster are in none, and
    /// that is seen without looking anything up.
    @inline(__always)
    private mutating func states(
        of dn: DNIndex, _ held: ScannedDN, _ provision: Provision, _ now: Instant
    ) -> UInt8 {
        var states: UInt8 = 0
        func add(_ state: DNFindings.State) { states |= 1 << UInt8(state.rawValue) }
        if held.owner == me {
            if held.service.isInService {
                switch provision.home {
                case .fine: break
                case .away: add(.awayFromHome)
                case .forbidden: add(.forbiddenHome)
                }
                if provision.isPSTN, registrar.hasBindings(dn) { add(.boundPSTN) }
            } else {
                if provision.isDue { add(.notInService) }
                if ownership.session(of: dn)?.isLoggedIn == true { add(.agentAlone) }
            }
            if !held.occupancy.isEmpty, isInLostCall(dn, held.occupancy, now) { add(.lostCall) }
        } else if held.owner == .none {
            if provision.isDue, provision.isJudge { add(.notInService) }
        } else if held.service.isInService, let since = findings.pass.gone[held.owner.position] {
            findings.found(.ownerGone, dn, since: since)
        }
        if findings.pass.hasLesserClaimants, ownership.lesserClaimant(of: dn) != nil { add(.claimedTwice) }
        return states
    }

    // MARK: Reservations and calls

    /// Takes note of reservations and calls without an end.
    ///
    /// - Returns: whether the DN is said to have a call of which nobody knows any more.
    private mutating func isInLostCall(_ dn: DNIndex, _ occupancy: Occupancy, _ now: Instant) -> Bool {
        if occupancy.contains(.reserved), let since = endlessReservation(of: dn, now) {
            findings.found(.endlessReservation, dn, since: since)
        }
        guard occupancy.contains(.busy), let calls = ownership.calls(of: dn)?.calls, !calls.isEmpty else {
            return false
        }
        if let since = endlessCall(of: dn, now) { findings.found(.endlessCall, dn, since: since) }
        // Published when one of the two said so, and taken back when it says so: one that neither knows has lost its end.
        let known = statefulProxy.calls.calls(of: dn) + witnesses.calls(of: dn)
        return calls.contains { call in !known.contains { $0.connection == call.connection } }
    }

    /// Since when an agent has been reserved, monotonic nanoseconds; nil unless that is too long.
    mutating func endlessReservation(of dn: DNIndex, _ now: Instant) -> UInt64? {
        guard let lease = desk.lease(of: dn) else { return nil }
        // Whoever was told of the lease by an earlier build does not know when it began.
        let isLong = lease.since > 0 && now.since(lease.since) > DNFindings.longReservation
        guard isLong || now.since(lease.deadline) > DNFindings.reservationSlack else { return nil }
        return lease.since > 0 ? lease.since : lease.deadline
    }

    /// Since when there has been a call, monotonic nanoseconds; nil unless that is too long.
    mutating func endlessCall(of dn: DNIndex, _ now: Instant) -> UInt64? {
        let calls = ownership.calls(of: dn)?.calls ?? []
        guard let since = calls.filter({ $0.phase == .established }).map(\.since).min(),
            now.wallMilliseconds > since + longCall / 1_000_000
        else { return nil }
        return now.monotonic - min(now.monotonic, (now.wallMilliseconds - since) * 1_000_000)
    }

    /// Nanoseconds after which an established call is told: half of what is believed of one at all, so that somebody can look
    /// before it is over. Six hours, unless the topology says `maxCall`.
    var longCall: UInt64 { topology.timing.maximumCall.nanoseconds / 2 }
}
