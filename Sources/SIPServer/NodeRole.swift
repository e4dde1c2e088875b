import ClusterModel
import DNOwnership
import LinuxSystem
import Logging
import NodeCore
import Orchestration
import SIPCore
import TLibraryPorts
package import WorkerRuntime

/// The role `sip`: one node.
package enum NodeRole {
    package static func make(_ start: RoleStart) throws(RoleFailure) -> any WorkerRole {
        let (setup, topology) = (start.setup, start.topology)
        guard let me = topology.nodeIndex(named: setup.node) else {
            throw RoleFailure("the topology has no node \(setup.node)")
        }
        var authenticator: DigestAuthenticator?
        if let policy = topology.authentication {
            authenticator = Authenticators.make(policy, start.credentials, topology.directory)
            guard authenticator != nil else { throw RoleFailure("this machine's libcrypto lacks MD5 or SHA-512/256") }
        }
        let identity = NodeIdentity(
            index: me, incarnation: setup.incarnation, lineage: setup.incarnation, generation: setup.generation
        )
        let memory = try NodeMemory.open(setup, logger: start.logger)
        let shell = NodeShell(
            topology: topology, identity: identity, authenticator: authenticator, memory: memory,
            sockets: start.sockets, loop: start.loop, logger: start.logger, tellController: start.tellController)
        shell.tls = start.tls
        shell.replaceClientSecrets(start.clientSecrets)
        return shell
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
