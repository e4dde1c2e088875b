import ClusterModel
import Orchestration
import Testing

private let topology = TopologyDigest(value: 7)

private func setup(_ incarnation: UInt64 = 2) -> WorkerSetup {
    var setup = WorkerSetup(
        node: "dc1/sip1", incarnation: Incarnation(rawValue: incarnation), generation: 1, cluster: "test", domain: "a",
        agentTypes: [], dataCenters: [], nodes: [], timing: Timing(), homes: [])
    setup.topologyDigest = topology
    return setup
}

private func offer(_ incarnation: UInt64 = 1) -> HandoverOffer {
    HandoverOffer(
        node: "dc1/sip1", topology: topology, lineage: Incarnation(rawValue: 1),
        incarnation: Incarnation(rawValue: incarnation), secret: 3, seed: 4, version: "1.0")
}

private let part = HandoverPiece(.state, [1])
private let last = HandoverPiece(.last, [2])
private let sockets = HandoverPiece(.sockets, [3])

/// Every word that there is.
private let everyWord: [HandoverMessage] = [
    .offer(offer()), .piece(part), .piece(last), .piece(sockets), .told, .descriptors, .commit, .ready, .prepared,
    .committed, .refused("no"),
]

@Suite struct PredecessorMachineTests {
    private func machine(_ state: PredecessorMachine.State) -> PredecessorMachine {
        var machine = PredecessorMachine()
        if state == .telling { return machine }
        _ = machine.tableTold()
        if state == .told { return machine }
        _ = machine.heard(.ready)
        if state == .frozen { return machine }
        if state == .servesOn {
            _ = machine.failed("it is silent")
            return machine
        }
        _ = machine.heard(.prepared)
        if state == .over { _ = machine.heard(.committed) }
        return machine
    }

    @Test func `the ordinary way: told, frozen, committed, over`() {
        var machine = PredecessorMachine()
        #expect(machine.state == .telling && machine.serves)
        #expect(machine.tableTold() == [.say(.told)])
        #expect(machine.state == .told && machine.serves)
        #expect(machine.tableTold() == [])
        #expect(machine.heard(.ready) == [.freeze, .tellRest])
        #expect(machine.state == .frozen && !machine.serves)
        #expect(machine.heard(.prepared) == [.closeStore, .say(.commit)])
        #expect(machine.state == .committed && !machine.serves)
        #expect(machine.heard(.committed) == [.leave])
        #expect(machine.state == .over && !machine.serves)
    }

    @Test(arguments: [PredecessorMachine.State.telling, .told, .frozen])
    func `until it has said commit, whatever goes wrong lets it serve on`(_ state: PredecessorMachine.State) {
        var machine = machine(state)
        #expect(machine.state == state)
        #expect(machine.failed("the store takes too long") == [.serveOn("the store takes too long")])
        #expect(machine.state == .servesOn && machine.serves)
        machine = self.machine(state)
        #expect(machine.successorDied() == [.serveOn("the successor has died")])
        #expect(machine.state == .servesOn && machine.serves)
        machine = self.machine(state)
        #expect(machine.heard(.refused("another topology")) == [.serveOn("the successor gave up: another topology")])
        #expect(machine.state == .servesOn)
        let sense: HandoverMessage? = state == .told ? .ready : state == .frozen ? .prepared : nil
        for word in everyWord.dropLast() where word != sense {
            machine = self.machine(state)
            #expect(machine.heard(word) == [.serveOn("the successor said what makes no sense then")], "\(word)")
            #expect(machine.state == .servesOn, "\(word)")
        }
    }

    @Test func `nothing but its successor's death brings one back that has said commit`() {
        var machine = machine(.committed)
        for word in everyWord where word != .committed { #expect(machine.heard(word) == [], "\(word)") }
        #expect(machine.failed("the successor is silent") == [])
        #expect(machine.tableTold() == [])
        #expect(machine.state == .committed && !machine.serves)
        #expect(machine.successorDied() == [.openStore, .serveOn("the successor died before it had begun")])
        #expect(machine.state == .servesOn && machine.serves)
    }

    @Test(arguments: [PredecessorMachine.State.over, .servesOn])
    func `the end is the end`(_ state: PredecessorMachine.State) {
        var machine = machine(state)
        for word in everyWord { #expect(machine.heard(word) == [], "\(word)") }
        #expect(machine.failed("late") == [] && machine.successorDied() == [] && machine.tableTold() == [])
        #expect(machine.state == state && machine.serves == (state == .servesOn))
    }
}

@Suite struct SuccessorMachineTests {
    private func machine(_ state: SuccessorMachine.State) -> SuccessorMachine {
        var machine = SuccessorMachine(setup())
        let steps: [(SuccessorMachine.State, HandoverMessage)] = [
            (.asking, .offer(offer())), (.taking, .told), (.ready, .piece(sockets)), (.prepared, .commit),
        ]
        for (reached, word) in steps {
            if reached == state { return machine }
            _ = machine.heard(word)
            if reached == .ready { _ = machine.assembled() }
        }
        return machine
    }

    @Test func `the ordinary way: taking, ready, prepared, serving`() {
        var machine = SuccessorMachine(setup())
        #expect(machine.state == .asking)
        #expect(machine.heard(.offer(offer())) == [.begin(offer())])
        #expect(machine.state == .taking)
        #expect(machine.heard(.piece(part)) == [.take(part)])
        #expect(machine.heard(.piece(part)) == [.take(part)])
        #expect(machine.assembled() == [])
        #expect(machine.heard(.told) == [.say(.ready)])
        #expect(machine.state == .ready)
        #expect(machine.heard(.piece(last)) == [.take(last)])
        #expect(machine.heard(.descriptors) == [])
        let half = HandoverPiece(.sockets, [4], continues: true)
        #expect(machine.heard(.piece(half)) == [.take(half)])
        #expect(machine.heard(.piece(sockets)) == [.take(sockets), .assemble])
        #expect(machine.state == .ready)
        #expect(machine.assembled() == [.say(.prepared)])
        #expect(machine.state == .prepared)
        #expect(machine.heard(.commit) == [.openStore, .say(.committed), .serve])
        #expect(machine.state == .serving)
    }

    @Test(arguments: [SuccessorMachine.State.asking, .taking, .ready, .prepared])
    func `until it has heard commit it gives up, and says why, unless it was told`(_ state: SuccessorMachine.State) {
        var machine = machine(state)
        #expect(machine.state == state)
        #expect(machine.failed("no room") == [.say(.refused("no room")), .giveUp("no room")])
        #expect(machine.state == .gaveUp)
        machine = self.machine(state)
        #expect(machine.heard(.refused("not now")) == [.giveUp("the process that serves goes on: not now")])
        #expect(machine.state == .gaveUp)
        let sense: [SuccessorMachine.State: [HandoverMessage]] = [
            .asking: [.offer(offer())], .taking: [.piece(part), .told],
            .ready: [.piece(last), .piece(sockets), .descriptors], .prepared: [.commit],
        ]
        let problem = "what the process that serves says makes no sense now"
        for word in everyWord.dropLast() where !(sense[state] ?? []).contains(word) {
            machine = self.machine(state)
            #expect(machine.heard(word) == [.say(.refused(problem)), .giveUp(problem)], "\(word)")
            #expect(machine.state == .gaveUp, "\(word)")
        }
    }

    @Test func `one that has heard commit never gives up`() {
        var machine = machine(.serving)
        for word in everyWord { #expect(machine.heard(word) == [], "\(word)") }
        #expect(machine.failed("the store is damaged") == [] && machine.assembled() == [])
        #expect(machine.state == .serving)
    }

    @Test func `one that has given up does nothing more, also not at commit`() {
        var machine = machine(.prepared)
        _ = machine.failed("silent")
        for word in everyWord { #expect(machine.heard(word) == [], "\(word)") }
        #expect(machine.failed("again") == [] && machine.assembled() == [])
        #expect(machine.state == .gaveUp)
    }

    @Test func `an offer is refused in words`() {
        #expect(offer().refusal(by: setup()) == nil)
        func refusal(_ change: (inout HandoverOffer) -> Void) -> String? {
            var changed = offer()
            change(&changed)
            var machine = SuccessorMachine(setup())
            guard let sentence = changed.refusal(by: setup()) else { return nil }
            #expect(machine.heard(.offer(changed)) == [.say(.refused(sentence)), .giveUp(sentence)])
            #expect(machine.state == .gaveUp)
            return sentence
        }
        #expect(
            refusal { $0.format = 2 }
                == "the process that serves hands over in format 2, and this build (\(TandemVersion.current)) takes 1")
        #expect(refusal { $0.node = "dc1/sip2" } == "it is dc1/sip2 that serves there")
        #expect(refusal { $0.topology = TopologyDigest() } == "the process that serves has another topology")
        for incarnation in [2, 3] as [UInt64] {
            #expect(
                refusal { $0.incarnation = Incarnation(rawValue: incarnation) }
                    == "the process that serves is of a later incarnation")
        }
        // Another program may well take it.
        #expect(refusal { $0.version = "99" } == nil)
        #expect(refusal { $0.lineage = Incarnation(rawValue: 99) } == nil)
    }

    @Test func `a state goes in pieces, one at least, and all but the last go on`() {
        let size = HandoverPiece.size
        for (count, sizes) in [
            (0, [0]), (1, [1]), (size, [size]), (size + 1, [size, 1]), (2 * size, [size, size]),
        ] {
            let state = (0..<count).map { UInt8(truncatingIfNeeded: $0) }
            let pieces = HandoverPiece.all(of: state, .last)
            #expect(pieces.map(\.bytes.count) == sizes)
            #expect(pieces.flatMap(\.bytes) == state)
            #expect(pieces.allSatisfy { $0.kind == .last })
            #expect(pieces.dropLast().allSatisfy(\.continues) && pieces.last?.continues == false)
        }
    }
}
