package import ClusterModel
package import LinuxSystem
package import Logging
package import Orchestration
package import Transport

/// What a worker process does, behind what all workers have in common. One object is one life; it lives on the worker's loop.
package protocol WorkerRole: AnyObject {
    /// How many descriptors the role can need.
    var descriptorLimit: Int { get }

    /// Opens all ports. After an error nothing is served.
    func open() throws(SystemError)

    /// What it serves at, by the names that `ServerSocket` gives.
    var servedSockets: [(name: String, descriptor: OwnedDescriptor)] { get }

    /// Another topology takes the place of the one that it began with, while it serves. `ended` is called once, at once or later; after
    /// a failure the former topology goes on.
    func apply(
        _ start: RoleStart, ended: @escaping (Result<RoleApplied, RoleFailure>) -> Void
    ) throws(RoleFailure)

    /// HA1s of phones, all pieces; they take the place of those before.
    func replaceCredentials(_ pieces: [CredentialPiece])

    /// Secrets of clients, all of them; they take the place of those before, for connections to come. A node is told those of
    /// its clients, another role its own.
    func replaceClientSecrets(_ secrets: [ClientSecret])

    /// Of agents who may sign in, all of them; they take the place of those before. Workspaces alone are told.
    func replaceAccounts(_ accounts: [AgentAccount])

    /// What sessions are signed with, the first of them; they take the place of those before. Workspaces alone are told.
    func replaceSessionKeys(_ keys: [[UInt8]])

    /// For connections to come.
    func replaceCertificates(_ tls: TLSContexts)

    /// Phones and desktops are to leave; nil: they may stay.
    func drain(_ request: DrainRequest?)

    func report(request: UInt64) -> NodeReport

    /// What takes longer to say; nil of a role that has nothing of the kind.
    func measures() -> NodeMeasures?

    /// - Returns: nil for a question that is answered later, or means nothing to this role; the controller asks only those to
    ///   whom it does.
    func answer(_ question: RoleQuestion) -> WorkerNews?

    /// Closes everything; whoever is connected sees it at once.
    func close()
}

extension WorkerRole {
    /// Only nodes have phones.
    package func replaceCredentials(_ pieces: [CredentialPiece]) {}

    package func replaceAccounts(_ accounts: [AgentAccount]) {}

    package func replaceSessionKeys(_ keys: [[UInt8]]) {}

    package func drain(_ request: DrainRequest?) {}

    package var servedSockets: [(name: String, descriptor: OwnedDescriptor)] { [] }

    package func answer(_ question: RoleQuestion) -> WorkerNews? { nil }

    /// Only nodes have some.
    package func measures() -> NodeMeasures? { nil }
}

/// What operators ask about what a role serves.
package enum RoleQuestion: Equatable, Sendable {
    case dn(String, request: UInt64)
    case history(String, request: UInt64)
    case dns(DNFilter, request: UInt64)
    case calls(CallFilter, request: UInt64)
    case agents(AgentFilter, request: UInt64)
    /// For routers.
    case route(RouteQuestion, request: UInt64)
    /// For Stat Servers.
    case statistics(StatisticsQuestion, request: UInt64)
    /// For nodes: what their callers could be connected with.
    case reach(request: UInt64)
}

/// What a role begins with: all that the controller told before the order to start.
package struct RoleStart {
    /// Who this is: full name, incarnation, generation.
    package let setup: WorkerSetup
    package let topology: Topology
    package let credentials: [CredentialPiece]
    package let clientSecrets: [ClientSecret]
    /// Of a workspace.
    package let accounts: [AgentAccount]
    package let sessionKeys: [[UInt8]]
    /// Nil where the topology has no certificate for this worker.
    package let tls: TLSContexts?
    /// What the worker serves at.
    package let sockets: ServerSockets
    package let loop: EventLoop
    package let logger: Logger
    /// Does nothing while there is no controller.
    package let tellController: (WorkerNews) -> Void
}

/// How a role came to run under another topology.
package struct RoleApplied: Equatable, Sendable {
    /// For how long nothing was read, nanoseconds.
    package var gap: UInt64
    /// It does all that the topology says. Otherwise it goes on at the addresses that it had before, until another process takes its
    /// place.
    package var isWhole: Bool

    package init(gap: UInt64 = 0, isWhole: Bool = true) {
        self.gap = gap
        self.isWhole = isWhole
    }
}

/// Why a role cannot begin: what, where and what to do.
package struct RoleFailure: Error, Sendable {
    package let sentence: String

    package init(_ sentence: String) {
        self.sentence = sentence
    }
}

extension NodeReport {
    /// What any worker can say of its process.
    package init(ofProcessSince startedAt: UInt64, now: Instant, request: UInt64) {
        self.init()
        self.request = request
        memoryBytes = UInt64(ProcessInformation.residentBytes(of: ProcessInformation.current) ?? 0)
        cpuMicroseconds = (ProcessInformation.processorNanoseconds(of: ProcessInformation.current) ?? 0) / 1000
        uptimeMilliseconds = (now.monotonic - min(startedAt, now.monotonic)) / 1_000_000
    }
}

/// Hands accepted streams on.
package final class Acceptor: StreamListenerDelegate {
    private let accept: (AcceptedStream) -> Void

    package init(_ accept: @escaping (AcceptedStream) -> Void) {
        self.accept = accept
    }

    package func streamAccepted(_ stream: AcceptedStream, by listener: StreamListener) {
        accept(stream)
    }
}
