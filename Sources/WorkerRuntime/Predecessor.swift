import ClusterModel
package import LinuxSystem
import Logging
package import Orchestration
import Transport
import Wire

/// What a role does to hand everything that it has to another process. When to do it, `Predecessor` decides.
package protocol HandoverSource: AnyObject {
    /// What the successor has to be made of.
    func handoverOffer() -> HandoverOffer

    /// The next part of what can be told while the role serves; nil when there is no more.
    func nextHandoverPart() -> [UInt8]?

    /// How long nobody may read before this process does again: so short that nobody has lost it.
    var handoverPatience: Duration { get }

    /// Nothing is read any more. What is under way is written down and answered, which may take as long as a store takes.
    func freezeForHandover(within time: Duration) throws(HandoverFailure)

    /// What is left, in the words of the role; then its sockets, and their descriptors in the order in which they stand there.
    ///
    /// - Parameter adoption: where controllers find this process.
    func handoverRest(adoption: OwnedDescriptor?) -> (state: [UInt8], sockets: [UInt8], descriptors: [OwnedDescriptor])

    /// Another process will open the store.
    func closeStoreForHandover()

    /// It did not: this one does.
    func reopenStore()

    /// Nothing came of it: reading goes on.
    func endHandover()

    /// The other process serves: nothing is done to its connections any more.
    ///
    /// - Parameter ended: called once when nothing is left of what had to stay here: connections over TLS, whose keys cannot go.
    /// - Returns: how many there are.
    func letGo(ended: @escaping () -> Void) -> Int
}

/// This process hands its place over: drives `PredecessorMachine`.
///
/// While the role serves, its state is told piece by piece over the loop. From the moment at which it reads nothing more the loop
/// stands still: everything else is done in one go, by waiting, and takes milliseconds.
final class Predecessor {
    /// Bytes that may wait for the successor; more is told when they have gone.
    private static let window = 256 * 1024
    /// How long the successor may be silent after `commit`, before its death is looked for alone.
    private static let silence = Duration.seconds(1)

    let connection: FramedConnection
    private let source: any HandoverSource
    private let loop: EventLoop
    private let logger: Logger
    /// The successor, so that its death is certain.
    private let process: ChildProcess
    private var machine = PredecessorMachine()
    private var channel: HandoverChannel?
    /// When reading goes on if the successor is not ready by then, monotonic nanoseconds.
    private var deadline: UInt64 = 0
    /// What became of it: nil when the successor serves.
    private let ended: (String?) -> Void
    /// Connections that stay, although the successor serves.
    private(set) var relayed = 0
    /// Where controllers find this process.
    private let adoption: () -> OwnedDescriptor?

    /// - Parameter connection: the successor's.
    init(
        _ connection: FramedConnection, _ source: any HandoverSource, on loop: EventLoop, logger: Logger,
        adoption: @escaping () -> OwnedDescriptor?, ended: @escaping (String?) -> Void
    ) throws(SystemError) {
        self.connection = connection
        self.source = source
        self.loop = loop
        self.logger = logger
        self.ended = ended
        self.adoption = adoption
        let peer = try connection.descriptor.peerCredentials()
        process = try ChildProcess.adopt(peer.process)
        // The number could have been given away before; whoever had the connection then, has it still.
        guard !connection.descriptor.isHungUp else {
            throw SystemError(notOurs: "process \(peer.process), which is gone")
        }
    }

    func begin() {
        logger.info("handing over", metadata: ["to": "\(process.process)"])
        say(.offer(source.handoverOffer()))
        goOn()
    }

    private func say(_ message: HandoverMessage) {
        connection.withOutput { HandoverCodec.encode(message, to: &$0) }
    }

    /// A part a turn, so that whoever is served waits for no more than that.
    private func goOn() {
        guard machine.state == .telling else { return }
        guard connection.outputBytes < Self.window else {
            loop.schedule(after: .milliseconds(1)) { [self] in goOn() }
            return
        }
        guard let part = source.nextHandoverPart() else { return carryOut(machine.tableTold()) }
        for piece in HandoverPiece.all(of: part, .state) { say(.piece(piece)) }
        loop.soon { [self] in goOn() }
    }

    func heard(type: UInt16, _ payload: RawSpan) {
        do throws(WireError) {
            carryOut(machine.heard(try HandoverCodec.decode(type: type, payload)))
        } catch {
            carryOut(machine.failed(error.sentence))
        }
    }

    func connectionClosed(_ reason: CloseReason) { carryOut(machine.failed("the successor is gone: \(reason)")) }

    private func carryOut(_ actions: [PredecessorMachine.Action]) {
        for action in actions {
            do throws(HandoverFailure) {
                try carryOut(action)
            } catch {
                return carryOut(machine.failed(error.sentence))
            }
        }
        // The loop stands still until it is known who serves.
        while !machine.serves, machine.state != .over { wait() }
    }

    private func carryOut(_ action: PredecessorMachine.Action) throws(HandoverFailure) {
        switch action {
        case .freeze:
            channel = HandoverChannel(connection.descriptor)
            deadline = SystemClock.monotonicNanoseconds() + source.handoverPatience.nanoseconds
            try source.freezeForHandover(within: left)
        case .tellRest:
            try tellRest()
        case .closeStore:
            source.closeStoreForHandover()
        case .say(let message):
            guard let channel else { return say(message) }
            try channel.send(message, within: max(left, Self.silence))
        case .openStore:
            source.reopenStore()
        case .serveOn(let sentence):
            connection.close(afterFlushing: false)
            source.endHandover()
            ended(sentence)
        case .leave:
            connection.letGo()
            relayed = source.letGo { [ended] in ended(nil) }
            ended(nil)
        }
    }

    private var left: Duration {
        let now = SystemClock.monotonicNanoseconds()
        return .nanoseconds(Int64(clamping: deadline - min(deadline, now)))
    }

    private func tellRest() throws(HandoverFailure) {
        guard let channel else { return }
        let rest = source.handoverRest(adoption: adoption())
        for piece in HandoverPiece.all(of: rest.state, .last) { try channel.send(.piece(piece), within: left) }
        try channel.pass(rest.descriptors, within: left)
        for piece in HandoverPiece.all(of: rest.sockets, .sockets) {
            try channel.send(.piece(piece), within: left)
        }
    }

    /// Waits for the successor's next word, or its death.
    private func wait() {
        guard let channel else { return }
        do throws(HandoverFailure) {
            let time = machine.state == .committed ? Self.silence : left
            let message = try channel.receive(within: time, unless: process.descriptor)
            let actions = message.map { machine.heard($0) } ?? machine.successorDied()
            for action in actions { try carryOut(action) }
        } catch {
            let actions = machine.failed(error.sentence)
            for action in actions { _ = try? carryOut(action) }
            // After `commit` a silent successor may serve: only its death would tell, and whoever watches both ends one that
            // says nothing.
            if actions.isEmpty, (try? process.descriptor.wait(forReading: true, nanoseconds: 10_000_000)) == true {
                for action in machine.successorDied() { _ = try? carryOut(action) }
            }
        }
    }
}
