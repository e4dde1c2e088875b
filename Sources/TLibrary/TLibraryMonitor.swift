import Wire

/// What a cluster's DNs and agents do, as one node after the other tells it: the sequence goes on when a connection is lost.
///
/// It connects to the first node of its list that can be reached. When that is lost it tries it once more, and then the others; when
/// all have been tried it pauses, for 2 s at most. At the same node it goes on where it stopped if the node still knows;
/// otherwise a snapshot comes, and what was known before it is void. Every event comes at least once: where a change is several
/// events and the connection is lost between them, the earlier ones come again.
///
/// It ends when its task is cancelled, and with an error only where trying again is of no use: what the options say cannot be, or
/// the node does not take them.
public struct TLibraryMonitor: AsyncSequence, Sendable {
    /// What a monitor tells.
    public enum Change: Sendable, Equatable {
        /// A node is heard. Unless it is resumed, forget what you know: everything comes again, up to `snapshotIsComplete`.
        case connected(node: String, isResumed: Bool)
        /// A DN is so now.
        case dn(TLibraryDN)
        /// What an agent has done.
        case agent(TLibraryEvent)
        /// What has become of a DN's call.
        case call(TLibraryEvent)
        /// Everything has been told.
        case snapshotIsComplete
        /// The node hears a peer, or does not hear it any more. After `connected` this comes first, for every peer.
        case link(peer: String, isConnected: Bool)
        /// A node is not heard any more, or could not be reached; the monitor goes on trying.
        case lost(TLibraryClientError)
    }

    private let addresses: [String]
    private let options: TLibraryOptions
    private let ranges: [ClosedRange<String>]

    /// A monitor of all DNs, or of those of `ranges` (see `TLibraryConnection.monitor`).
    ///
    /// - Parameter addresses: of the nodes' ports, the preferred one first.
    public init(of addresses: [String], _ options: TLibraryOptions, ranges: [ClosedRange<String>] = []) {
        self.addresses = addresses
        self.options = options
        self.ranges = ranges
    }

    /// Begins at the first node.
    public func makeAsyncIterator() -> AsyncIterator {
        AsyncIterator(addresses: addresses, options: options, ranges: ranges)
    }

    /// The state of a monitor, for one task.
    public struct AsyncIterator: AsyncIteratorProtocol {
        private static let firstPause = Duration.milliseconds(200)
        private static let longestPause = Duration.seconds(2)
        /// A node that has been lost so often without telling anything new is given up.
        private static let maximumLosses = 3

        private let addresses: [String]
        private let options: TLibraryOptions
        private let ranges: [ClosedRange<String>]
        /// Which node is next.
        private var turn = 0
        /// How often the node was lost since anything new was heard.
        private var losses = 0
        /// Nodes that were given up in this round.
        private var givenUp = 0
        /// How often all nodes were given up since anything new was heard.
        private var rounds = 0
        private var isPauseDue = false
        private var events: TLibraryConnection.Events.AsyncIterator?
        /// Where the feed of the node of that name stands; nil until a snapshot is complete.
        private var place: (node: String, position: TLibraryPosition)?
        /// Changes that have come and were not handed out yet.
        private var pending: [Change] = []

        init(addresses: [String], options: TLibraryOptions, ranges: [ClosedRange<String>]) {
            self.addresses = addresses
            self.options = options
            self.ranges = ranges
        }

        /// The next change; nil when the task is cancelled.
        public mutating func next() async throws -> Change? {
            guard !addresses.isEmpty else { throw TLibraryClientError.invalid("a monitor needs the address of a node") }
            while !Task.isCancelled {
                if !pending.isEmpty { return pending.removeFirst() }
                do {
                    if events == nil { return try await connect() }
                    guard let event = try await events?.next() else { break }
                    note(event)
                    pending = Self.changes(of: event)
                } catch let error as TLibraryClientError {
                    try moveOn(after: error)
                } catch is CancellationError {
                    break
                }
            }
            // The connection goes with its events.
            events = nil
            return nil
        }

        private mutating func connect() async throws -> Change {
            try await pause()
            let connection = try await TLibraryConnection.connect(to: addresses[turn % addresses.count], options)
            // Lineages are numbered by each node for itself.
            let position = place?.node == connection.node ? place?.position : nil
            let answer = try await connection.monitor(ranges: ranges, resume: position)
            if !answer.isResumed { place = nil }
            events = connection.events.makeAsyncIterator()
            // Links are in no feed: what has become of them meanwhile is told here only.
            let links = connection.serverInfo.received.serverInfo?.links ?? []
            pending = links.map { .link(peer: $0.peer, isConnected: $0.isConnected) }
            return .connected(node: connection.node, isResumed: answer.isResumed)
        }

        private mutating func moveOn(after error: TLibraryClientError) throws {
            switch error {
            case .invalid, .unproved, .refused: throw error
            case .notReachable, .timedOut, .closed, .insecure, .unreadable, .overrun, .tooManyRequests: break
            }
            pending.append(.lost(error))
            // Where the feed may go on the node is tried again first.
            let mayResume = events != nil && place != nil
            events = nil
            losses += 1
            if mayResume, losses < Self.maximumLosses { return }
            losses = 0
            turn += 1
            givenUp += 1
            guard givenUp == addresses.count else { return }
            givenUp = 0
            rounds += 1
            isPauseDue = true
        }

        /// Once a round, when every node has been tried.
        private mutating func pause() async throws {
            guard isPauseDue else { return }
            isPauseDue = false
            let pause = Swift.min(Self.firstPause * (1 << Swift.min(rounds - 1, 4)), Self.longestPause)
            try await Task.sleep(for: pause * Double.random(in: 0.5...1))
        }

        private mutating func note(_ event: TLibraryEvent) {
            guard let node = events?.connection.node else { return }
            let received = event.received
            if received.privateInfo == .endOfSnapshot, let position = event.position {
                place = (node, position)
            } else if let known = place?.position, received.sequence > known.sequence {
                place = (node, TLibraryPosition(lineage: known.lineage, sequence: received.sequence))
            } else {
                // A node that only begins, over and over, is no better than one that cannot be reached.
                return
            }
            losses = 0
            givenUp = 0
            rounds = 0
        }

        private static func changes(of event: TLibraryEvent) -> [Change] {
            switch event.kind {
            case .linkConnected: return [.link(peer: event.peer, isConnected: true)]
            case .linkDisconnected: return [.link(peer: event.peer, isConnected: false)]
            case .agentLogin, .agentLogout, .agentReady, .agentNotReady: return [.agent(event)]
            // Each node has its own, and a monitor goes from one node to another.
            case .queued, .diverted: return []
            case .abandoned where event.point != nil: return []
            case .abandoned, .ringing, .dialing, .established, .released: return [.call(event)]
            case .privateInfo where event.info == .endOfSnapshot: return [.snapshotIsComplete]
            case .error, .registered, .unregistered, .addressInfo, .serverInfo, .agentReserved, .acknowledged,
                .dnOutOfService, .dnBackInService, .routeRequest, .routeUsed, .privateInfo:
                return event.dns.map(Change.dn)
            }
        }
    }
}
