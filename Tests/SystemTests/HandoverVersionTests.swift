import ClusterModel
import Glibc
import LinuxSystem
import Orchestration
import Testing
import Wire

/// Processes of different builds hand over to each other: between two real ones stands somebody who makes of what the one says what another
/// build would say.
@Suite(.serialized) struct HandoverVersionTests {
    enum Other: String, CaseIterable {
        /// The process that serves is of a build that tells more, in every message.
        case newer
        /// It is of one that does not know what was added since.
        case older
    }

    /// Numbers of the last fields that the older build knows.
    private static let lastKnown = [
        "Link": 26, "Binding": 10, "RegistrarRest": 2, "NodeCounters": 3, "Rest": 18, "Sockets": 7, "Remains": 3,
        "Stream": 2, "ClientConnection": 3,
    ]

    private static func rewritten(_ state: [UInt8], _ part: HandoverSchema.Part, as other: Other) throws -> [UInt8] {
        // Fields 1,999 and 2,000.
        let more: [UInt8] = [0xF8, 0x7C, 7, 0x82, 0x7D, 3, 1, 2, 3]
        return switch other {
        case .newer: try #require(HandoverSchema.rewritten(state, as: part, adding: more))
        case .older:
            try #require(HandoverSchema.rewritten(state, as: part) { $1 <= lastKnown[$0] ?? .max })
        }
    }

    @Test(arguments: Other.allCases)
    func `a process takes the place of one of another build`(_ other: Other) throws {
        var options = TestCluster.Options()
        options.survives = true
        let cluster = try TestCluster(TestCluster.twoNodesWithStreams, options: options)
        let phones = try BackgroundProgram(
            "phones",
            [
                "/usr/bin/python3", "-c",
                """
                import os, sys; sys.path.insert(0, "\(TestCluster.scenario("phones").dropLast("/phones.xml".count))")
                sys.dont_write_bytecode = True
                from phones import *
                caller, callee = Phone("1000", WEST, "TCP"), Phone("1001", WEST)
                for phone in caller, callee: phone.register()
                one, two = connect(caller, callee)
                print("connected", flush=True)
                while not os.path.exists("\(cluster.directory)/go"): time.sleep(0.02)
                for phone in caller, callee: phone.register()
                one.ends(two)
                print("ended", flush=True)
                """,
            ], in: cluster)
        try cluster.waitUntil("there is a call") { _ in phones.output.contains("connected") }
        let before = try #require(try cluster.status().nodes.first)
        let path = cluster.directory + "/workers/dc1.sip1.sock"
        try Files.rename(path, to: path + ".real")
        let listener = try UnixSocket.listen(path: path)
        let restart = try BackgroundProgram(
            "restart",
            [Executables.companion("tandem"), "restart", "dc1/sip1", "--wait", "--socket", cluster.socketPath],
            in: cluster)
        try #require(try listener.wait(forReading: true, nanoseconds: 10_000_000_000))
        let successor = try #require(try listener.acceptConnection())
        let predecessor = try UnixSocket.connect(path: path + ".real")
        var between = Between(predecessor: predecessor, successor: successor, other: other)
        try between.passOn(seconds: 20)
        #expect(between.states > 1)
        #expect(try restart.end() == 0, "\(restart.output)\n\(cluster.logText)")
        listener.close()
        try Files.rename(path + ".real", to: path)
        let after = try #require(try cluster.status().nodes.first)
        #expect(after.pid != before.pid)
        #expect(after.incarnation == before.incarnation + 1)
        #expect(after.restarts == 0)
        #expect(after.report?.calls == 1)
        #expect(after.report?.ownedInService == 2)
        #expect(after.report?.links.first?.losses == 0)
        try Files.writeAtomically([], to: cluster.directory + "/go")
        #expect(try phones.end() == 0, "\(phones.output)\n\(cluster.logText)")
    }

    /// Passes on what two processes say to each other, and their descriptors.
    private struct Between {
        let predecessor: OwnedDescriptor
        let successor: OwnedDescriptor
        let other: Other
        /// States that were rewritten.
        var states = 0
        private var (fromPredecessor, fromSuccessor) = ([UInt8](), [UInt8]())
        private var descriptors: [OwnedDescriptor] = []
        private var state: [UInt8] = []

        init(predecessor: OwnedDescriptor, successor: OwnedDescriptor, other: Other) {
            self.predecessor = predecessor
            self.successor = successor
            self.other = other
        }

        /// Until one of them has ended.
        mutating func passOn(seconds: UInt64) throws {
            let end = SystemClock.monotonicNanoseconds() + seconds * 1_000_000_000
            while SystemClock.monotonicNanoseconds() < end {
                for isPredecessor in [true, false] {
                    let from = isPredecessor ? predecessor : successor
                    guard try from.wait(forReading: true, nanoseconds: 1_000_000),
                        let (bytes, passed) = try from.receivePassing(maximum: 1 << 20)
                    else { continue }
                    if bytes.isEmpty { return }
                    descriptors += passed
                    if isPredecessor { fromPredecessor += bytes } else { fromSuccessor += bytes }
                    try passFrames(isPredecessor)
                }
            }
            throw Timeout(what: "the end of a handover")
        }

        private mutating func passFrames(_ isPredecessor: Bool) throws {
            while let frame = takeFrame(isPredecessor) {
                guard isPredecessor, let header = FrameHeader(frame.span.bytes) else {
                    try send(frame, to: predecessor)
                    continue
                }
                let message = try? HandoverCodec.decode(
                    type: header.type, frame.span.bytes.extracting(FrameHeader.size...))
                if case .piece(let piece) = message {
                    try pass(piece)
                } else if message == .descriptors {
                    let next = Array(descriptors.prefix(16))
                    descriptors.removeFirst(next.count)
                    _ = try successor.send(frame, passing: next)
                } else {
                    try send(frame, to: successor)
                }
            }
        }

        private mutating func takeFrame(_ isPredecessor: Bool) -> [UInt8]? {
            let bytes = isPredecessor ? fromPredecessor : fromSuccessor
            guard let header = FrameHeader(bytes.span.bytes) else { return nil }
            let length = FrameHeader.size + Int(header.payloadLength)
            guard bytes.count >= length else { return nil }
            if isPredecessor { fromPredecessor.removeFirst(length) } else { fromSuccessor.removeFirst(length) }
            return Array(bytes.prefix(length))
        }

        private mutating func pass(_ piece: HandoverPiece) throws {
            state += piece.bytes
            guard !piece.continues else { return }
            let written = try HandoverVersionTests.rewritten(
                state, piece.kind == .sockets ? .sockets : .state, as: other)
            #expect(written != state || state.isEmpty || other == .older)
            states += 1
            state = []
            for piece in HandoverPiece.all(of: written, piece.kind) {
                var frame: [UInt8] = []
                HandoverCodec.encode(.piece(piece), to: &frame)
                try send(frame, to: successor)
            }
        }

        private func send(_ bytes: [UInt8], to descriptor: OwnedDescriptor) throws {
            var sent = 0
            while sent < bytes.count {
                if let count = try descriptor.send(bytes, from: sent) {
                    sent += count
                } else {
                    _ = try descriptor.wait(forReading: false, nanoseconds: 1_000_000_000)
                }
            }
        }
    }
}
