import ClusterModel
import DNOwnership
import NodeCore
import Orchestration
import TLibraryPorts

/// What goes wrong with a handover, and at which step.
package struct HandoverMishap: Equatable, Sendable {
    package enum Kind: String, Equatable, Sendable, CaseIterable {
        /// The process that serves dies, or the one that is to take its place, or that is stopped for a while, or says that it cannot.
        case predecessorDies, successorDies, successorStalls, successorRefuses
    }

    package enum Step: Int, Equatable, Sendable, CaseIterable {
        /// While the table is told, when it is, when nobody reads, when all is told, and when the one has left it to the other.
        case telling, told, frozen, restTold, committed
    }

    package var kind: Kind
    package var step: Step

    static func draw(_ random: inout SeededRandom) -> HandoverMishap {
        HandoverMishap(kind: random.one(of: Kind.allCases), step: random.one(of: Step.allCases))
    }
}

/// A node's handover under way.
struct SimulatedHandover {
    var sender: HandoverSender
    var receiver: HandoverReceiver?
    var predecessor: PredecessorMachine
    var successor: SuccessorMachine
    let incarnation: UInt64
    /// What has not happened yet.
    var mishap: HandoverMishap?
    /// What the successor has not heard.
    var words: [HandoverMessage] = []
    /// From when nobody reads.
    var frozenAt: UInt64?
    var last: [UInt8] = []
    /// The successor is stopped until then.
    var stalledUntil: UInt64 = 0
    var isSuccessorDead = false
    /// A turn has ended since nobody reads.
    var hasSettled = false
}

// Processes take each other's places while everything goes on; the shells' part of that, as the real ones do it.
extension ClusterSimulation {
    /// What a step takes.
    private static let stepTime: UInt64 = 300 * .microsecond
    /// How long a process that reads nothing waits for the other: nobody has lost it by then.
    private var patience: UInt64 { min(.second, shortestTimeout / 2) }
    /// Bytes of a part: a table is told in several.
    private static let partSize = 200

    func isFrozen(_ node: NodeIndex) -> Bool {
        if let change = nodes[node.position].change { return change.phase != .telling }
        return nodes[node.position].handover.map { !$0.predecessor.serves } ?? false
    }

    mutating func beginHandover(_ node: NodeIndex, _ mishap: HandoverMishap?) {
        guard nodes[node.position].isUp, nodes[node.position].handover == nil, nodes[node.position].change == nil,
            nodes[node.position].pausedUntil <= now
        else { return }
        nodes[node.position].incarnation += 1
        let incarnation = nodes[node.position].incarnation
        let setup = WorkerSetup(
            node: name(node), incarnation: Incarnation(rawValue: incarnation),
            generation: nodes[node.position].generation,
            topology: version(of: node).topology)
        let faults = injection?.faults ?? .none
        let core = cores[node.position]
        var handover = SimulatedHandover(
            sender: HandoverSender(core, partSize: Self.partSize), receiver: nil,
            predecessor: PredecessorMachine(faults: faults), successor: SuccessorMachine(setup),
            incarnation: incarnation, mishap: mishap)
        handover.words = [
            .offer(
                HandoverOffer(
                    node: name(node), topology: setup.topologyDigest, lineage: core.ownership.identity.lineage,
                    incarnation: core.ownership.identity.incarnation, secret: core.secret, seed: core.seed,
                    version: ""))
        ]
        nodes[node.position].handover = handover
        say("\(name(node)) hands over to a process of incarnation \(incarnation)")
        schedule(.handoverGoesOn(node, incarnation: incarnation), after: Self.stepTime)
    }

    /// The process is gone, and what it was doing with it. What nobody has read is in the sockets.
    mutating func forgetHandover(_ node: NodeIndex) {
        guard let handover = nodes[node.position].handover else { return }
        if handover.frozenAt != nil { nodes[node.position].pausedUntil = now }
        nodes[node.position].handover = nil
        readOn(node)
    }

    mutating func goOnWithHandover(_ node: NodeIndex, _ incarnation: UInt64) {
        guard nodes[node.position].isUp, nodes[node.position].handover?.incarnation == incarnation else { return }
        if meetsMishap(node) { return }
        guard let handover = nodes[node.position].handover else { return }
        if nodes[node.position].pausedUntil > now, handover.frozenAt == nil {
            // The process that serves does not run.
            return goOn(node, after: nodes[node.position].pausedUntil - now)
        }
        if let word = handover.words.first {
            guard handover.stalledUntil <= now else {
                // Who waits for a silent process gives up, but not when it may have begun.
                if let frozenAt = handover.frozenAt, now > frozenAt + patience { fail(node, "it is silent") }
                return goOn(node, after: min(handover.stalledUntil - now, 100 * .millisecond))
            }
            nodes[node.position].handover!.words.removeFirst()
            let actions = nodes[node.position].handover!.successor.heard(word)
            carryOut(actions, node)
        } else {
            tell(node)
        }
        goOn(node, after: Self.stepTime)
    }

    private mutating func goOn(_ node: NodeIndex, after time: UInt64) {
        guard let handover = nodes[node.position].handover else { return }
        schedule(.handoverGoesOn(node, incarnation: handover.incarnation), after: time)
    }

    // MARK: The one that serves

    private mutating func tell(_ node: NodeIndex) {
        guard let handover = nodes[node.position].handover else { return }
        switch handover.predecessor.state {
        case .telling:
            let part = nodes[node.position].handover!.sender.nextPart(of: &cores[node.position], now: instant(node))
            if let part {
                nodes[node.position].handover!.words.append(.piece(HandoverPiece(.state, part)))
            } else {
                carryOut(nodes[node.position].handover!.predecessor.tableTold(), node)
            }
        case .frozen: tellRest(node)
        case .told, .committed, .over, .servesOn: break
        }
    }

    /// As soon as nobody waits for the disk any more.
    private mutating func tellRest(_ node: NodeIndex) {
        guard nodes[node.position].handover?.last.isEmpty == true else { return }
        guard nodes[node.position].handover!.hasSettled, !cores[node.position].isWriting else {
            nodes[node.position].handover!.hasSettled = true
            // What there is to be said is said before.
            touch(node)
            if now > nodes[node.position].handover!.frozenAt! + patience { fail(node, "the disk takes too long") }
            return
        }
        sayControlMessages(node)
        let last = nodes[node.position].handover!.sender.lastPart(of: &cores[node.position], now: instant(node))
        nodes[node.position].handover!.last = last
        nodes[node.position].handover!.words += [
            .piece(HandoverPiece(.last, last)), .piece(HandoverPiece(.sockets, [])),
        ]
    }

    /// As in the shell: what goes before anything else has to be in the connections.
    mutating func sayControlMessages(_ node: NodeIndex) {
        for id in network.open[node.position] {
            guard let connection = network.connections[id] else { continue }
            let side = connection.side(of: node)
            let peer = connection.peer(of: side)
            guard peer != .none, link(of: node, to: peer).connection?.rawValue == UInt64(id) else {
                continue
            }
            while let words = place(of: peer, at: node).flatMap({ cores[node.position].nextControlMessage(for: $0) }) {
                let message = said(words, by: node)
                tell(message, "\(name(node)) → \(name(peer)) on \(id): ")
                invariantStreamsAreOrderly(node, peer, id, message)
                send(.link(message), on: id, fromSide: side)
            }
        }
    }

    private mutating func carryOut(_ actions: [PredecessorMachine.Action], _ node: NodeIndex) {
        for action in actions {
            guard nodes[node.position].handover != nil else { return }
            switch action {
            case .freeze:
                nodes[node.position].handover!.frozenAt = now
                // With the mistake that both read, only one is told to stop.
                if isFrozen(node) { nodes[node.position].pausedUntil = .max }
                say("\(name(node)) reads nothing any more")
            case .tellRest: break
            case .say(let word): nodes[node.position].handover!.words.append(word)
            case .closeStore: if plan.disk != nil { disks[node.position].close() }
            case .openStore: break
            case .serveOn(let sentence):
                say("\(name(node)) goes on: \(sentence)")
                count(.handoverFailed)
                invariantNobodyWillRead(node)
                forgetHandover(node)
                touch(node)
            case .leave: break
            }
        }
    }

    private mutating func hear(_ word: HandoverMessage, _ node: NodeIndex) {
        guard nodes[node.position].handover != nil else { return }
        carryOut(nodes[node.position].handover!.predecessor.heard(word), node)
    }

    private mutating func fail(_ node: NodeIndex, _ sentence: String) {
        guard nodes[node.position].handover != nil else { return }
        let actions = nodes[node.position].handover!.predecessor.failed(sentence)
        carryOut(actions, node)
    }

    // MARK: The one that takes its place

    private mutating func carryOut(_ actions: [SuccessorMachine.Action], _ node: NodeIndex) {
        for action in actions {
            guard nodes[node.position].handover != nil else { return }
            switch action {
            case .begin(let offer):
                var setup = setup(
                    of: node, incarnation: nodes[node.position].handover!.incarnation,
                    lineage: offer.lineage.rawValue)
                if plan.disk != nil { setup.stored = StoredState() }
                nodes[node.position].handover!.receiver = HandoverReceiver(setup, now: instant(node))
            case .take(let piece): take(piece, node)
            case .assemble:
                let actions = nodes[node.position].handover!.successor.assembled()
                carryOut(actions, node)
            case .say(let word):
                // The other one knows at once that the successor serves, or not at all.
                if word == .committed { invariantOneReads(node) }
                hear(word, node)
            case .openStore: break
            case .serve: serve(node)
            case .giveUp: break
            }
        }
    }

    private mutating func take(_ piece: HandoverPiece, _ node: NodeIndex) {
        let now = instant(node)
        let problem: String? =
            switch piece.kind {
            case .state: nodes[node.position].handover!.receiver?.take(piece.bytes, now: now)
            case .last: nodes[node.position].handover!.receiver?.takeLast(piece.bytes, now: now)
            case .sockets: nil
            }
        guard let problem else { return }
        fail("invariantHandoverIsUnderstood", "what \(name(node)) hands over cannot be read: \(problem)")
    }

    private mutating func serve(_ node: NodeIndex) {
        guard let handover = nodes[node.position].handover, let receiver = handover.receiver else { return }
        var core = receiver.node()
        nodes[node.position].handover = nil
        say("\(name(node)) is a process of incarnation \(handover.incarnation) now")
        count(.handedOver)
        invariantAllWentOver(node, &core)
        guard failure == nil else { return }
        nodes[node.position].dialing = []
        nodes[node.position].pausedUntil = now
        cores[node.position] = core
        cores[node.position].keepOnly(
            connections: Set(network.open[node.position].map { ConnectionID(rawValue: UInt64($0)) }),
            clients: Set(nodes[node.position].clients.compactMap(\.id)), flows: [],
            now: instant(node))
        readOn(node)
        touch(node)
    }

    // MARK: What goes wrong

    /// - Returns: whether the step does not happen.
    private mutating func meetsMishap(_ node: NodeIndex) -> Bool {
        guard let handover = nodes[node.position].handover, let mishap = handover.mishap,
            handover.step == mishap.step
        else { return false }
        nodes[node.position].handover!.mishap = nil
        say("\(name(node)): \(mishap.kind.rawValue) at step \(mishap.step)")
        switch mishap.kind {
        case .predecessorDies:
            // Who has been left the place has it.
            if handover.predecessor.state == .committed { return false }
            count(.handoverFailed)
            crash(node, downFor: 20 * .millisecond)
            return true
        case .successorDies:
            nodes[node.position].handover!.isSuccessorDead = true
            carryOut(nodes[node.position].handover!.predecessor.successorDied(), node)
            return true
        case .successorStalls:
            nodes[node.position].handover!.stalledUntil = now + 3 * .second
            return false
        case .successorRefuses:
            let actions = nodes[node.position].handover!.successor.failed("it cannot")
            // One that has heard `commit` cannot refuse any more. One that has refused ends.
            guard !actions.isEmpty else { return false }
            carryOut(actions, node)
            guard nodes[node.position].handover != nil else { return true }
            nodes[node.position].handover!.isSuccessorDead = true
            carryOut(nodes[node.position].handover!.predecessor.successorDied(), node)
            return true
        }
    }

    // MARK: Rules

    /// At every moment one process reads the sockets of a node.
    private mutating func invariantOneReads(_ node: NodeIndex) {
        guard let handover = nodes[node.position].handover else { return }
        let predecessor = handover.predecessor
        guard predecessor.serves || predecessor.state == .servesOn else { return }
        fail(
            "invariantOneReads",
            "two processes of \(name(node)) serve: one has begun, and the other is \(predecessor.state)")
    }

    /// A process that was left the place, and lives, takes it sooner or later.
    private mutating func invariantNobodyWillRead(_ node: NodeIndex) {
        guard let handover = nodes[node.position].handover, !handover.isSuccessorDead,
            handover.words.contains(.commit)
        else { return }
        fail("invariantOneReads", "\(name(node)) serves on, and has left its place to a process that lives")
    }

    /// What the new process has is what the old one had, to the last bit; so no view blinks, and no position is lost.
    private mutating func invariantAllWentOver(_ node: NodeIndex, _ core: inout NodeCore) {
        var (before, after) = (StateTransfer(), StateTransfer())
        cores[node.position].transferAll(&before, now: instant(node))
        core.transferAll(&after, now: instant(node))
        if keepsHandovers {
            var setup = setup(
                of: node, incarnation: nodes[node.position].incarnation + 1, lineage: nodes[node.position].life)
            if plan.disk != nil { setup.stored = StoredState() }
            handedOver.append((before.bytes, setup))
        }
        guard before.bytes != after.bytes else { return }
        fail("invariantAllWentOver", "\(name(node)) has not handed over all that it had")
    }
}

extension SimulatedHandover {
    /// Nil before the first that can be met.
    fileprivate var step: HandoverMishap.Step {
        switch predecessor.state {
        case .telling: .telling
        case .told: .told
        case .frozen: last.isEmpty ? .frozen : .restTold
        case .committed, .over, .servesOn: .committed
        }
    }
}
