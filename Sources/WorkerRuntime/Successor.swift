import ClusterModel
package import LinuxSystem
import Logging
package import Orchestration
import Transport

/// What a role does to take the place of another process. When to do it, `Successor` decides.
package protocol HandoverTarget: AnyObject {
    /// What it is made of.
    func begin(_ offer: HandoverOffer) throws(RoleFailure)

    /// A state has come whole.
    func take(_ state: [UInt8], _ kind: HandoverPiece.Kind) throws(RoleFailure)

    /// Everything has come. Whatever could fail is done now; nothing is read yet.
    func assemble(_ descriptors: [OwnedDescriptor]) throws(RoleFailure)

    /// The other process has closed it.
    func openStore() throws(RoleFailure)

    /// Reading begins.
    func serve() -> Takeover

    var descriptorLimit: Int { get }

    /// Once it serves.
    var role: any WorkerRole { get }

    /// Where the process before was found by controllers, if it has given that.
    func takeAdoptionListener() -> OwnedDescriptor?
}

/// This process takes the place of another: drives `SuccessorMachine`. It has nothing else to do meanwhile, so it waits.
struct Successor {
    /// How long the other process may be silent: it serves on meanwhile.
    private static let patience = Duration.seconds(20)
    private static let sendingTime = Duration.seconds(5)

    private let target: any HandoverTarget
    private let channel: HandoverChannel
    private var machine: SuccessorMachine
    /// Pieces of a state that has not come whole.
    private var state: [UInt8] = []
    private var result: Takeover?

    /// - Parameter path: where the other process listens.
    init(_ target: any HandoverTarget, _ setup: WorkerSetup, at path: String) throws(RoleFailure) {
        self.target = target
        machine = SuccessorMachine(setup)
        do {
            channel = HandoverChannel(try UnixSocket.connect(path: path))
            try channel.ask(.succeed(setup.incarnation), within: Self.sendingTime)
        } catch {
            throw RoleFailure("cannot reach the process that serves: \(error)")
        }
    }

    /// - Returns: when this process serves; otherwise nothing has changed for anybody.
    mutating func run() throws(RoleFailure) -> Takeover {
        while true {
            if let result { return result }
            var actions: [SuccessorMachine.Action]
            do throws(HandoverFailure) {
                guard let message = try channel.receive(within: Self.patience) else { continue }
                actions = machine.heard(message)
            } catch {
                actions = machine.failed(error.sentence)
            }
            for action in actions { try carryOut(action) }
        }
    }

    private mutating func carryOut(_ action: SuccessorMachine.Action) throws(RoleFailure) {
        do throws(RoleFailure) {
            switch action {
            case .begin(let offer):
                try target.begin(offer)
            case .take(let piece):
                try take(piece)
            case .assemble:
                try target.assemble(channel.descriptors)
                for action in machine.assembled() { try carryOut(action) }
            case .say(let message):
                try say(message)
            case .openStore:
                try target.openStore()
            case .serve:
                result = target.serve()
            case .giveUp(let sentence):
                throw RoleFailure("there was no handover: \(sentence)")
            }
        } catch {
            // The other process hears why, and serves on.
            if case .serving = machine.state { throw error }
            for action in machine.failed(error.sentence) {
                if case .say(let message) = action { try? channel.send(message, within: Self.sendingTime) }
            }
            throw error
        }
    }

    private mutating func take(_ piece: HandoverPiece) throws(RoleFailure) {
        guard state.count + piece.bytes.count <= HandoverPiece.maximumState else {
            throw RoleFailure("the process that serves has more to tell than anybody has")
        }
        state += piece.bytes
        guard !piece.continues else { return }
        var whole: [UInt8] = []
        swap(&whole, &state)
        try target.take(whole, piece.kind)
    }

    private func say(_ message: HandoverMessage) throws(RoleFailure) {
        do throws(HandoverFailure) {
            try channel.send(message, within: Self.sendingTime)
        } catch {
            // Who has heard `commit` serves, whether or not the other process lives to hear of it.
            if machine.state != .serving {
                throw RoleFailure("the process that serves hears nothing: \(error.sentence)")
            }
        }
    }
}
