import ClusterModel
import Orchestration
import Testing
import Wire

/// The log of decisions is read as it was written; what is cut off is left out, and what is damaged is said to be.
@Suite struct DecisionFileTests {
    /// All that can be read of a file, and why not more.
    private func read(_ bytes: [UInt8]) -> (batches: [[DecisionFrame]], isTorn: Bool, error: DecisionFileError?) {
        var reader = DecisionFileReader(bytes)
        var batches: [[DecisionFrame]] = []
        do throws(DecisionFileError) {
            while let batch = try reader.next() { batches.append(batch) }
            return (batches, reader.isTorn, nil)
        } catch {
            var rest: [DecisionFrame]? = []
            do { rest = try reader.next() } catch { Issue.record("after an error there is another: \(error)") }
            #expect(rest == nil)
            return (batches, reader.isTorn, error)
        }
    }

    /// What every log begins with, so that the rest can be anything.
    private func whole(_ frames: [DecisionFrame]) -> [[DecisionFrame]] {
        [[.segment(DecisionSegment(cluster: "c", began: 1, statDirectory: "/run"))] + frames]
    }

    @Test func `whatever is decided is read as it was written`() {
        #expect(decisionFrames.count == 8)
        for seed in 0..<300 as Range<UInt64> {
            var chance = DecisionChance(seed: seed)
            let count = 1 + chance.below(6)
            let batches = chance.log(count)
            let file = read(decisionFile(batches).bytes)
            #expect(file.batches == batches && !file.isTorn && file.error == nil, "seed \(seed)")
        }
        let nothing = read([])
        #expect(nothing.batches.isEmpty && !nothing.isTorn && nothing.error == nil)
    }

    @Test func `a log that was cut off anywhere has what was written whole before that`() {
        var chance = DecisionChance(seed: 3)
        let batches = chance.log(4)
        let (bytes, ends) = decisionFile(batches)
        for length in 1..<bytes.count {
            let file = read(Array(bytes.prefix(length)))
            let count = ends.count { $0 <= length }
            #expect(file.batches == Array(batches.prefix(count)), "\(length) bytes")
            // Fewer bytes than a header has are no log.
            #expect(file.error == (length < FrameHeader.size ? .notALog : nil), "\(length) bytes")
            #expect(file.isTorn == (length >= FrameHeader.size && !ends.contains(length)), "\(length) bytes")
        }
    }

    @Test func `a bit that is not as it was written is noticed, wherever it is`() {
        var chance = DecisionChance(seed: 4)
        let batches = chance.log(3)
        let (bytes, ends) = decisionFile(batches)
        for position in bytes.indices {
            for bit in 0..<8 as Range<UInt8> {
                var damaged = bytes
                damaged[position] ^= 1 << bit
                let file = read(damaged)
                let count = ends.count { $0 <= position }
                #expect(file.batches == Array(batches.prefix(count)), "bit \(bit) of byte \(position)")
                switch file.error {
                case .damaged(let place): #expect(place <= position)
                case .notALog: #expect(position < FrameHeader.size)
                case .unreadable, nil: Issue.record("bit \(bit) of byte \(position) is not noticed")
                }
            }
        }
    }

    /// A file system may make a file longer before it writes, and lose its power in between.
    @Test func `zeros at the end are as if they were not there`() {
        var chance = DecisionChance(seed: 5)
        let batches = chance.log(3)
        let (bytes, ends) = decisionFile(batches)
        for kept in [bytes.count, ends[1] + FrameHeader.size + 3, ends[1]] {
            let file = read(bytes.prefix(kept) + [UInt8](repeating: 0, count: 5_000))
            let count = ends.count { $0 <= kept }
            #expect(file.batches == Array(batches.prefix(count)) && file.isTorn && file.error == nil, "\(kept)")
        }
        #expect(read([UInt8](repeating: 0, count: 5_000)).error == .notALog)
    }

    @Test func `what is no log is said to be none`() {
        for text in ["version: 1\ncluster: test\n", "{}", "\u{7F}ELF"] {
            #expect(read(Array(text.utf8)).error == .notALog)
        }
        // It has a seal, and begins with something else.
        #expect(read(decisionFile([[.state(Reconciler.State())]]).bytes).error == .notALog)
        #expect(read(decisionFile([[]]).bytes).error == .notALog)
    }

    @Test func `what a reader would not take is not written, and the rest is`() {
        var late = Reconciler.State()
        late.underWay["dc1/a"] = .init(work: .apply, since: 1 << 62 | 1, incarnation: 1)
        var often = Reconciler.State()
        often.failures["dc1/a"] = .init(work: .apply, sentence: "", count: 1 << 48 | 1, retryAt: 0)
        func decision(_ change: (inout Decision) -> Void) -> DecisionFrame {
            var decision = Decision(
                number: 1, time: Instant(monotonic: 1, wallMilliseconds: 1), input: .tryAgain, outcome: .init())
            change(&decision)
            return .decision(decision)
        }
        func look(_ change: (inout Decision.Look) -> Void) -> DecisionFrame {
            let worker = ObservedWorker("dc1/a", .sip, dataCenter: "dc1", .ready)
            var look = Decision.Look(
                observed: ObservedCluster(generation: 1, workers: [worker]), generation: 1, topologies: [1])
            change(&look)
            return decision { $0.input = .look(look) }
        }
        let refused: [DecisionFrame] = [
            .state(late), .state(often), decision { $0.time.monotonic = 1 << 62 | 1 },
            decision { $0.outcome.actions = Array(repeating: "", count: 16_385) },
            decision { $0.outcome.plan = String(repeating: "x", count: FrameHeader.maximumPayload) },
            look { $0.generation = 1 << 48 | 1 }, look { $0.observed.generation = 1 << 48 | 1 },
            look { $0.topologies = [1 << 48 | 1] }, look { $0.topologies = Array(0...64) },
            look { $0.observed.exceptionCounts[.flapping] = 1 << 48 | 1 },
            look { $0.observed.workers[0].calls = 1 << 48 | 1 },
            // A generation of 0 is none on the wire, and would be read as another one.
            look { $0.observed.workers[0].generation = 0 },
            look { $0.observed.workers = Array(repeating: $0.observed.workers[0], count: 4_097) },
        ]
        let good = [decision { _ in }, look { _ in }]
        for frame in refused {
            var batch = DecisionBatch()
            let taken = whole(good)[0].map { batch.add($0) }
            let isTaken = batch.add(frame)
            #expect(taken == [true, true, true] && !isTaken)
            #expect(read(batch.sealed()).batches == whole(good))
        }
    }

    @Test func `a program goes on behind what was written whole by itself`() {
        var chance = DecisionChance(seed: 6)
        let (bytes, ends) = decisionFile(chance.log(3))
        #expect(DecisionFileReader.end(of: bytes) == bytes.count)
        #expect(DecisionFileReader.end(of: bytes, version: "another") == nil)
        #expect(DecisionFileReader.end(of: []) == nil)
        #expect(DecisionFileReader.end(of: Array(bytes.prefix(ends[0] - 1))) == nil)
        #expect(DecisionFileReader.end(of: Array(bytes.dropLast())) == ends[1])
        #expect(DecisionFileReader.end(of: bytes + [0, 0, 0]) == ends[2])
        var damaged = bytes
        damaged[ends[1] + FrameHeader.size + 1] ^= 1
        #expect(DecisionFileReader.end(of: damaged) == nil)
    }

    // MARK: What others write

    /// As the schema says it, so that other programs can.
    private func sealed(_ frames: [(type: UInt16, payload: [UInt8])]) -> [UInt8] {
        let hash = SipHash(key: 0x7461_6E64_656D_2064, 0x6563_6973_696F_6E73)
        func frame(_ type: UInt16, _ payload: [UInt8]) -> [UInt8] {
            var header: [UInt8] = []
            FrameHeader(payloadLength: UInt32(payload.count), type: type, flags: 0).append(to: &header)
            let check = UInt16(truncatingIfNeeded: hash.hash(Array(header.prefix(6)).span))
            return header.prefix(6) + [UInt8(check >> 8), UInt8(check & 0xFF)] + payload
        }
        let bytes = frames.flatMap { frame($0.type, $0.payload) }
        let digest = hash.hash(bytes.span)
        return bytes + frame(1364, [0x09] + (0..<8).map { UInt8(truncatingIfNeeded: digest >> (8 * $0)) })
    }

    @Test func `a log is what the schema says, and what only later programs know is said to be unreadable`() {
        let segment = text(1, "0.1.0") + text(2, "c") + number(3, 5) + text(4, "/run")
        let expected = DecisionSegment(version: "0.1.0", cluster: "c", began: 5, statDirectory: "/run")
        let decision = number(1, 7) + text(4, "consent") + number(6, 3)
        let known = sealed([(1360, segment), (1363, decision)])
        guard case .decision(let read)? = self.read(known).batches.first?.last else {
            Issue.record("it is not read")
            return
        }
        #expect(self.read(known).batches == [[.segment(expected), .decision(read)]])
        #expect(read.number == 7 && read.input == .consent(3))
        let later = self.read(known + sealed([(1363, decision), (1399, [])]) + known)
        #expect(later.batches.count == 1)
        #expect(later.error == .unreadable(at: known.count, .unknownType(1399)))
        // A header whose length is too great for a frame, though it says itself right.
        #expect(
            self.read(known + sealed([(1363, Array(repeating: 0, count: FrameHeader.maximumPayload + 1))])).error
                == .damaged(at: known.count))
    }

    @Test func `decisions and states that cannot be are refused`() {
        func error(_ type: UInt16, _ payload: [UInt8]) -> WireError? {
            do throws(WireError) {
                _ = try DecisionCodec.decode(type: type, payload.span.bytes)
                return nil
            } catch {
                return error
            }
        }
        func bad(_ type: UInt16, _ field: StaticStringBox) -> WireError { .badValue(type: type, field: field) }
        #expect(error(1363, text(4, "try-again")) == nil)
        #expect(error(1363, text(4, "sleep")) == bad(1363, "input"))
        #expect(error(1363, []) == bad(1363, "input"))
        #expect(error(1363, text(4, "look")) == bad(1363, "look"))
        #expect(error(1363, text(4, "look") + bytes(5, [])) == nil)
        #expect(error(1363, text(4, "look") + bytes(5, []) + number(6, 1 << 48 | 1)) == bad(1363, "time or figure"))
        #expect(error(1363, text(4, "try-again") + number(3, 1 << 62 | 1)) == bad(1363, "time or figure"))
        for field in [12, 14, 15] as [UInt64] {
            let lines = (0...16_384).flatMap { _ in text(field, "") }
            #expect(error(1363, text(4, "try-again") + lines) == .tooMany(type: 1363))
        }
        #expect(error(1362, []) == nil)
        #expect(error(1362, bytes(2, text(2, "dance"))) == bad(1362, "work"))
        #expect(error(1362, bytes(3, [])) == bad(1362, "work"))
        #expect(error(1362, bytes(2, text(2, "apply") + number(4, .max))) == bad(1362, "time or count"))
        #expect(error(1362, bytes(3, text(2, "apply") + number(6, .max))) == bad(1362, "time or count"))
        #expect(error(1362, bytes(3, text(2, "apply") + number(5, .max))) == bad(1362, "time or count"))
        #expect(error(1362, (0...4_096).flatMap { _ in text(4, "x") }) == .tooMany(type: 1362))
        #expect(error(1364, []) == .unknownType(1364))
    }
}
