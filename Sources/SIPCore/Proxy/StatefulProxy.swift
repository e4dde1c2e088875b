package import ClusterModel

/// What a node's proxy is made with.
package struct ProxySetup: Sendable {
    /// The node's SIP listeners, by their numbers.
    package var ports: [ProxyPort]
    /// How other nodes see it, over the links.
    package var peerPort: ProxyPort
    /// Two secrets of 64 random bits, the same for the life of the process.
    package var secret: UInt64
    package var tokenKey: UInt64
    /// The cluster's name.
    package var cluster = ""
    /// How long a call lasts at most, nanoseconds.
    package var maximumCallTime: UInt64 = 12 * 3600 * 1_000_000_000
    /// How long a session lasts without a refresh where nobody asked for less, seconds; nil to ask for none (RFC 4028
    /// section 8.1).
    package var session: UInt32? = 1800
    /// Of the links to other nodes and the connections to gateways.
    package var flowNames = FlowNames()
    package var limits = TransactionLimits()
    package var timings = TransactionTimings()

    /// From what every node has.
    package init(ports: [ProxyPort], peerPort: ProxyPort, secret: UInt64, tokenKey: UInt64) {
        self.ports = ports
        self.peerPort = peerPort
        self.secret = secret
        self.tokenKey = tokenKey
    }
}

/// A message on its way out.
package struct OutgoingMessage: Hashable, Sendable {
    package var bytes: [UInt8]
    package var target: SIPSource
}

/// The Routes on top of a request that are the node's own.
package struct OwnRoutes: Hashable, Sendable {
    package var count = 0
    /// Where the last of those with a token leads to.
    package var destination: SIPSource?
    /// One has a token that this node has not made.
    package var isForged = false
}

/// A record-routing proxy that is stateful as to transactions (RFC 3261 section 16). Dialogs it keeps no state of:
/// where their requests go they say themselves, by the tokens in their Routes.
///
/// Who may call whom, and where a DN's phones are, others decide. After each call `takeOutput` says what is to be sent.
package struct StatefulProxy: Sendable {
    /// Places that one request is sent to, one after the other or together.
    static let maximumTargets = 16

    let setup: ProxySetup
    package internal(set) var transactions: TransactionTable
    package internal(set) var calls: CallTable
    let forwarder = MessageForwarder()
    var branches: BranchMaker
    let token: FlowToken
    let writer: ResponseWriter
    var contexts: [ResponseContext] = []
    var freeContexts: [Int32] = []
    var actions: [TransactionAction] = []
    var output: [OutgoingMessage] = []
    var returned: [ReturnedRequest] = []
    var openEvents: [OpenRequestEvent] = []
    /// INVITEs on their way over trunks.
    var trunkLegs = TrunkLegs()
    /// Near callees whose phones have said that they are busy.
    var busyParties: [DNIndex] = []
    /// Requests that were kept are parsed into this.
    var kept = SIPMessage()

    /// - Parameter writer: the one that writes all other answers of the node.
    package init(_ setup: ProxySetup, writer: ResponseWriter) {
        self.setup = setup
        self.writer = writer
        transactions = TransactionTable(setup.limits, setup.timings, secret: mixed(setup.secret &+ 1), writer: writer)
        calls = CallTable(
            secret: mixed(setup.secret &+ 2), cluster: setup.cluster, maximumTime: setup.maximumCallTime)
        branches = BranchMaker(secret: mixed(setup.secret &+ 3))
        token = FlowToken(key: setup.tokenKey, mixed(setup.secret &+ 4), names: setup.flowNames)
    }

    /// What is to be sent, in order.
    package mutating func takeOutput() -> [OutgoingMessage] {
        guard !output.isEmpty else { return [] }
        defer { output.removeAll(keepingCapacity: true) }
        return output
    }

    package var hasOutput: Bool { !output.isEmpty }

    package var hasReturned: Bool { !returned.isEmpty }

    /// The next request that came back; `answer` must follow.
    package mutating func nextReturned() -> ReturnedRequest? { returned.popLast() }

    /// Requests that go on, and of which something may still come.
    package var requestCount: Int { contexts.count - freeContexts.count }

    // MARK: What is known

    /// A request has come; first of all it is asked here whether it is known.
    package mutating func received(
        _ message: borrowing SIPMessage, in datagram: Span<UInt8>, from source: SIPSource, now: Instant
    ) -> RequestOutcome {
        let outcome = transactions.receivedRequest(message, in: datagram, from: source, now: now, into: &actions)
        carryOut(now)
        return outcome
    }

    /// Where the node's own Routes on top of a request lead to, and how many they are (RFC 3261 section 16.4). The last
    /// of them is that of the side where the request goes: each side of a dialog has one.
    package func ownRoutes(of message: borrowing SIPMessage, in datagram: Span<UInt8>) -> OwnRoutes {
        var routes = OwnRoutes()
        while let route = message.route(routes.count, in: datagram), isOwn(route, datagram) {
            routes.count += 1
            guard route.hasUser else { continue }
            routes.destination = token.target(of: route.user, in: datagram)
            if routes.destination == nil { routes.isForged = true }
        }
        return routes
    }

    private func isOwn(_ uri: SIPURI, _ datagram: Span<UInt8>) -> Bool {
        for port in setup.ports where port.isMeant(by: uri, in: datagram) { return true }
        return setup.peerPort.isMeant(by: uri, in: datagram)
    }

    /// Whether the request has been here, and would go the same way again (RFC 5393 section 4.2).
    package func isLoop(_ message: borrowing SIPMessage, in datagram: Span<UInt8>) -> Bool {
        guard message.viaCount > 1 else { return false }
        for port in setup.ports where branches.isLoop(message, in: datagram, sentBy: port.sentBy.span) { return true }
        return branches.isLoop(message, in: datagram, sentBy: setup.peerPort.sentBy.span)
    }

    /// Takes the DNs whose calls may have changed, in order.
    package mutating func takeChangedParties() -> [CallsChange] { calls.takeChanged() }

    /// Takes the DNs that this node is near to and whose phones have refused a call because they have another.
    package mutating func takeBusyParties() -> [DNIndex] {
        guard !busyParties.isEmpty else { return [] }
        defer { busyParties.removeAll(keepingCapacity: true) }
        return busyParties
    }

    // MARK: Time and transport

    /// Fires what is due.
    package mutating func tick(now: Instant) {
        transactions.tick(now: now, into: &actions)
        carryOut(now)
        calls.tick(now: now)
    }

    /// Monotonic nanoseconds.
    package var nextDeadline: UInt64? {
        guard let first = transactions.nextDeadline else { return calls.nextDeadline }
        return min(first, calls.nextDeadline ?? .max)
    }

    /// A stream has ended: what was asked over it is not answered any more.
    package mutating func flowEnded(_ flow: FlowID, now: Instant) {
        transactions.flowEnded(flow, now: now, into: &actions)
        carryOut(now)
    }

    /// Hands on what the transactions want done.
    mutating func carryOut(_ now: Instant) {
        while !actions.isEmpty {
            var due: [TransactionAction] = []
            swap(&due, &actions)
            for action in due {
                switch action {
                case .send(let bytes, let target): output.append(OutgoingMessage(bytes: bytes, target: target))
                case .clientEnded(let id, let end): clientEnded(id, end, now)
                case .serverEnded(let id, _): serverEnded(id)
                // A caller who cannot be told is not there any more: nobody should go on ringing for him.
                case .undelivered(let id): giveUp(id, now)
                }
            }
        }
    }
}
