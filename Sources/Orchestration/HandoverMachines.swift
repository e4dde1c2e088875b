package import ClusterModel

// Who serves while a process hands its place over. At every moment exactly one of the two reads the sockets, whatever dies: the
// first until it has said `commit`, the second from its own `committed` on. Between these words nobody reads, and what comes
// waits in the sockets.

/// The process that serves, and hands its place over.
package struct PredecessorMachine: Equatable, Sendable {
    package enum State: Equatable, Sendable {
        /// Serves, and tells what it has. Becomes `told` or `servesOn`.
        case telling
        /// Serves, and waits until the successor has taken that. Becomes `frozen` or `servesOn`.
        case told
        /// Reads nothing. The rest is told, and the successor has not said that it could begin. Becomes `committed` or
        /// `servesOn`.
        case frozen
        /// The store is closed, and the successor may have begun: only its own word, or that it is dead, tells who serves.
        /// Becomes `over` or `servesOn`.
        case committed
        /// The successor serves.
        case over
        /// There was no handover.
        case servesOn
    }

    package enum Action: Equatable, Sendable {
        /// Nothing is read any more, and what is under way is written down.
        case freeze
        case tellRest
        case closeStore
        case say(HandoverMessage)
        case openStore
        /// Reading goes on. The sentence is for people.
        case serveOn(String)
        /// The process has nothing more to do.
        case leave
    }

    package private(set) var state = State.telling
    private let faults: Faults

    package init(faults: Faults = .none) {
        self.faults = faults
    }

    /// Nobody else reads.
    package var serves: Bool {
        switch state {
        case .telling, .told, .servesOn: true
        case .frozen, .committed: faults.contains(.twoReaders)
        case .over: false
        }
    }

    /// All that can be told while the node serves has been.
    package mutating func tableTold() -> [Action] {
        guard state == .telling else { return [] }
        state = .told
        return [.say(.told)]
    }

    package mutating func heard(_ message: HandoverMessage) -> [Action] {
        switch (state, message) {
        case (.told, .ready):
            state = .frozen
            return [.freeze, .tellRest]
        case (.frozen, .prepared):
            state = .committed
            return [.closeStore, .say(.commit)]
        case (.committed, .committed):
            state = .over
            return [.leave]
        case (_, .refused(let sentence)):
            return failed("the successor gave up: \(sentence)")
        case (.telling, _), (.told, _), (.frozen, _):
            return failed("the successor said what makes no sense then")
        case (.committed, _), (.over, _), (.servesOn, _):
            return []
        }
    }

    /// What has waited for the store cannot be written, the successor is silent, or its connection has ended.
    package mutating func failed(_ sentence: String) -> [Action] {
        switch state {
        case .telling, .told, .frozen:
            state = .servesOn
            return [.serveOn(sentence)]
        case .committed:
            guard faults.contains(.commitLost) else { return [] }
            return successorDied()
        case .over, .servesOn:
            return []
        }
    }

    /// The kernel says so.
    package mutating func successorDied() -> [Action] {
        switch state {
        case .telling, .told, .frozen:
            return failed("the successor has died")
        case .committed:
            state = .servesOn
            return [.openStore, .serveOn("the successor died before it had begun")]
        case .over, .servesOn:
            return []
        }
    }
}

/// The process that takes the place of another.
package struct SuccessorMachine: Equatable, Sendable {
    package enum State: Equatable, Sendable {
        /// Waits to hear who serves. Becomes `taking` or `gaveUp`.
        case asking
        /// Takes what it is told. Becomes `ready` or `gaveUp`.
        case taking
        /// Has what could be told before. Becomes `prepared` or `gaveUp`.
        case ready
        /// Has everything, and could begin. Becomes `serving` or `gaveUp`.
        case prepared
        case serving
        case gaveUp
    }

    package enum Action: Equatable, Sendable {
        /// A node is made of what the offer says.
        case begin(HandoverOffer)
        case take(HandoverPiece)
        /// The last piece has been taken: the node and its sockets are put together, and `assembled` or `failed` follows.
        case assemble
        case say(HandoverMessage)
        case openStore
        /// Reading begins.
        case serve
        /// The process ends. The sentence is for people.
        case giveUp(String)
    }

    package private(set) var state = State.asking
    private let setup: WorkerSetup

    package init(_ setup: WorkerSetup) {
        self.setup = setup
    }

    package mutating func heard(_ message: HandoverMessage) -> [Action] {
        switch (state, message) {
        case (.asking, .offer(let offer)):
            if let refusal = offer.refusal(by: setup) { return failed(refusal) }
            state = .taking
            return [.begin(offer)]
        case (.taking, .piece(let piece)) where piece.kind == .state:
            return [.take(piece)]
        case (.taking, .told):
            state = .ready
            return [.say(.ready)]
        case (.ready, .piece(let piece)) where piece.kind == .last:
            return [.take(piece)]
        case (.ready, .piece(let piece)) where piece.kind == .sockets:
            // They come last.
            return piece.continues ? [.take(piece)] : [.take(piece), .assemble]
        case (.ready, .descriptors):
            return []
        case (.prepared, .commit):
            state = .serving
            return [.openStore, .say(.committed), .serve]
        case (.asking, .refused(let sentence)), (.taking, .refused(let sentence)), (.ready, .refused(let sentence)),
            (.prepared, .refused(let sentence)):
            state = .gaveUp
            return [.giveUp("the process that serves goes on: \(sentence)")]
        case (.asking, _), (.taking, _), (.ready, _), (.prepared, _):
            return failed("what the process that serves says makes no sense now")
        case (.serving, _), (.gaveUp, _):
            return []
        }
    }

    /// Node and sockets are there.
    package mutating func assembled() -> [Action] {
        guard state == .ready else { return [] }
        state = .prepared
        return [.say(.prepared)]
    }

    /// Something cannot be taken, or the other process is silent or gone.
    package mutating func failed(_ sentence: String) -> [Action] {
        switch state {
        case .asking, .taking, .ready, .prepared:
            state = .gaveUp
            return [.say(.refused(sentence)), .giveUp(sentence)]
        case .serving, .gaveUp:
            return []
        }
    }
}
