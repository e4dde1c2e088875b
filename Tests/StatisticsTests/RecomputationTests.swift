import AgentSessions
import ClusterModel
import Statistics
import Testing

/// All figures follow from the stream of events alone: random histories are told to boards, and counted anew, naively, from the list of
/// what was told.
@Suite struct RecomputationTests {
    // MARK: Routing points

    /// Something that a board was told, and when.
    private enum Told {
        case event(PointEvent, NodeIndex, at: UInt64)
        case snapshotBegan(NodeIndex)
        case snapshotEnded(NodeIndex, at: UInt64)
        case lost(NodeIndex)
        case resumed(NodeIndex)
    }

    private static let points = [
        RoutingPoint(dn: DN("8000")!, serviceLevel: .seconds(2)),
        RoutingPoint(dn: DN("8001")!, serviceLevel: .seconds(30)),
    ]

    /// Nodes with calls: what happens to them goes into a list for each, as into a feed.
    private struct World {
        struct Call {
            var point: Int
            var arrived: UInt64
            var isDefaulted = false
        }

        var random: SeededRandom
        var now: UInt64 = 0
        var calls: [[CallConnection: Call]] = [[:], [:]]
        var feeds: [[PointEvent]] = [[], []]
        var lastCall: UInt64 = 0

        mutating func step() {
            now += UInt64(random.below(4) == 0 ? random.below(90_000) : random.below(3_000))
            let node = random.below(2)
            let present = calls[node].keys.sorted()
            guard !present.isEmpty, random.below(5) > 1 else {
                lastCall += 1
                return arrive(CallConnection(rawValue: lastCall), node, random.below(2))
            }
            let connection = present[random.below(present.count)]
            switch random.below(8) {
            case 0, 1, 2: end(.answered, connection, node)
            case 3, 4: end(.abandoned, connection, node)
            case 5: end(.refused, connection, node)
            case 6:
                guard calls[node][connection]?.isDefaulted == false else { return }
                calls[node][connection]?.isDefaulted = true
                note(.defaulted, connection, node)
            default:
                let point = calls[node][connection]!.point
                end(.overflowed, connection, node)
                arrive(connection, node, 1 - point)
            }
        }

        mutating func arrive(_ connection: CallConnection, _ node: Int, _ point: Int) {
            calls[node][connection] = Call(point: point, arrived: now)
            note(.waiting, connection, node)
        }

        mutating func end(_ outcome: PointEvent.Outcome, _ connection: CallConnection, _ node: Int) {
            note(outcome, connection, node)
            calls[node][connection] = nil
        }

        mutating func note(_ outcome: PointEvent.Outcome, _ connection: CallConnection, _ node: Int) {
            guard let call = calls[node][connection] else { return }
            feeds[node].append(event(outcome, connection, call, at: now))
        }

        func event(_ outcome: PointEvent.Outcome, _ connection: CallConnection, _ call: Call, at time: UInt64)
            -> PointEvent
        {
            PointEvent(
                outcome, connection, at: RecomputationTests.points[call.point].dn, waited: time - call.arrived,
                time: wall(time))
        }

        /// As in a snapshot: of each call that it came.
        func present(_ node: Int) -> [PointEvent] {
            calls[node].sorted { $0.key < $1.key }.map { event(.waiting, $0.key, $0.value, at: $0.value.arrived) }
        }
    }

    /// The naive count: it goes through the whole list for every figure and keeps every call.
    private struct Reference {
        struct Call {
            var point: DN
            var node: NodeIndex
            var arrived: UInt64
            /// With when, and how.
            var end: (time: UInt64, outcome: PointEvent.Outcome?)?
            var defaulted: UInt64?
            var isToldAgain = true
        }

        var calls: [(connection: CallConnection, call: Call)] = []
        var isHeard: Set<NodeIndex> = []

        init(_ list: [Told]) {
            for told in list {
                switch told {
                case .lost(let node): isHeard.remove(node)
                case .resumed(let node): isHeard.insert(node)
                case .snapshotBegan(let node):
                    isHeard.insert(node)
                    for index in calls.indices where calls[index].call.node == node {
                        calls[index].call.isToldAgain = false
                    }
                case .snapshotEnded(let node, let time):
                    for index in calls.indices where calls[index].call.node == node && calls[index].call.end == nil {
                        if !calls[index].call.isToldAgain { calls[index].call.end = (time, nil) }
                    }
                case .event(let event, let node, _): take(event, node)
                }
            }
        }

        private mutating func take(_ event: PointEvent, _ node: NodeIndex) {
            let time = event.time - wall(0)
            var index = calls.lastIndex {
                $0.connection == event.connection && $0.call.node == node && $0.call.end == nil
            }
            if let known = index, calls[known].call.point != event.point {
                // It went from one routing point to the other while nobody listened.
                calls[known].call.end = (time, nil)
                index = nil
            }
            if index == nil {
                calls.append((event.connection, Call(point: event.point, node: node, arrived: time - event.waited)))
                index = calls.count - 1
            }
            calls[index!].call.isToldAgain = true
            if event.outcome == .defaulted { calls[index!].call.defaulted = time }
            if event.outcome.isEnd { calls[index!].call.end = (time, event.outcome) }
        }

        /// - Parameter range: of minutes; nil for all.
        func figures(_ point: RoutingPoint, _ range: ClosedRange<UInt64>?, now: UInt64) -> PointFigures {
            func counts(_ time: UInt64) -> Bool { range?.contains(time / 60_000) ?? true }
            let limit = point.serviceLevel.nanoseconds / 1_000_000
            let mine = calls.map(\.call).filter { $0.point == point.dn }
            var figures = PointFigures(point.dn)
            figures.serviceLevelMilliseconds = limit
            figures.tally.arrived = UInt64(mine.filter { counts($0.arrived) }.count)
            figures.tally.defaulted = UInt64(mine.filter { $0.defaulted.map(counts) ?? false }.count)
            func waits(_ outcome: PointEvent.Outcome) -> [UInt64] {
                mine.filter { $0.end?.outcome == outcome && counts($0.end!.time) }.map { $0.end!.time - $0.arrived }
            }
            func count(_ outcome: PointEvent.Outcome) -> UInt64 { UInt64(waits(outcome).count) }
            figures.tally.answered = count(.answered)
            figures.tally.answeredInTime = UInt64(waits(.answered).filter { $0 <= limit }.count)
            figures.tally.answerMilliseconds = waits(.answered).reduce(0, +)
            figures.tally.abandoned = count(.abandoned)
            figures.tally.abandonedInTime = UInt64(waits(.abandoned).filter { $0 <= limit }.count)
            figures.tally.abandonMilliseconds = waits(.abandoned).reduce(0, +)
            figures.tally.refused = count(.refused)
            figures.tally.overflowed = count(.overflowed)
            let all = PointEvent.Outcome.allCases.flatMap(waits)
            figures.tally.waitMilliseconds = all.reduce(0, +)
            figures.tally.longestWait = all.max() ?? 0
            let open = mine.filter { $0.end == nil }
            let waiting = open.filter { $0.isToldAgain && isHeard.contains($0.node) }
            figures.waiting = UInt64(waiting.count)
            figures.longestWaiting = waiting.map { now - $0.arrived }.max() ?? 0
            let lost = mine.filter { $0.end.map { $0.outcome == nil && counts($0.time) } ?? false }
            figures.tally.unknown = UInt64(lost.count + open.count - waiting.count)
            return figures
        }
    }

    private func newBoard() -> PointBoard { PointBoard(PointBoard.Setup(points: Self.points, nodeCount: 2)) }

    /// The board, and all that it was told.
    private struct Recorded {
        var board: PointBoard
        var list: [Told] = []
        /// Up to where each node's feed was told.
        var told = [0, 0]
        var isWhole = [false, false]

        mutating func tell(_ told: Told) {
            list.append(told)
            switch told {
            case .event(let event, let node, let time): board.told(event, by: node, now: at(time))
            case .snapshotBegan(let node): board.snapshotBegan(of: node)
            case .snapshotEnded(let node, let time): board.snapshotEnded(of: node, now: at(time))
            case .lost(let node): board.feedLost(of: node)
            case .resumed(let node): board.feedResumed(of: node)
            }
        }

        mutating func replay(_ world: World, _ node: Int) {
            for event in world.feeds[node][told[node]...] { tell(.event(event, NodeIndex(node), at: world.now)) }
            told[node] = world.feeds[node].count
        }

        mutating func snapshot(_ world: World, _ node: Int) {
            tell(.snapshotBegan(NodeIndex(node)))
            for event in world.present(node) { tell(.event(event, NodeIndex(node), at: world.now)) }
            tell(.snapshotEnded(NodeIndex(node), at: world.now))
            told[node] = world.feeds[node].count
            isWhole[node] = true
        }
    }

    private func check(_ recorded: Recorded, _ now: UInt64, beganAt: UInt64, _ hint: Comment) {
        let reference = Reference(recorded.list)
        for (position, point) in Self.points.enumerated() {
            let whole = recorded.board.figures(now: at(now))[position]
            #expect(whole == reference.figures(point, nil, now: now), hint)
            let tally = whole.tally
            #expect(tally.arrived == whole.waiting + tally.ended + tally.unknown, hint)
            // Minutes are those of the board's own life.
            guard beganAt == 0 else { continue }
            for minutes in [1, 5, 60] as [UInt64] {
                let present = now / 60_000
                let range = (present + 1 - min(present + 1, minutes))...present
                let last = recorded.board.figures(minutes: Int(minutes), now: at(now))[position]
                #expect(last == reference.figures(point, range, now: now), hint)
            }
        }
    }

    @Test(arguments: 1...60 as ClosedRange<UInt64>)
    func `routing points' figures are those of the events`(seed: UInt64) {
        var world = World(random: SeededRandom(seed: seed))
        var recorded = Recorded(board: newBoard())
        var heard = [true, true]
        var beganAt: UInt64 = 0
        recorded.snapshot(world, 0)
        recorded.snapshot(world, 1)
        for step in 0..<400 {
            world.step()
            for node in 0...1 where heard[node] { recorded.replay(world, node) }
            let node = world.random.below(2)
            switch world.random.below(40) {
            case 0, 1:
                if heard[node] { recorded.tell(.lost(NodeIndex(node))) }
                heard[node] = false
            case 2...5:
                // It goes on where it stopped, or says all anew.
                guard !heard[node] else { break }
                heard[node] = true
                if world.random.below(2) == 0, recorded.isWhole[node] {
                    recorded.tell(.resumed(NodeIndex(node)))
                    recorded.replay(world, node)
                } else {
                    recorded.snapshot(world, node)
                }
            case 6 where seed % 3 == 0 && step > 100:
                // Another life of the Stat Server: it knows what snapshots tell, and what comes after.
                recorded = Recorded(board: newBoard())
                beganAt = world.now
                for node in 0...1 where heard[node] { recorded.snapshot(world, node) }
            default: break
            }
            if step % 20 == 0 { check(recorded, world.now, beganAt: beganAt, "seed \(seed), step \(step)") }
        }
        check(recorded, world.now, beganAt: beganAt, "seed \(seed), in the end")
    }

    // MARK: Agents

    /// What a DN was at a time, as the board was told.
    private struct Sample {
        let time: UInt64
        let number: Int
        let status: AgentStatus
        let view: View
    }

    private func history(_ seed: UInt64, agents: Int, steps: Int) -> [Sample] {
        var random = SeededRandom(seed: seed)
        var time: UInt64 = 1_000
        var samples: [Sample] = []
        let skills = [[], [Skill("english", level: 5)!], [Skill("english", level: 3)!, Skill("german", level: 9)!]]
        for step in 0..<steps {
            time += UInt64(random.below(50_000))
            let number = step < agents ? step : random.below(agents)
            let profile = AgentProfile(skills: skills[number % 3], priority: 0) ?? .none
            // Everybody begins by logging in; another stamp each time, so that each is a session of its own.
            let kind = step < agents ? 1 : random.below(8)
            let state: AgentSession.State =
                kind == 0 ? .loggedOut : kind == 1 ? .notReady : kind == 7 ? .notReady : .ready
            let session = AgentSession(
                agent: AgentID("agent\(number)")!, state: state, workMode: kind == 7 ? .afterCallWork : .unknown,
                profile: profile, login: stamp(0), stamp: stamp(time))
            var view = View(
                service: kind == 6 ? .expired : .inService, owner: NodeIndex(number % 2), stamp: stamp(0),
                occupancy: kind == 3 ? .reserved : kind == 4 || kind == 5 ? .busy : [], agent: session)
            if kind == 4 { view.calls = calls(.ringing, since: time, UInt64(step + 1)) }
            if kind == 5 { view.calls = calls(.established, since: time, UInt64(step + 1)) }
            samples.append(Sample(time: time, number: number, status: AgentStatus(of: view), view: view))
        }
        return samples
    }

    /// From the list alone: each stretch between two samples of a DN belongs to the former's status.
    private func work(_ samples: [Sample], of numbers: [Int], until end: UInt64) -> AgentWork {
        var counts = Array(repeating: 0 as UInt64, count: AgentStatus.allCases.count)
        var times = counts
        for number in numbers {
            let mine = samples.filter { $0.number == number }
            for (position, sample) in mine.enumerated() {
                let status = Int(sample.status.rawValue)
                let next = position + 1 < mine.count ? mine[position + 1].time : end
                times[status] += next - sample.time
                if position == 0 || mine[position - 1].status != sample.status { counts[status] += 1 }
            }
        }
        return AgentWork(counts: counts, milliseconds: times)!
    }

    @Test(arguments: 1...40 as ClosedRange<UInt64>)
    func `agents' and groups' figures are those of the events`(seed: UInt64) throws {
        let agents = 7
        let samples = history(seed, agents: agents, steps: 300)
        var board = board()
        for sample in samples { board.told(dn(sample.number), sample.view, now: at(sample.time)) }
        let end = samples.last!.time + 12_345
        for number in 0..<agents {
            let (known, times) = try #require(board.times(of: dn(number), now: at(end)))
            let expected = work(samples, of: [number], until: end)
            #expect(times.work == expected, "seed \(seed)")
            #expect(known == expected.milliseconds.reduce(0, +), "seed \(seed)")
        }
        let members: [(AgentGrouping, String, (Int) -> Bool)] = [
            (.all, "", { _ in true }), (.location, "dc1", { $0 % 2 == 0 }), (.location, "dc2", { $0 % 2 == 1 }),
            (.skill, "", { $0 % 3 == 0 }), (.skill, "english", { $0 % 3 > 0 }), (.skill, "german", { $0 % 3 == 2 }),
        ]
        for (grouping, name, isMember) in members {
            let group = try #require(board.groups(by: grouping, now: at(end)).first { $0.name == name })
            let numbers = (0..<agents).filter(isMember)
            #expect(group.work == work(samples, of: numbers, until: end), "seed \(seed), \(grouping) \(name)")
            let last = numbers.map { number in samples.last { $0.number == number }!.status }
            #expect(group.count == UInt64(numbers.count))
            for status in AgentStatus.allCases {
                #expect(group.present[Int(status.rawValue)] == UInt64(last.filter { $0 == status }.count))
            }
        }
    }

    @Test func `what follows from times is as people count it`() {
        var milliseconds = Array(repeating: 0 as UInt64, count: 9)
        var counts = milliseconds
        for (status, count, time) in [
            (.notReady, 2, 5_000), (.ready, 9, 60_000), (.reserved, 4, 10_000), (.ringing, 4, 8_000),
            (.busy, 4, 100_000), (.afterCallWork, 3, 22_000), (.unknown, 1, 1_000), (.loggedOut, 1, 7_000),
        ] as [(AgentStatus, UInt64, UInt64)] {
            counts[Int(status.rawValue)] = count
            milliseconds[Int(status.rawValue)] = time
        }
        let work = AgentWork(counts: counts, milliseconds: milliseconds)
        #expect(work?.occupancy == 0.65 && work?.calls == 4)
        #expect(work?.averageTalk == 25_000 && work?.averageHandle == 30_500 && work?.averageAfterCallWork == 7_333)
        #expect(work?.loggedIn == 205_000 && work?.notReady == 5_000)
        #expect(AgentWork().occupancy == nil && AgentWork().averageTalk == nil)
        #expect(AgentWork(counts: [1], milliseconds: [1]) == nil)
    }
}
