import LinuxSystem
import Logging
import Orchestration
package import Transport
import Wire

// A controller may end while its workers serve. They go on, and the next controller finds each at a socket of its own.
extension Worker {
    /// How many connections may be open there, and how long one may take to say what it wants.
    private static let callerLimit = 8
    private static let callerPatience = Duration.seconds(5)

    /// - Parameter inherited: where the process before this one was found.
    func listenForControllers(adopting inherited: OwnedDescriptor? = nil) {
        guard let path = setup?.adoptionSocket, !path.isEmpty else {
            setup?.endsWithController = true
            return
        }
        do throws(SystemError) {
            var limits = StreamListener.Limits()
            limits.connections = Self.callerLimit
            let descriptor: OwnedDescriptor
            if let inherited {
                try inherited.listenAsOwn()
                descriptor = inherited
            } else {
                descriptor = try UnixSocket.listen(path: path)
            }
            adoptionListener = try StreamListener(descriptor, on: loop, limits: limits, delegate: self)
        } catch {
            // A worker that nobody could find again must not be left behind.
            logger.warning("this worker will end with its controller", metadata: ["problem": "\(error)"])
            setup?.endsWithController = true
        }
    }

    func stopListeningForControllers() {
        guard let listener = adoptionListener else { return }
        adoptionListener = nil
        listener.close()
        if let path = setup?.adoptionSocket { _ = try? Files.remove(path) }
        for caller in callers.values { caller.close(afterFlushing: false) }
    }

    func controllerGone(_ reason: CloseReason) {
        guard role != nil, setup?.endsWithController == false else {
            logger.notice("the controller is gone, stopping", metadata: ["reason": "\(reason)"])
            return stop(exitCode: 0)
        }
        logger.warning(
            "the controller is gone; serving on until another one comes", metadata: ["reason": "\(reason)"])
    }

    /// What somebody wants who came to the adoption socket.
    func heard(_ order: WorkerOrder, from caller: FramedConnection) {
        guard callers[ObjectIdentifier(caller)] != nil else { return }
        switch order {
        case .adopt(let endsWithController):
            callers[ObjectIdentifier(caller)] = nil
            let former = control
            control = caller
            // There is one controller; the later one has proved that it holds the control socket.
            former?.close(afterFlushing: false)
            setup?.endsWithController = endsWithController
            forgetLaterTopology()
            logger.info("another controller has taken over")
        case .stop:
            stop(exitCode: 0)
        case .lendSockets:
            lendSockets(to: caller)
        case .succeed(let incarnation):
            guard incarnation == expectedSuccessor, predecessor == nil else {
                return refuse(caller, "this worker was not told to hand over to that process")
            }
            callers[ObjectIdentifier(caller)] = nil
            handOver(to: caller)
        case .configure, .provision, .provisionAgents, .credentials, .clientSecrets, .agentAccounts, .sessionKeys,
            .certificates, .start, .takeOver,
            .applyTopology, .handOver, .drain, .standDown, .report,
            .showDN, .showHistory, .listDNs, .listCalls, .listAgents, .explainRoute, .countUp, .reportReach:
            refuse(caller, "a worker that serves must be adopted before it is given other orders")
        }
    }

    /// A controller that has found this worker keeps open what it serves at, for its next life.
    private func lendSockets(to caller: FramedConnection) {
        let served = (role?.servedSockets ?? []).prefix(WorkerNews.maximumSockets)
        var frame: [UInt8] = []
        WorkerNewsCodec.encode(.lentSockets(served.map(\.name)), to: &frame)
        // The introduction has left: only then can whoever came know what to ask for.
        let sent = try? caller.descriptor.send(frame, passing: served.map(\.descriptor))
        guard caller.outputBytes == 0, sent == frame.count else { return refuse(caller, "it takes nothing") }
        caller.close()
    }

    func refuse(_ connection: FramedConnection, _ sentence: String) {
        logger.warning("bad order", metadata: ["problem": "\(sentence)"])
        connection.withOutput { CommonCodec.encode(problem: sentence, to: &$0) }
        connection.close()
    }
}

extension Worker: StreamListenerDelegate {
    package func streamAccepted(_ stream: AcceptedStream, by listener: StreamListener) {
        guard let setup, let peer = stream.peerCredentials, [0, ProcessInformation.user].contains(peer.user) else {
            logger.warning("caller refused", metadata: ["peer": "\(stream.peerName)"])
            return stream.descriptor.close()
        }
        var limits = FramedConnection.Limits()
        limits.payload = 64 * 1024
        guard let caller = try? FramedConnection(stream.descriptor, on: loop, limits: limits, delegate: self) else {
            return
        }
        let key = ObjectIdentifier(caller)
        callers[key] = caller
        let introduction = WorkerIntroduction(
            node: setup.node, incarnation: setup.incarnation, topology: setup.topologyDigest,
            generation: generation, version: TandemVersion.current
        )
        caller.withOutput { WorkerNewsCodec.encode(.introduction(introduction), to: &$0) }
        loop.schedule(after: Self.callerPatience) { [unowned self] in
            if callers[key] === caller { caller.close(afterFlushing: false) }
        }
    }
}
