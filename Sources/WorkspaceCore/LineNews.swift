package import ClusterModel
package import TLibraryPorts

/// What a node tells of DNs, answers with the number of the request. The shell makes it of the port's events: nodes by their
/// indices, and an agent's login as a stamp of its milliseconds.
package enum LineNews: Equatable, Sendable {
    /// EventRegistered; with a token where the gateway holds the DN in service.
    case registered(UInt32, DNStatus, DesktopToken?)
    /// EventUnregistered; without a number when the node ended it.
    case unregistered(UInt32?, DN, reason: Service?)
    /// EventAddressInfo.
    case address(UInt32, DNStatus)
    /// Of an agent's request: it was done.
    case agentDone(UInt32)
    /// EventError; nil for a code that this version does not know.
    case refused(UInt32, TError?)
    /// An agent came, left, or is ready or not: unasked, or told to all who have registered.
    case agentChanged(DN)
    /// The service of a DN, or its owner, has changed.
    case status(DNStatus)
    case call(CallEvent)
    /// The node is being drained: the DN should be registered at the other one.
    case moveHint(DN, to: NodeIndex)
}

/// What the shell does for the machine, in this order.
package enum WorkspaceAction: Equatable, Sendable {
    /// Connect to a node, now and whenever the connection is lost.
    case open(NodeIndex)
    case close(NodeIndex)
    case send(NodeIndex, TRequest)
    /// `passwordVerified` is called with the outcome.
    case verify(RequestID, password: [UInt8], hash: String)
    case answer(RequestID, WorkspaceReply)
    /// The stream that was asked for is open.
    case opened(StreamID)
    case refuse(StreamID, WorkspaceRefusal)
    case push(StreamID, StreamEvent)
    /// The stream's last event; it is closed after that, and not reported as closed.
    case end(StreamID, StreamEnd)
    /// Whether a Stat Server is to be heard.
    case hearStat(Bool)
    case audit(AuditLine)
}

/// What a machine begins with.
package struct WorkspaceSetup {
    package var topology: Topology
    /// Full name of this gateway.
    package var name: String
    package var accounts: [AgentAccount]
    package var sessionKeys: [[UInt8]]
    /// HMAC-SHA-256.
    package var authenticate: MessageAuthentication
    /// Which life of the gateway this is.
    package var epoch: UInt64
    /// 64 random bits.
    package var seed: UInt64
    /// A hash that no password has; it costs what a real one costs.
    package var decoy: String

    package init(
        topology: Topology, name: String, accounts: [AgentAccount], sessionKeys: [[UInt8]],
        authenticate: @escaping MessageAuthentication, epoch: UInt64, seed: UInt64, decoy: String
    ) {
        self.topology = topology
        self.name = name
        self.accounts = accounts
        self.sessionKeys = sessionKeys
        self.authenticate = authenticate
        self.epoch = epoch
        self.seed = seed
        self.decoy = decoy
    }
}

/// What a gateway counts.
package struct WorkspaceFigures: Equatable, Sendable {
    /// Since the process began.
    package struct Counters: Equatable, Sendable {
        package var logins: UInt64 = 0
        package var loginsRefused: UInt64 = 0
        package var resumes: UInt64 = 0
        /// Requests that came too often.
        package var limited: UInt64 = 0

        package init() {}
    }

    package var sessions = 0
    /// Sessions whose agent sits at a DN.
    package var seated = 0
    package var streams = 0
    package var nodesHeard = 0
    package var counters = Counters()

    package init() {}
}
