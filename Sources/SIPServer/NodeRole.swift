import ClusterModel
import DNOwnership
import LinuxSystem
import Logging
import NodeCore
import Orchestration
import SIPCore
import TLibraryPorts
import Transport
package import WorkerRuntime

/// The role `sip`: one node.
package enum NodeRole {
    package static func make(_ start: RoleStart) throws(RoleFailure) -> any WorkerRole {
        let memory = try NodeMemory.open(start.setup, logger: start.logger)
        let (secret, seed) = (SystemRandom.word(), SystemRandom.word())
        var setup = NodeSetup(
            topology: start.topology, identity: try identity(start, lineage: start.setup.incarnation),
            authenticator: try authenticator(start, (secret, seed)), secret: secret, seed: seed)
        setup.stored = memory.stored
        let shell = NodeShell(
            core: NodeCore(setup, now: SystemClock.now()), start, memory: memory, sockets: start.sockets)
        shell.tls = start.tls
        shell.replaceClientSecrets(start.clientSecrets)
        return shell
    }

    /// One that takes the place of another process.
    package static func succeed(_ start: RoleStart) throws(RoleFailure) -> any HandoverTarget { NodeSuccessor(start) }

    /// - Parameter lineage: the first incarnation of the chain of handovers.
    static func identity(_ start: RoleStart, lineage: Incarnation) throws(RoleFailure) -> NodeIdentity {
        guard let me = start.topology.nodeIndex(named: start.setup.node) else {
            throw RoleFailure("the topology has no node \(start.setup.node)")
        }
        return NodeIdentity(
            index: me, incarnation: start.setup.incarnation, lineage: lineage, generation: start.setup.generation)
    }

    static func authenticator(
        _ start: RoleStart, _ secret: (UInt64, UInt64)
    ) throws(RoleFailure) -> DigestAuthenticator? {
        guard let policy = start.topology.authentication else { return nil }
        guard
            let authenticator = Authenticators.make(
                policy, start.credentials, start.topology.directory, secret: secret)
        else {
            throw RoleFailure("this machine's libcrypto lacks MD5 or SHA-512/256")
        }
        return authenticator
    }
}

extension NodeShell: WorkerRole {
    func replaceCredentials(_ pieces: [CredentialPiece]) {
        let table = Authenticators.table(pieces, topology.directory)
        core.replaceCredentials(table)
        logger.info("took new credentials", metadata: ["users": "\(table.count)"])
    }

    /// Does nothing where no proof is demanded.
    func replaceClientSecrets(_ secrets: [ClientSecret]) {
        guard topology.clientAuthentication != nil else { return }
        clientSecrets = ClientSecretTable(secrets, decoy: SystemRandom.bytes(32))
        logger.info("took secrets of clients", metadata: ["clients": "\(secrets.count)"])
    }

    func drain(_ request: DrainRequest?) {
        guard let request else {
            core.endDrain()
            return logger.info("not being drained any more")
        }
        var policy = DrainPolicy()
        policy.patience = .milliseconds(Int64(clamping: request.patienceMilliseconds))
        policy.pace = Int(request.pace)
        core.beginDrain(policy, now: loop.now)
        logger.info("being drained", metadata: ["pace": "\(request.pace)"])
        loop.soon {}
    }

    func replaceCertificates(_ tls: TLSContexts) {
        self.tls = tls
    }

    func answer(_ question: RoleQuestion) -> WorkerNews? {
        switch question {
        case .dn(let dn, let request): .dn(dnReport(dn, request: request))
        case .history(let dn, let request): history(of: dn, request: request)
        case .dns(let filter, let request): .dnList(dnList(filter, request: request))
        case .calls(let filter, let request): .calls(callList(filter, request: request))
        case .agents(let filter, let request): .agents(agentList(filter, request: request))
        case .reach(let request): .reach(reach(request: request))
        case .route, .statistics: nil
        }
    }
}
