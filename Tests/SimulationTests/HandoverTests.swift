import ClusterModel
import NodeCore
import Simulation
import Testing
import Wire

/// What passes between the processes of a node: whole states out of the storms of some seeds.
@Suite struct HandoverTests {
    /// States, with what a process begins with that is to take them.
    static let states: [(bytes: [UInt8], setup: NodeSetup)] = (1...60 as ClosedRange<UInt64>).flatMap { seed in
        var simulation = ClusterSimulation(seed: seed)
        simulation.keepsHandovers = true
        try? simulation.run()
        return simulation.handedOver
    }

    static let now = Instant(monotonic: 2_000_000_000_000, wallMilliseconds: 1_700_002_000_000)

    /// - Returns: the state of a process that was given this one; nil if it refused.
    static func taken(_ bytes: [UInt8], _ setup: NodeSetup) -> [UInt8]? {
        var receiver = HandoverReceiver(setup, now: now)
        guard receiver.takeLast(bytes, now: now) == nil else { return nil }
        var core = receiver.node()
        var state = StateTransfer()
        core.transferAll(&state, now: now)
        // Whatever it was given, it can go on with.
        core.tick(now: now)
        return state.bytes
    }

    @Test func `there are states, and they are what the schema says`() {
        #expect(Self.states.count > 60)
        for state in Self.states {
            #expect(HandoverSchema.unknownFields(of: state.bytes, as: .state) == [])
        }
    }

    @Test func `a process that is given a state has that state`() {
        for state in Self.states { #expect(Self.taken(state.bytes, state.setup) == state.bytes) }
    }

    @Test func `what a newer build tells beyond that is passed over`() throws {
        // Fields 1,999 (a number) and 2,000 (bytes), at the end of every message.
        let more: [UInt8] = [0xF8, 0x7C, 7, 0x82, 0x7D, 3, 1, 2, 3]
        for state in Self.states {
            let newer = try #require(HandoverSchema.rewritten(state.bytes, as: .state, adding: more))
            #expect(newer.count > state.bytes.count)
            #expect(Self.taken(newer, state.setup) == state.bytes)
        }
    }

    /// An older build knows less: here nothing of what came after these fields. A newer one begins with what that would mean.
    @Test func `what an older build does not tell is as it is at the beginning`() throws {
        let lastKnown = [
            "Record": 8, "Link": 26, "Binding": 10, "RegistrarRest": 2, "NodeCounters": 3, "OwnershipRest": 8,
            "Rest": 16, "PointCounters": 1, "Nonce": 4,
        ]
        var readable = 0
        for state in Self.states {
            let older = try #require(
                HandoverSchema.rewritten(state.bytes, as: .state) { message, field in
                    field <= lastKnown[message] ?? .max
                })
            #expect(older.count < state.bytes.count)
            if Self.taken(older, state.setup) != nil { readable += 1 }
        }
        #expect(readable == Self.states.count)
    }

    @Test func `no byte that is wrong does harm`() {
        var word: UInt64 = 11
        func below(_ limit: Int) -> Int {
            word = mixed(word &+ 0x9E37_79B9_7F4A_7C15)
            return Int(word % UInt64(limit))
        }
        for state in Self.states {
            for _ in 0..<60 {
                var bytes = state.bytes
                bytes[below(bytes.count)] ^= UInt8(1) << UInt8(below(8))
                _ = Self.taken(bytes, state.setup)
                _ = Self.taken(Array(state.bytes.prefix(below(state.bytes.count))), state.setup)
            }
        }
    }
}
