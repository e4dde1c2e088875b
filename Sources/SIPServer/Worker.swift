import ClusterModel
import DNOwnership
package import LinuxSystem
import Logging
import Orchestration
import ProcessRuntime
package import Transport
import Wire

/// A worker process of role `sip`: takes its orders from the controller over an inherited socket and runs one node.
package final class Worker {
    /// The descriptor that the controller leaves to a worker.
    package static let controlDescriptor: Int32 = 3

    private let loop: EventLoop
    private var logger: Logger
    private var control: FramedConnection?
    private var setup: WorkerSetup?
    private var blocks: [DNBlock] = []
    private var dialStrings: [DialString] = []
    private var shell: NodeShell?
    private var exitCode: Int32 = 0

    package init() throws(SystemError) {
        logger = StandardErrorLog.logger(label: "worker")
        loop = try EventLoop()
    }

    /// Runs until the controller orders the end, or is gone.
    ///
    /// - Returns: the exit code of the process.
    package func run() throws(SystemError) -> Int32 {
        SignalReader.ignoreBrokenPipes()
        _ = try? OwnProcess.raiseDescriptorLimit(to: 65_536)
        let descriptor = try OwnedDescriptor.inherited(Self.controlDescriptor)
        control = try FramedConnection(descriptor, on: loop, delegate: self)
        try loop.run()
        return exitCode
    }

    private func tell(_ news: WorkerNews) {
        control?.withOutput { WorkerNewsCodec.encode(news, to: &$0) }
    }

    // MARK: Orders

    private func carryOut(_ order: WorkerOrder) {
        switch order {
        case .configure(let setup):
            self.setup = setup
            logger = StandardErrorLog.logger(label: setup.node)
            OwnProcess.setName("tandem \(setup.node.suffix(8))")
        case .provision(let more, let dials):
            blocks += more
            dialStrings += dials
        case .start:
            start()
        case .stop:
            stop(exitCode: 0)
        case .report(let request):
            if let shell { tell(.report(shell.report(request: request))) }
        case .showDN(let request, let dn):
            if let shell { tell(.dn(shell.dnReport(dn, request: request))) }
        case .listDNs(let request, let filter):
            if let shell { tell(.dnList(shell.dnList(filter, request: request))) }
        }
    }

    private func start() {
        guard shell == nil, let setup else { return fail("the controller gave the order to start too early or twice") }
        let topology = setup.topology(blocks: blocks, dialStrings: dialStrings)
        guard let me = topology.nodeIndex(named: setup.node) else {
            return fail("the topology has no node \(setup.node)")
        }
        blocks = []
        dialStrings = []
        let identity = NodeIdentity(
            index: me, incarnation: setup.incarnation, lineage: setup.incarnation, generation: setup.generation
        )
        let shell = NodeShell(topology: topology, identity: identity, loop: loop, logger: logger)
        do throws(SystemError) {
            try shell.open()
        } catch {
            let hint =
                error.isAddressInUse
                ? "; stop the program that uses it (ss -lnptu shows it) or change the address in the topology" : ""
            return fail("\(error)\(hint)")
        }
        self.shell = shell
        logger.info("ready", metadata: ["incarnation": "\(setup.incarnation.rawValue)"])
        tell(.ready)
    }

    private func fail(_ sentence: String) {
        logger.error("\(sentence)")
        tell(.failed(sentence))
        stop(exitCode: 1)
    }

    /// Closes everything and ends the loop once what was written has left.
    private func stop(exitCode: Int32) {
        self.exitCode = exitCode
        shell?.close()
        control?.close()
        loop.schedule(after: .milliseconds(50)) { [loop] in loop.stop() }
    }
}

extension Worker: FramedConnectionDelegate {
    package func frameReceived(_ connection: FramedConnection, type: UInt16, flags: UInt16, payload: RawSpan) {
        do throws(WireError) {
            carryOut(try WorkerOrderCodec.decode(type: type, payload))
        } catch {
            fail("the controller sent what cannot be read: \(error.sentence)")
        }
    }

    package func connectionClosed(_ connection: FramedConnection, reason: CloseReason) {
        guard case .local = reason else {
            logger.notice("the controller is gone, stopping", metadata: ["reason": "\(reason)"])
            shell?.close()
            loop.schedule(after: .milliseconds(50)) { [loop] in loop.stop() }
            return
        }
    }
}
