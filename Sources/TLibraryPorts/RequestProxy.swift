package import AgentSessions
package import ClusterModel
import DequeModule

/// What nodes say to each other for clients: a request for a DN's owner, and the owner's answer.
package enum ProxyMessage: Equatable, Sendable {
    /// The number is the asking node's own; the client's ReferenceID stays there.
    case request(number: UInt64, DN, OwnerRequest)
    case answer(number: UInt64, ProxyAnswer)
    /// A client has gone, by its number at the node that says so. What it had reserved is free.
    case clientGone(UInt64)
}

/// What only a DN's owner can tell or do.
package enum OwnerRequest: Equatable, Sendable {
    /// TQueryAddress.
    case query
    case agent(AgentRequest)
    /// For a client of the asking node, by its number there.
    case reserve(ReservationRequest, client: UInt64)
    /// Is this the desktop that holds the DN in service, or did until now?
    case resume(DesktopToken)
    /// May this call have the agent whom the token has reserved?
    case redeem(ReservationToken, call: UInt64)
}

package enum ProxyAnswer: Equatable, Sendable {
    /// The node that was asked does not own the DN (any more).
    case notOwner
    case addressInfo(OwnerWord, OwnerDetail)
    case agent(AgentSession)
    case reserved(Reservation)
    case done
    case refused(TError)
}

/// What an owner says of a DN of its own.
package struct OwnerWord: Equatable, Sendable {
    package var service: Service
    package var stamp: Stamp
    package var occupancy: Occupancy
    package var session: AgentSession?
    package var calls: DNCalls?

    package init(
        service: Service, stamp: Stamp, occupancy: Occupancy = [], session: AgentSession? = nil, calls: DNCalls? = nil
    ) {
        self.service = service
        self.stamp = stamp
        self.occupancy = occupancy
        self.session = session
        self.calls = calls
    }
}

/// A client's request that another node answers.
package struct ProxiedRequest: Equatable, Sendable {
    package var client: ClientID
    package var referenceID: UInt32
    package var dn: DN
    package var request: OwnerRequest
    /// Of TRegisterAddress with a desktop token: what else it asks for.
    package var wantsOwnerHint: Bool
    /// Who is asked.
    package var owner: NodeIndex
    /// A former owner may answer that it is none any more; then the new one is asked, once.
    package var isSecondAttempt: Bool

    package init(
        client: ClientID, referenceID: UInt32, dn: DN, request: OwnerRequest, wantsOwnerHint: Bool = false,
        owner: NodeIndex, isSecondAttempt: Bool = false
    ) {
        self.client = client
        self.referenceID = referenceID
        self.dn = dn
        self.request = request
        self.wantsOwnerHint = wantsOwnerHint
        self.owner = owner
        self.isSecondAttempt = isSecondAttempt
    }
}

/// Requests of this node's clients that travel to owners, and requests of other nodes' clients that this node owes answers.
///
/// Every request ends exactly once: by its answer, by the loss of the link, or by the timeout. Both directions are bounded
/// by peer. What there is to send is pulled; an answer is made when it is pulled, after the changes that were to be told
/// before it, so it never contradicts them.
package struct RequestProxy: Sendable {
    struct Peer: Sendable {
        /// Numbers of requests that wait for room in the connection.
        var unsent: Deque<UInt64> = []
        /// Requests that were heard and not answered yet, each with the connection that brought it.
        var owed: Deque<OwedAnswer> = []
        var underWay = 0
        /// Clients that have asked this peer for reservations and gone since.
        var gone: Deque<UInt64> = []
    }

    /// An answer that a peer waits for.
    package struct OwedAnswer: Equatable, Sendable {
        package var number: UInt64
        package var dn: DN
        package var connection: UInt64
        /// Nil for a question about the DN: its answer is made when it leaves.
        package var answer: ProxyAnswer?
    }

    /// How many clients that have gone a peer may still have to be told of; what is beyond ends by time.
    private static let goneLimit = 65_536

    private let timeout: UInt64
    /// How many requests may be under way to one peer.
    private let requestsPerPeer: Int
    /// How many requests of one peer may wait for their answers. More than an honest peer can have under way, because
    /// it may have given up earlier ones.
    private let answersPerPeer: Int
    var peers: [Peer]
    var requests: [UInt64: ProxiedRequest] = [:]
    var references: Set<Reference> = []
    /// In the order of their deadlines, since all have the same timeout; those that ended earlier stay until they are due.
    var deadlines: Deque<(deadline: UInt64, number: UInt64)> = []
    var lastNumber: UInt64
    /// Requests of peers that were dropped because too many of that peer waited already.
    package internal(set) var dropped: UInt64 = 0

    /// - Parameters:
    ///   - timeout: nanoseconds until a request is given up.
    ///   - requestsPerPeer: how many may be under way to one peer; four times as many of a peer may wait here.
    ///   - firstNumber: another one in every life, so that an answer to an earlier life finds nothing.
    package init(nodeCount: Int, timeout: UInt64, requestsPerPeer: Int, firstNumber: UInt64) {
        self.timeout = timeout
        self.requestsPerPeer = requestsPerPeer
        answersPerPeer = 4 * requestsPerPeer
        peers = Array(repeating: Peer(), count: nodeCount)
        lastNumber = firstNumber
    }

    // MARK: Requests of this node's clients

    /// - Returns: false when too many requests to that owner are under way.
    package mutating func forward(_ request: ProxiedRequest, now: Instant) -> Bool {
        let owner = request.owner.position
        guard peers[owner].underWay < requestsPerPeer else { return false }
        lastNumber &+= 1
        requests[lastNumber] = request
        references.insert(Reference(request))
        peers[owner].underWay += 1
        peers[owner].unsent.append(lastNumber)
        deadlines.append((now.monotonic + timeout, lastNumber))
        return true
    }

    /// An answer came.
    ///
    /// - Returns: the request that it ends; nil if that has ended before, or was never put to this peer.
    package mutating func answered(_ number: UInt64, by peer: NodeIndex) -> ProxiedRequest? {
        guard requests[number]?.owner == peer else { return nil }
        return end(number)
    }

    /// The link to a peer is lost.
    ///
    /// - Returns: the requests that it will not answer, in their order.
    package mutating func linkLost(_ peer: NodeIndex) -> [ProxiedRequest] {
        peers[peer.position].unsent.removeAll()
        peers[peer.position].owed.removeAll()
        peers[peer.position].gone.removeAll()
        guard peers[peer.position].underWay > 0 else { return [] }
        var lost: [ProxiedRequest] = []
        for (_, number) in Array(deadlines) where requests[number]?.owner == peer {
            if let request = end(number) { lost.append(request) }
        }
        return lost
    }

    /// - Returns: requests whose time is up, in their order.
    package mutating func givenUp(now: Instant) -> [ProxiedRequest] {
        var givenUp: [ProxiedRequest] = []
        while let first = deadlines.first, first.deadline <= now.monotonic || requests[first.number] == nil {
            deadlines.removeFirst()
            if let request = end(first.number) { givenUp.append(request) }
        }
        return givenUp
    }

    /// Monotonic nanoseconds; nil while nothing is under way.
    package var nextDeadline: UInt64? { requests.isEmpty ? nil : deadlines.first?.deadline }

    /// Whether a request of a client with this ReferenceID is under way.
    package func isUnderWay(_ referenceID: UInt32, of client: ClientID) -> Bool {
        references.contains(Reference(client: client, referenceID: referenceID))
    }

    struct Reference: Hashable, Sendable {
        let client: ClientID
        let referenceID: UInt32

        init(client: ClientID, referenceID: UInt32) {
            self.client = client
            self.referenceID = referenceID
        }

        init(_ request: ProxiedRequest) {
            self.init(client: request.client, referenceID: request.referenceID)
        }
    }

    private mutating func end(_ number: UInt64) -> ProxiedRequest? {
        guard let request = requests.removeValue(forKey: number) else { return nil }
        peers[request.owner.position].underWay -= 1
        references.remove(Reference(request))
        if requests.isEmpty { deadlines.removeAll() }
        return request
    }

    // MARK: Requests of other nodes' clients

    /// A peer has asked; the answer, unless it is to be made when it leaves, is this.
    package mutating func owe(
        _ number: UInt64, _ dn: DN, _ answer: ProxyAnswer?, to peer: NodeIndex, on connection: UInt64
    ) {
        peers[peer.position].owed.append(
            OwedAnswer(number: number, dn: dn, connection: connection, answer: answer))
    }

    /// Whether another request of a peer can be answered; if not it is counted, and dropped.
    package mutating func admits(from peer: NodeIndex) -> Bool {
        guard peers[peer.position].owed.count < answersPerPeer else {
            dropped += 1
            return false
        }
        return true
    }

    /// A client that has asked a peer for reservations has gone.
    package mutating func clientGone(_ client: ClientID, toldTo peer: NodeIndex) {
        guard peers[peer.position].gone.count < Self.goneLimit else { return }
        peers[peer.position].gone.append(client.rawValue)
    }

    package func owesAnswer(to peer: NodeIndex) -> Bool { !peers[peer.position].owed.isEmpty }

    // MARK: What there is to send

    package func hasMore(for peer: NodeIndex) -> Bool {
        !peers[peer.position].owed.isEmpty || !peers[peer.position].unsent.isEmpty
            || !peers[peer.position].gone.isEmpty
    }

    package enum Next: Equatable, Sendable {
        case send(ProxyMessage)
        /// The owner's answer to a question about this DN is to be made and sent.
        case answer(number: UInt64, DN)
    }

    /// What goes to a peer next, on the connection that it has now. Answers to what came on an earlier connection are
    /// left out: nobody waits for them.
    package mutating func next(for peer: NodeIndex, on connection: UInt64) -> Next? {
        while let owed = peers[peer.position].owed.popFirst() {
            guard owed.connection == connection else { continue }
            guard let answer = owed.answer else { return .answer(number: owed.number, owed.dn) }
            return .send(.answer(number: owed.number, answer))
        }
        while let number = peers[peer.position].unsent.popFirst() {
            // It may have ended while it waited.
            if let request = requests[number] {
                return .send(.request(number: number, request.dn, request.request))
            }
        }
        // After the requests: what a client has asked for comes before it goes.
        return peers[peer.position].gone.popFirst().map { .send(.clientGone($0)) }
    }

    /// How many requests are under way, and how many answers are owed, to or by the busiest peer.
    package var fill: (underWay: Int, owed: Int) {
        (peers.reduce(0) { max($0, $1.underWay) }, peers.reduce(0) { max($0, $1.owed.count) })
    }
}
