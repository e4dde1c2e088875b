import ClusterModel

/// One request that goes on, until nothing more can come of it (RFC 3261 section 16.2, "response context").
struct ResponseContext {
    /// The raw values travel.
    enum Phase: UInt8 {
        case free
        /// No final response has gone to the sender.
        case proceeding
        /// One has. An INVITE's 2xx may still be followed by others.
        case final
    }

    var phase = Phase.free
    /// Of the requests that have had this place.
    var generation: UInt32 = 0
    /// Others name its targets as they find them; it is not over before they say so.
    var isOpen = false
    var isInvite = false
    var server: ServerTransactionID?
    /// The request as it came, until a final response has gone: for further branches, and for answers of this node's own.
    var request: [UInt8] = []
    var source = SIPSource(NetworkAddress(high: 0, low: 0, port: 0))
    var route = ProxyRoute(groups: [])
    /// Groups that were asked.
    var askedGroups = 0
    /// Who was asked last is another node of the cluster, which is asked alone.
    var asksPeer = false
    /// Targets that were asked, over all groups.
    var askedTargets = 0
    /// Those without a final response, apart from such as nobody waits for any more.
    var pending: [ClientTransactionID] = []
    /// Transactions of branches that there are.
    var clients = 0
    var best = BestResponse()
    /// The best response as it goes to the sender; empty where this node has to write it.
    var bestText: [UInt8] = []
    /// Of an open request: somebody has said that a phone rings; and the best refusal of those who were asked last.
    var hasProgress = false
    var lastRefusal: (status: UInt16, text: [UInt8]) = (0, [])
    var isCancelled = false
    var call: CallID?
    /// Of an open request: whose phones were asked with which transactions. Who answers late has the call all the same.
    var callees: [ClientTransactionID: CallParties.Callee] = [:]
    /// What the request said about its session, for the 2xx (RFC 4028 section 8.2).
    var session = SessionTerms()

    /// Whether nothing can come any more.
    var isOver: Bool { clients == 0 && server == nil }
}

/// What a caller and this proxy ask of a session (RFC 4028 section 8).
struct SessionTerms {
    /// Seconds without a refresh; nil where nobody has asked.
    var interval: UInt32?
    /// The caller can refresh it.
    var callerRefreshes = false
}
