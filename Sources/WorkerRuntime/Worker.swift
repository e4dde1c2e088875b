import ClusterModel
package import LinuxSystem
import Logging
package import Orchestration
import ProcessRuntime
import TLS
package import Transport
import Wire

/// A worker process: takes its orders from the controller over an inherited socket and runs one role. It needs no controller
/// to go on serving; see `Worker+Adoption.swift`.
package final class Worker {
    /// The descriptor that the controller leaves to a worker.
    package static let controlDescriptor: Int32 = 3
    /// How many of the kernel's points a worker is likelier to be killed for memory than its controller.
    private static let memoryPressurePoints: Int32 = 200
    /// Who is told nothing for so long is kept ready, nanoseconds.
    private static let soon: UInt64 = 50_000_000

    let roleName: RoleName
    private let makeRole: (RoleStart) throws(RoleFailure) -> any WorkerRole
    /// Nil for a role that has nothing to hand over.
    let makeTarget: ((RoleStart) throws(RoleFailure) -> any HandoverTarget)?
    private let rehearse: () -> Void
    private let controlSocket: OwnedDescriptor
    let loop: EventLoop
    private(set) var logger: Logger
    /// The connection to the controller; nil while there is none.
    var control: FramedConnection?
    var setup: WorkerSetup?
    /// Of a topology that is to take the place of the one that the worker runs under: it is being told, or applied.
    private var laterSetup: WorkerSetup?
    private(set) var isApplying = false
    /// Of the topology that the worker does all of: it may know a later one, and listen where this one says until it is restarted.
    private(set) var generation: UInt64 = 0
    /// What the controller has passed on, and what that is, as soon as it has said so.
    private var belongings: [OwnedDescriptor] = []
    private var sockets = ServerSockets()
    private var blocks: [DNBlock] = []
    private var dialStrings: [DialString] = []
    /// Credentials whose last piece has not come, or that wait for the role to start.
    private var credentials: [CredentialPiece] = []
    /// The same of clients.
    private var agents: [DeclaredAgent] = []
    private var clientSecrets: [ClientSecret] = []
    private var accounts: [AgentAccount] = []
    private var sessionKeys: [[UInt8]] = []
    /// What connections over TLS begin with, until the role starts and has it.
    private var tls: TLSContexts?
    /// Nil until it serves.
    var role: (any WorkerRole)?
    var isStopping = false
    var exitCode: Int32 = 0
    /// The process that may ask for everything, and the giving of it.
    var expectedSuccessor: Incarnation?
    var predecessor: Predecessor?
    /// Where a later controller finds this worker.
    var adoptionListener: StreamListener?
    /// Connections that came in there and have not said what they want.
    var callers: [ObjectIdentifier: FramedConnection] = [:]

    /// - Parameters:
    ///   - makeRole: with everything that it needs told; it opens nothing yet.
    ///   - rehearse: done while a process that is kept ready waits.
    ///   - makeTarget: what takes the place of another process.
    package init(
        _ roleName: RoleName, _ makeRole: @escaping (RoleStart) throws(RoleFailure) -> any WorkerRole,
        rehearse: @escaping () -> Void = {},
        takingOver makeTarget: ((RoleStart) throws(RoleFailure) -> any HandoverTarget)? = nil
    ) throws(SystemError) {
        self.rehearse = rehearse
        self.makeTarget = makeTarget
        // Before anything else could have its number.
        controlSocket = try OwnedDescriptor.inherited(Self.controlDescriptor)
        _ = try controlSocket.socketFamily()
        self.roleName = roleName
        self.makeRole = makeRole
        logger = StandardErrorLog.logger(label: "worker")
        loop = try EventLoop()
    }

    /// Runs until the controller orders the end, or is gone and the worker shall end with it.
    ///
    /// - Returns: the exit code of the process.
    package func run() throws(SystemError) -> Int32 {
        SignalReader.ignoreBrokenPipes()
        _ = try? OwnProcess.raiseMemoryPressureScore(by: Self.memoryPressurePoints)
        guard let belongings = try awaitBelongings(controlSocket) else { return 0 }
        self.belongings = belongings
        control = try FramedConnection(controlSocket, on: loop, delegate: self)
        beat()
        try loop.run()
        return exitCode
    }

    /// Waits until the controller passes on the worker's output, which is put in its place, and the sockets that it serves at.
    /// Everything that takes time without knowing who the worker is has been done then.
    ///
    /// - Returns: the sockets; nil when the controller has gone without needing the worker.
    private func awaitBelongings(_ control: OwnedDescriptor) throws(SystemError) -> [OwnedDescriptor]? {
        if try !control.wait(forReading: true, nanoseconds: Self.soon) {
            OwnProcess.setName("tandem spare")
            rehearse()
        }
        while true {
            guard try control.wait(forReading: true, nanoseconds: 3_600_000_000_000) else { continue }
            guard let (bytes, descriptors) = try control.receivePassing(maximum: 1) else { continue }
            guard !bytes.isEmpty, let output = descriptors.first else { return nil }
            try OwnProcess.replaceOutput(by: output)
            return Array(descriptors.dropFirst())
        }
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
        case .configure(let setup) where role != nil:
            beginLaterTopology(setup)
        case .configure(let setup):
            self.setup = setup
            generation = setup.generation
            logger = StandardErrorLog.logger(label: setup.node)
            OwnProcess.setName("tandem \(setup.node.suffix(8))")
            takeSockets(setup.sockets)
        case .provision(let more, let dials):
            blocks += more
            dialStrings += dials
        case .provisionAgents(let more):
            agents += more
        case .credentials(let piece):
            if piece.isFirst { credentials = [] }
            credentials.append(piece)
            if piece.isLast { replaceCredentials() }
        case .clientSecrets(let piece):
            if piece.isFirst { clientSecrets = [] }
            clientSecrets += piece.secrets
            if piece.isLast { replaceClientSecrets() }
        case .agentAccounts(let piece):
            if piece.isFirst { accounts = [] }
            accounts += piece.accounts
            if piece.isLast { replaceAccounts() }
        case .sessionKeys(let keys):
            sessionKeys = keys
            replaceSessionKeys()
        case .certificates(let set):
            takeCertificates(set)
        case .start:
            start()
        case .applyTopology:
            applyTopology()
        case .takeOver(let path):
            takeOver(at: path)
        case .handOver(let incarnation):
            expectedSuccessor = incarnation
        case .drain(let request):
            role?.drain(request)
        case .succeed:
            logger.warning("a controller cannot take the place of a worker")
        case .lendSockets:
            logger.warning("sockets are lent at the adoption socket")
        case .stop:
            stop(exitCode: 0)
        case .standDown:
            standDown()
        case .adopt(let endsWithController):
            setup?.endsWithController = endsWithController
        case .report(let request, let measures):
            report(request, measures: measures)
        case .showDN(let request, let dn):
            answer(.dn(dn, request: request))
        case .showHistory(let request, let dn):
            answer(.history(dn, request: request))
        case .listDNs(let request, let filter):
            answer(.dns(filter, request: request))
        case .listAgents(let request, let filter):
            answer(.agents(filter, request: request))
        case .listCalls(let request, let filter):
            answer(.calls(filter, request: request))
        case .explainRoute(let request, let question):
            answer(.route(question, request: request))
        case .countUp(let request, let question):
            answer(.statistics(question, request: request))
        case .reportReach(let request):
            answer(.reach(request: request))
        }
    }

    private func report(_ request: UInt64, measures: Bool) {
        guard let role else { return }
        var report = role.report(request: request)
        if measures { report.measures = role.measures() }
        report.generation = generation
        report.topologyDigest = setup?.topologyDigest ?? TopologyDigest(value: 0)
        tell(.report(report))
    }

    private func answer(_ question: RoleQuestion) {
        if let news = role?.answer(question) { tell(news) }
    }

    private func start() {
        guard role == nil, let setup else { return fail("the controller gave the order to start too early or twice") }
        guard setup.role == roleName else {
            return fail("started as \(roleName.rawValue), and the controller wants \(setup.role.rawValue)")
        }
        let role: any WorkerRole
        do throws(RoleFailure) {
            role = try makeRole(takeStart(sockets))
        } catch {
            return fail(error.sentence)
        }
        raiseDescriptorLimit(to: role.descriptorLimit)
        do throws(SystemError) {
            try role.open()
        } catch {
            let hint =
                error.isAddressInUse
                ? "; stop the program that uses it (ss -lnptu shows it) or change the address in the topology" : ""
            return fail("\(error)\(hint)")
        }
        self.role = role
        listenForControllers()
        logger.info("ready", metadata: ["incarnation": "\(setup.incarnation.rawValue)"])
        tell(.ready)
    }

    /// All that was told before the order to start. It is not kept.
    func takeStart(_ sockets: ServerSockets) throws(RoleFailure) -> RoleStart {
        guard let setup = laterSetup ?? setup else {
            throw RoleFailure("the controller has not said who this worker is")
        }
        defer { forgetTold() }
        return RoleStart(
            setup: setup, topology: setup.topology(blocks: blocks, dialStrings: dialStrings, agents: agents),
            credentials: credentials,
            clientSecrets: clientSecrets, accounts: accounts, sessionKeys: sessionKeys, tls: tls, sockets: sockets,
            loop: loop, logger: logger
        ) { [unowned self] in tell($0) }
    }

    private func forgetTold() {
        blocks = []
        dialStrings = []
        agents = []
        credentials = []
        clientSecrets = []
        accounts = []
        sessionKeys = []
    }

    // MARK: Another topology

    /// What is told from here on is kept until the order to apply it.
    private func beginLaterTopology(_ later: WorkerSetup) {
        guard !isApplying else {
            return logger.warning("another topology comes before the last one is applied; it is passed over")
        }
        forgetTold()
        laterSetup = later
    }

    /// Whoever was telling it will not go on.
    func forgetLaterTopology() {
        guard !isApplying, laterSetup != nil else { return }
        laterSetup = nil
        forgetTold()
    }

    private func applyTopology() {
        guard let later = laterSetup, let role, !isApplying else {
            return logger.warning("there is no topology to be applied")
        }
        let began = SystemClock.monotonicNanoseconds()
        func end(_ problem: String, gap: UInt64 = 0) {
            isApplying = false
            laterSetup = nil
            let time = SystemClock.monotonicNanoseconds() - began
            tell(.topologyApplied(.init(generation: later.generation, problem: problem, nanoseconds: time, gap: gap)))
        }
        isApplying = true
        do throws(RoleFailure) {
            guard predecessor == nil else { throw RoleFailure("it hands over to another process") }
            guard later.role == roleName, later.node == setup?.node else {
                throw RoleFailure("it is told to be another worker")
            }
            let start = try takeStart(ServerSockets())
            try role.apply(start) { [unowned self] outcome in
                switch outcome {
                case .failure(let failure):
                    logger.error("another topology was not applied", metadata: ["problem": "\(failure.sentence)"])
                    end(failure.sentence)
                case .success(let applied):
                    setup!.goOn(under: later)
                    if applied.isWhole { generation = later.generation }
                    raiseDescriptorLimit(to: role.descriptorLimit)
                    logger.info("runs under another topology", metadata: ["generation": "\(later.generation)"])
                    end("", gap: applied.gap)
                }
            }
        } catch {
            forgetTold()
            logger.error("another topology was not applied", metadata: ["problem": "\(error.sentence)"])
            end(error.sentence)
        }
    }

    private func takeSockets(_ names: [String]) {
        guard names.count == belongings.count else {
            return fail("the controller speaks of \(names.count) sockets and has given \(belongings.count)")
        }
        sockets = ServerSockets(names, belongings)
        belongings = []
    }

    private func replaceCredentials() {
        guard let role, laterSetup == nil else { return }
        role.replaceCredentials(credentials)
        credentials = []
    }

    private func replaceClientSecrets() {
        guard let role, laterSetup == nil else { return }
        role.replaceClientSecrets(clientSecrets)
        clientSecrets = []
    }

    private func replaceAccounts() {
        guard let role, laterSetup == nil else { return }
        role.replaceAccounts(accounts)
        accounts = []
    }

    private func replaceSessionKeys() {
        guard let role, laterSetup == nil else { return }
        role.replaceSessionKeys(sessionKeys)
        sessionKeys = []
    }

    /// The controller has judged them before, so a problem here is its mistake.
    private func takeCertificates(_ set: CertificateSet) {
        let contexts: TLSContexts
        do throws(TLSError) {
            contexts = try TLSContexts(set)
        } catch {
            return logger.error("cannot take certificates", metadata: ["problem": "\(error)"])
        }
        tls = contexts
        guard let role else { return }
        role.replaceCertificates(contexts)
        logger.info("took new certificates", metadata: ["file": "\(set.certificate.path)"])
    }

    func raiseDescriptorLimit(to wanted: Int) {
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
        role?.close()
        control?.close()
        loop.schedule(after: .milliseconds(50)) { [loop] in loop.stop() }
    }
}

extension Worker: FramedConnectionDelegate {
    package func frameReceived(_ connection: FramedConnection, type: UInt16, flags: UInt16, payload: RawSpan) {
        if let predecessor, predecessor.connection === connection { return predecessor.heard(type: type, payload) }
        do throws(WireError) {
            let order = try WorkerOrderCodec.decode(type: type, payload)
            if connection === control { carryOut(order) } else { heard(order, from: connection) }
        } catch {
            // A later controller may ask what this build does not know; that is no reason to leave it.
            if connection === control, role != nil, case .unknownType = error {
                return logger.warning("unknown order", metadata: ["problem": "\(error.sentence)"])
            }
            guard connection === control, role == nil else { return refuse(connection, error.sentence) }
            fail("the controller sent what cannot be read: \(error.sentence)")
        }
    }

    package func connectionClosed(_ connection: FramedConnection, reason: CloseReason) {
        callers[ObjectIdentifier(connection)] = nil
        if let predecessor, predecessor.connection === connection { return predecessor.connectionClosed(reason) }
        guard connection === control else { return }
        control = nil
        if !isStopping { controllerGone(reason) }
    }
}
