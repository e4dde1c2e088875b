import Wire

/// What a cluster's DNs and agents do, as one node after the other tells it: the sequence goes on when a connection is lost.
///
/// It connects to the first node of its list that can be reached. When that is lost it tries it once more, and then the others. At
/// the same node it goes on where it stopped if the node still knows; otherwise a snapshot comes, and what was known before it is void. It ends when its
/// task is cancelled, and with an error only where trying again is of no use: what the options say cannot be, or the node
/// does not take them.
public struct TLibraryMonitor: AsyncSequence, Sendable {
    /// What a monitor tells.
    public enum Change: Sendable, Equatable {
        /// A node is heard. Unless it is resumed, forget what you know: everything comes again, up to `snapshotIsComplete`.
        case connected(node: String, isResumed: Bool)
        /// A DN is so now.
        case dn(TLibraryDN)
        /// What an agent has done.
        case agent(TLibraryEvent)
        /// Everything has been told.
        case snapshotIsComplete
        /// The node hears a peer, or does not hear it any more.
        case link(peer: String, isConnected: Bool)
        /// The node is not heard; the monitor tries the next one.
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

        private let addresses: [String]
        private let options: TLibraryOptions
        private let ranges: [ClosedRange<String>]
        /// Which node is next.
        private var turn = 0
        /// Since something was heard.
        private var failures = 0
        private var events: TLibraryConnection.Events.AsyncIterator?
        /// Where the feed of the node at `place.address` stands; nil until a snapshot is complete.
        private var place: (address: String, position: TLibraryPosition)?
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
            return nil
        }

        private mutating func connect() async throws -> Change {
            try await pause()
            let address = addresses[turn % addresses.count]
            let connection = try await TLibraryConnection.connect(to: address, options)
            let position = place?.address == address ? place?.position : nil
            let answer = try await connection.monitor(ranges: ranges, resume: position)
            if !answer.isResumed { place = nil }
            events = connection.events.makeAsyncIterator()
            return .connected(node: connection.node, isResumed: answer.isResumed)
        }

        private mutating func moveOn(after error: TLibraryClientError) throws {
            switch error {
            case .invalid, .unproved, .refused: throw error
            case .notReachable, .timedOut, .closed, .insecure, .unreadable, .overrun, .tooManyRequests: break
            }
            if events != nil { pending.append(.lost(error)) }
            // A node that was heard is tried again first: there the feed may go on.
            if events == nil || failures > 0 { turn += 1 }
            failures += 1
            events = nil
        }

        /// Every node is tried once before the first pause.
        private func pause() async throws {
            guard failures > addresses.count else { return }
            let rounds = Swift.min(failures / addresses.count, 5)
            let pause = Swift.min(Self.firstPause * (1 << rounds), Self.longestPause)
            try await Task.sleep(for: pause * Double.random(in: 0.5...1))
        }

        private mutating func note(_ event: TLibraryEvent) {
            failures = 0
            guard let connection = events?.connection else { return }
            let received = event.received
            if received.privateInfo == .endOfSnapshot, let position = event.position {
                place = (connection.address, position)
            } else if received.sequence > 0, let known = place {
                let position = TLibraryPosition(lineage: known.position.lineage, sequence: received.sequence)
                place = (connection.address, position)
            }
        }

        private static func changes(of event: TLibraryEvent) -> [Change] {
            switch event.kind {
            case .linkConnected: return [.link(peer: event.peer, isConnected: true)]
            case .linkDisconnected: return [.link(peer: event.peer, isConnected: false)]
            case .agentLogin, .agentLogout, .agentReady, .agentNotReady: return [.agent(event)]
            case .privateInfo where event.info == .endOfSnapshot: return [.snapshotIsComplete]
            case .error, .registered, .unregistered, .addressInfo, .serverInfo, .agentReserved, .acknowledged,
                .dnOutOfService, .dnBackInService, .privateInfo:
                return event.dns.map(Change.dn)
            }
        }
    }
}
