import ClusterModel
import OperatorCommands
import Orchestration
import Testing
import Wire

/// What `tandem replay` makes of a log, and shows of it.
@Suite struct ReplayScreenTests {
    private func time(_ seconds: UInt64) -> String {
        Wording.localTimeWithMilliseconds(milliseconds: now + seconds * 1_000)
    }

    private func lines(_ decisions: [ReplayedDecision], _ style: Style = .plain) -> String {
        decisions.map { ReplayScreen.line($0, style) }.joined()
    }

    @Test func `a decision is a line, and all come out the same`() throws {
        let (decisions, run) = try RecordedLog().replayed()
        let expected = """
            #1     \(time(0))  same     an operator accepts generation 2
            #2     \(time(1))  same     look: generation 2, 2 steps, 1 finding  -> apply dc1/sip1; apply dc1/stat1
            #3     \(time(2))  same     dc1/sip1 has done it
            #4     \(time(3))  same     dc1/stat1 has failed: it is not ready
            #5     \(time(4))  same     look: generation 2, nothing to do

            """
        #expect(lines(decisions) == expected)
        #expect(ReplayScreen.summary(run, .plain) == "5 decisions, all the same")
        #expect(run.count == 5 && run.differing == 0 && run.otherVersions.isEmpty && !run.isTorn)
    }

    @Test func `it does not matter how much of it was written at once`() throws {
        let log = try RecordedLog()
        var run = DecisionRun(log.bytes(together: false))
        var decisions: [ReplayedDecision] = []
        while let replayed = try run.next() { decisions.append(replayed) }
        #expect(decisions == (try log.replayed().decisions))
    }

    @Test func `programs get columns separated by tabs`() throws {
        let (decisions, _) = try RecordedLog().replayed()
        let columns = lines(Array(decisions.prefix(2)), Style(isOn: false, hasTabs: true))
            .split(separator: "\n").map { $0.split(separator: "\t").map(String.init) }
        #expect(
            columns == [
                ["1", "2026-01-31T12:00:00.000Z", "same", "consent", "an operator accepts generation 2", "-"],
                [
                    "2", "2026-01-31T12:00:01.000Z", "same", "look", "look: generation 2, 2 steps, 1 finding",
                    "apply dc1/sip1; apply dc1/stat1",
                ],
            ])
    }

    @Test func `what was decided otherwise is shown, both ways, and so is what follows from it`() throws {
        let changed = try RecordedLog().changing(2) { $0.outcome.actions = ["stop \u{1B}[31mdc1/sip1"] }
        let (decisions, run) = try changed.replayed()
        #expect(decisions.map(\.verdict.word) == ["same", "differs", "same", "same", "same"])
        #expect(
            ReplayScreen.line(decisions[1], .plain) == """
                #2     \(time(1))  DIFFERS  look: generation 2, 2 steps, 1 finding  -> stop \u{FFFD}[31mdc1/sip1
                    done, as recorded
                      stop \u{FFFD}[31mdc1/sip1
                    done, made again
                      apply dc1/sip1
                      apply dc1/stat1

                """)
        #expect(ReplayScreen.summary(run, .plain) == "5 decisions, 1 not the same")
        // Had the Stat Server not failed, nothing would be remembered of it.
        let other = try RecordedLog().changing(4) { $0.input = .ended(worker: "dc1/stat1", problem: "") }
        let after = try other.replayed().decisions
        #expect(after.map(\.verdict.word) == ["same", "same", "same", "differs", "same"])
        #expect(
            ReplayScreen.line(after[3], .plain).hasSuffix(
                """
                    remembered, made again
                      generation 2 is accepted

                """))
    }

    @Test func `what cannot be known without a topology is said to be unknown, up to the end`() throws {
        let log = try RecordedLog()
        for broken in [false, true] {
            var damaged = log
            for (position, frame) in log.frames.enumerated().reversed() {
                guard case .topology(var piece) = frame, piece.generation == 2 else { continue }
                piece.bytes = Array("no topology\n".utf8)
                if broken { damaged.frames[position] = .topology(piece) } else { damaged.frames.remove(at: position) }
            }
            let (decisions, run) = try damaged.replayed()
            #expect(decisions.map(\.verdict.word) == ["same", "unknown", "unknown", "unknown", "unknown"])
            #expect(
                ReplayScreen.line(decisions[1], .plain).hasSuffix(
                    "       the topology of generation 2 is not in the log, or this program cannot read it\n"))
            #expect(run.differing == 4)
        }
    }

    @Test func `decisions that are missing are noticed, and what is known after them`() throws {
        let whole = try RecordedLog()
        let gap = whole.without { number(of: $0) == 3 }
        let (decisions, _) = try gap.replayed()
        #expect(decisions.map(\.isAfterGap) == [false, false, true, false])
        #expect(decisions.map(\.verdict.word) == ["same", "same", "differs", "same"])
        #expect(ReplayScreen.line(decisions[2], .plain).hasPrefix("decisions are missing here\n#4 "))
        // A controller that could not write for a while says what it knew then.
        var state = Reconciler.State(consent: 2)
        state.underWay["dc1/stat1"] = .init(
            work: .apply, since: RecordedLog.start.advanced(by: 1_000_000_000).monotonic, incarnation: 3)
        var mended = gap
        mended.frames.insert(.state(state), at: try #require(gap.frames.firstIndex { number(of: $0) == 4 }))
        #expect(try mended.replayed().decisions.map(\.verdict.word) == ["same", "same", "same", "same"])
    }

    @Test func `another controller begins anew in the same file, also one of another version`() throws {
        let (log, former) = (try RecordedLog(), try RecordedLog(version: "0.0.9"))
        var both = log
        both.frames = former.frames + log.frames
        let (decisions, run) = try both.replayed()
        #expect(decisions.map(\.decision.number) == [1, 2, 3, 4, 5, 1, 2, 3, 4, 5])
        #expect(decisions.allSatisfy { $0.verdict == .same && !$0.isAfterGap })
        #expect(run.otherVersions == ["0.0.9"])
        #expect(
            ReplayScreen.warning(run.otherVersions)
                == "decided by version 0.0.9; this is \(TandemVersion.current), which may decide otherwise")
    }

    @Test func `a decision is shown whole, with what was seen`() throws {
        let (decisions, _) = try RecordedLog().replayed()
        let screen = ReplayScreen.whole(decisions[1], .plain)
        #expect(
            screen.hasPrefix(
                """
                decision 2 of pair, version \(TandemVersion.current)
                \(time(1)), look: generation 2, 2 steps, 1 finding

                WORKER     ROLE  STATE  GENERATION
                """), "\(screen)")
        #expect(screen.contains("\ndc1/stat1  stat  ready           1  -                  3         0           7 "))
        #expect(
            screen.contains("\npair: generation 2\n\nSTEP  DO     WORKER                  AFTER  WHY\n"), "\(screen)")
        #expect(screen.contains("\n1-2   apply  dc1/sip1 and dc1/stat1  -      timing\n"), "\(screen)")
        #expect(
            screen.hasSuffix(
                """

                done
                  apply dc1/sip1
                  apply dc1/stat1

                remembered
                  generation 2 is accepted
                  dc1/sip1: apply under way since 6000000000 ns, asked of incarnation 3
                  dc1/stat1: apply under way since 6000000000 ns, asked of incarnation 3

                made again
                  same

                """), "\(screen)")
    }

    @Test func `a log that was cut off is made again up to there, and one that is damaged up to its damage`() throws {
        let bytes = try RecordedLog().bytes(together: false)
        var torn = DecisionRun(Array(bytes.dropLast()))
        while try torn.next() != nil {}
        #expect(torn.isTorn)
        #expect(
            ReplayScreen.summary(torn, .plain)
                == "4 decisions, all the same; the last record was cut off, and is left out")
        var damaged = bytes
        damaged[bytes.count - 1] ^= 1
        var run = DecisionRun(damaged)
        #expect(throws: DecisionFileError.self) { while try run.next() != nil {} }
        #expect(run.count == 4)
        var nothing = DecisionRun([])
        #expect(try nothing.next() == nil)
        #expect(ReplayScreen.summary(nothing, .plain) == "no decisions")
    }

    @Test func `programs get all of it`() throws {
        let (decisions, _) = try RecordedLog().changing(5) { $0.outcome.remembered = ["\u{1B}"] }.replayed()
        var file = ReplayJSON.File("decisions")
        for decision in decisions { file.add(decision, isWhole: false) }
        let json = JSONOutput.compact(ReplayJSON(files: [file], decisions: 5, differing: 1))
        #expect(
            json.hasPrefix(#"{"decisions":5,"differing":1,"files":[{"cluster":"pair","decisions":[{"afterGap":false,"#))
        #expect(
            json.contains(
                #""generation":2,"input":"consent","number":1,"plan":null,"problem":null,"recorded":{"actions":[],"objections":[],"plan":null,"remembered":["generation 2 is accepted"]},"replayed":null,"succeeded":null,"time":"2026-01-31T12:00:00.000Z","verdict":"same","worker":null,"workers":null"#
            ), "\(json)")
        #expect(json.contains(#""input":"ended","number":4,"plan":null,"problem":"it is not ready""#))
        #expect(
            json.contains(
                #""succeeded":false,"time":"2026-01-31T12:00:03.000Z","verdict":"same","worker":"dc1/stat1""#))
        #expect(
            json.contains(
                #""remembered":["generation 2 is accepted"]},"succeeded":null,"time":"2026-01-31T12:00:04.000Z","verdict":"differs""#
            ))
        #expect(
            json.hasSuffix(
                #""file":"decisions","problem":null,"torn":false,"versions":["\#(TandemVersion.current)"]}]}\#n"#))
        var whole = ReplayJSON.File("decisions")
        whole.add(decisions[1], isWhole: true)
        let one = JSONOutput.compact(ReplayJSON(files: [whole], decisions: 1, differing: 0))
        #expect(one.contains(#""plan":{"changes":["#) && one.contains(#""workers":[{"agents":0,"#), "\(one)")
    }
}
