import ClusterModel
import DNOwnership
package import LinuxSystem
import Logging
import NodeCore
import Orchestration
import ProcessRuntime
import SIPCore
import TLS
import TLibraryPorts
package import Transport
import Wire

/// A worker process of role `sip`: takes its orders from the controller over an inherited socket and runs one node. It
/// needs no controller to go on serving; see `Worker+Adoption.swift`.
package final class Worker {
    /// The descriptor that the controller leaves to a worker.
    package static let controlDescriptor: Int32 = 3
    /// How many of the kernel's points a worker is likelier to be killed for memory than its controller.
    private static let memoryPressurePoints: Int32 = 200

    let loop: EventLoop
    private(set) var logger: Logger
    /// The connection to the controller; nil while there is none.
    var control: FramedConnection?
    var setup: WorkerSetup?
    private var blocks: [DNBlock] = []
    private var dialStrings: [DialString] = []
    /// Credentials whose last piece has not come, or that wait for the node to start.
    private var credentials: [CredentialPiece] = []
    /// The same of clients.
    private var clientSecrets: [ClientSecret] = []
    /// What connections over TLS begin with, until the node starts and has it.
    private var tls: TLSContexts?
    private(set) var shell: NodeShell?
    private(set) var isStopping = false
    private var exitCode: Int32 = 0
    /// Where a later controller finds this worker.
    var adoptionListener: StreamListener?
    /// Connections that came in there and have not said what they want.
    var callers: [ObjectIdentifier: FramedConnection] = [:]

    package init() throws(SystemError) {
        logger = StandardErrorLog.logger(label: "worker")
        loop = try EventLoop()
    }

    /// Runs until the controller orders the end, or is gone and the worker shall end with it.
    ///
    /// - Returns: the exit code of the process.
    package func run() throws(SystemError) -> Int32 {
        SignalReader.ignoreBrokenPipes()
        _ = try? OwnProcess.raiseMemoryPressureScore(by: Self.memoryPressurePoints)
        let descriptor = try OwnedDescriptor.inherited(Self.controlDescriptor)
        control = try FramedConnection(descriptor, on: loop, delegate: self)
        beat()
        try loop.run()
        return exitCode
    }

    func tell(_ news: WorkerNews) {
        control?.withOutput { WorkerNewsCodec.encode(news, to: &$0) }
    }

    /// A timer of the loop that does the work, so a loop that is stuck says nothing.
    private func beat() {
        tell(.heartbeat)
        loop.schedule(after: .nanoseconds(Int64(SupervisionMachine.heartbeatInterval))) { [unowned self] in beat() }
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
        case .credentials(let piece):
            if piece.isFirst { credentials = [] }
            credentials.append(piece)
            if piece.isLast, let shell { replaceCredentials(of: shell) }
        case .clientSecrets(let piece):
            if piece.isFirst { clientSecrets = [] }
            clientSecrets += piece.secrets
            if piece.isLast, let shell { replaceClientSecrets(of: shell) }
        case .certificates(let set):
            takeCertificates(set)
        case .start:
            start()
        case .stop:
            stop(exitCode: 0)
        case .adopt(let endsWithController):
            setup?.endsWithController = endsWithController
        case .report(let request):
            if let shell { tell(.report(shell.report(request: request))) }
        case .showDN(let request, let dn):
            if let shell { tell(.dn(shell.dnReport(dn, request: request))) }
        case .listDNs(let request, let filter):
            if let shell { tell(.dnList(shell.dnList(filter, request: request))) }
        case .listAgents(let request, let filter):
            if let shell { tell(.agents(shell.agentList(filter, request: request))) }
        case .listCalls(let request, let filter):
            if let shell { tell(.calls(shell.callList(filter, request: request))) }
        }
    }

    private func start() {
        guard shell == nil, let setup else { return fail("the controller gave the order to start too early or twice") }
        let topology = setup.topology(blocks: blocks, dialStrings: dialStrings)
        guard let me = topology.nodeIndex(named: setup.node) else {
            return fail("the topology has no node \(setup.node)")
        }
        var authenticator: DigestAuthenticator?
        if let policy = topology.authentication {
            authenticator = Authenticators.make(policy, credentials, topology.directory)
            guard authenticator != nil else { return fail("this machine's libcrypto lacks MD5 or SHA-512/256") }
        }
        blocks = []
        dialStrings = []
        credentials = []
        let identity = NodeIdentity(
            index: me, incarnation: setup.incarnation, lineage: setup.incarnation, generation: setup.generation
        )
        let shell = NodeShell(
            topology: topology, identity: identity, authenticator: authenticator, loop: loop, logger: logger
        ) { [unowned self] in tell($0) }
        shell.tls = tls
        replaceClientSecrets(of: shell)
        raiseDescriptorLimit(to: shell.descriptorLimit)
        do throws(SystemError) {
            try shell.open()
        } catch {
            let hint =
                error.isAddressInUse
                ? "; stop the program that uses it (ss -lnptu shows it) or change the address in the topology" : ""
            return fail("\(error)\(hint)")
        }
        self.shell = shell
        listenForControllers()
        logger.info("ready", metadata: ["incarnation": "\(setup.incarnation.rawValue)"])
        tell(.ready)
    }

    private func replaceCredentials(of shell: NodeShell) {
        let table = Authenticators.table(credentials, shell.topology.directory)
        credentials = []
        shell.core.replaceCredentials(table)
        logger.info("took new credentials", metadata: ["users": "\(table.count)"])
    }

    /// Does nothing where no proof is demanded.
    private func replaceClientSecrets(of shell: NodeShell) {
        let secrets = clientSecrets
        clientSecrets = []
        guard shell.topology.clientAuthentication != nil else { return }
        shell.clientSecrets = ClientSecretTable(secrets, decoy: SystemRandom.bytes(32))
        logger.info("took secrets of clients", metadata: ["clients": "\(secrets.count)"])
    }

    /// The controller has judged them before, so a problem here is its mistake.
    private func takeCertificates(_ set: CertificateSet) {
        do throws(TLSError) {
            tls = try TLSContexts(set)
        } catch {
            return logger.error("cannot take certificates", metadata: ["problem": "\(error)"])
        }
        guard let shell else { return }
        shell.tls = tls
        logger.info("took new certificates", metadata: ["file": "\(set.certificate.path)"])
    }

    private func raiseDescriptorLimit(to wanted: Int) {
        let limit = (try? OwnProcess.raiseDescriptorLimit(to: wanted)) ?? 0
        guard limit < wanted else { return }
        logger.warning(
            "fewer descriptors than this node can need; raise the hard limit (LimitNOFILE= of the unit, or ulimit -Hn)",
            metadata: ["limit": "\(limit)", "needed": "\(wanted)"]
        )
    }

    func fail(_ sentence: String) {
        logger.error("\(sentence)")
        tell(.failed(sentence))
        stop(exitCode: 1)
    }

    /// Closes everything and ends the loop once what was written has left.
    func stop(exitCode: Int32) {
        guard !isStopping else { return }
        isStopping = true
        self.exitCode = exitCode
        stopListeningForControllers()
        shell?.close()
        control?.close()
        loop.schedule(after: .milliseconds(50)) { [loop] in loop.stop() }
    }
}

extension Worker: FramedConnectionDelegate {
    package func frameReceived(_ connection: FramedConnection, type: UInt16, flags: UInt16, payload: RawSpan) {
        do throws(WireError) {
            let order = try WorkerOrderCodec.decode(type: type, payload)
            if connection === control { carryOut(order) } else { heard(order, from: connection) }
        } catch {
            guard connection === control, shell == nil else { return refuse(connection, error.sentence) }
            fail("the controller sent what cannot be read: \(error.sentence)")
        }
    }

    package func connectionClosed(_ connection: FramedConnection, reason: CloseReason) {
        callers[ObjectIdentifier(connection)] = nil
        guard connection === control else { return }
        control = nil
        if !isStopping { controllerGone(reason) }
    }
}
