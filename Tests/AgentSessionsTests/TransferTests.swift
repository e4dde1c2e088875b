import AgentSessions
import ClusterModel
import Testing

private let bounds = StateTransfer.Bounds(dns: 8, nodes: 2, trunks: 0)

/// Every prefix of some bytes, and thousands of changes of single bytes.
private func damaged(_ bytes: [UInt8]) -> [[UInt8]] {
    var damaged = bytes.indices.map { Array(bytes[..<$0]) }
    var random: UInt64 = 1
    for _ in 0..<4_000 {
        random = mixed(random &+ 1)
        var changed = bytes
        changed[Int(random >> 16) % bytes.count] = UInt8(truncatingIfNeeded: random)
        damaged.append(changed)
    }
    return damaged
}

/// What a process tells its successor of reservations.
@Suite struct ReservationTransferTests {
    private func rich() -> ReservationDesk {
        var desk = desk(window: 50, arrival: 700)
        func ask(_ position: Int, _ client: UInt64, _ request: ReservationRequest, _ time: UInt64, at node: NodeIndex) {
            let asker = ReservationDesk.Asker(
                holder: ReservationHolder(node: node, client: client), number: client, connection: 4)
            _ = desk.requested(request, of: place(position), by: asker, now: at(time))
        }
        for position in 0..<3 { ask(position, 1, ReservationRequest(priority: -2), UInt64(position), at: beta) }
        while let due = desk.due(now: at(60)), case .window(let dn) = due {
            _ = desk.close(place(dn.position), now: at(60))
        }
        #expect(desk.leaseCount == 3)
        _ = desk.redeem(desk.lease(of: DNIndex(1))!.token, for: 77, of: place(1), now: at(9_900))
        desk.expire(DNIndex(2))
        for client in 1...4 as ClosedRange<UInt64> {
            let request = ReservationRequest(
                priority: client == 4 ? 0 : 5, duration: .milliseconds(300), agent: client == 2 ? bob : ann)
            ask(3, client, request, 9_950, at: alpha)
        }
        return desk
    }

    private func future(_ desk: inout ReservationDesk) -> [String] {
        var told = ["\(desk.leaseCount) \(desk.fill) \(desk.expired)"]
        told += (0..<4).map { "\(String(describing: desk.lease(of: DNIndex($0))))" }
        let token = desk.lease(of: DNIndex(1))?.token
        if let token {
            told.append("\(String(describing: desk.redeem(token, for: 78, of: place(1), now: at(9_960))))")
        }
        told.append("\(desk.requested(ReservationRequest(), of: place(4), by: asker(5), now: at(9_960)))")
        let cancel = ReservationRequest(duration: .cancel)
        told.append("\(desk.requested(cancel, of: place(3), by: asker(3), now: at(9_961)))")
        for time in 9_962...10_300 as ClosedRange<UInt64> {
            var turns = 0
            while let due = desk.due(now: at(time)), turns < 20 {
                turns += 1
                told.append("\(time): \(due)")
                switch due {
                case .lease(let dn): desk.expire(dn)
                case .window(let dn): told.append("\(desk.close(place(dn.position), now: at(time)))")
                }
            }
        }
        let call = DNCall(connection: CallConnection(rawValue: 77), phase: .ringing, since: 1)
        told.append("\(desk.callsArrived(DNIndex(1), [call]))")
        told.append("\(desk.nodeLost(beta)) \(desk.holderGone(ReservationHolder(node: alpha, client: 1)))")
        told.append("\(desk.agentLeft(DNIndex(3))) \(String(describing: desk.nextDeadline))")
        return told
    }

    @Test func `leases and windows end under a successor as they would have`() {
        var desk = rich()
        var copy = AgentSessionsTests.desk(window: 50, arrival: 700)
        let bytes = StateTransfer.written(&desk)
        #expect(StateTransfer.read(bytes, within: bounds, into: &copy) == nil)
        #expect(copy.nextDeadline == desk.nextDeadline && StateTransfer.written(&copy) == bytes)
        let told = future(&copy)
        #expect(told == future(&desk))
        #expect(told.contains { $0.hasPrefix("10000: window") } && told.contains { $0.hasPrefix("10060: lease") })
    }

    @Test func `no bytes are dangerous`() {
        var desk = rich()
        var taken = 0
        for bytes in damaged(StateTransfer.written(&desk)) {
            var copy = AgentSessionsTests.desk(window: 50, arrival: 700)
            guard StateTransfer.read(bytes, within: bounds, into: &copy) == nil else { continue }
            taken += 1
            _ = future(&copy)
        }
        #expect(taken > 100)
    }
}

/// What a process tells its successor of the work after calls.
@Suite struct WrapUpTransferTests {
    private func worker(_ milliseconds: UInt64) -> AgentSession {
        AgentSession(
            agent: ann, state: .notReady, workMode: .afterCallWork, login: stamp(1), stamp: stamp(milliseconds))
    }

    private func due(_ timers: inout WrapUpTimers) -> [String] {
        var told: [String] = []
        for time in stride(from: 0, to: 4_000, by: 10) as StrideTo<UInt64> {
            while let dn = timers.due(now: at(time)) {
                told.append("\(time): \(dn)")
                timers.changed(dn, to: nil, now: at(time))
            }
        }
        return told
    }

    @Test func `it ends when it would have, and no bytes are dangerous`() {
        var timers = WrapUpTimers(duration: 2_000_000_000)
        for (position, begin) in [(7, 100), (2, 300), (5, 200)] as [(Int, UInt64)] {
            timers.changed(DNIndex(position), to: worker(begin), now: at(begin))
        }
        let bytes = StateTransfer.written(&timers)
        var copy = WrapUpTimers(duration: 2_000_000_000)
        #expect(StateTransfer.read(bytes, within: bounds, into: &copy) == nil)
        #expect(copy.nextDeadline == at(2_100).monotonic && StateTransfer.written(&copy) == bytes)
        let told = due(&copy)
        #expect(told == due(&timers) && told.count == 3)
        for bytes in damaged(bytes) {
            var copy = WrapUpTimers(duration: 2_000_000_000)
            if StateTransfer.read(bytes, within: bounds, into: &copy) == nil { _ = due(&copy) }
        }
    }
}
