import ClusterModel
import LinuxSystem
import TLibrary
import TLibraryPorts
import Wire

/// A monitoring client that prints what it hears, and outlives the connection.
struct MonitorSession {
    let node: String
    let address: StreamAddress
    /// Nil for a port without TLS.
    let security: PortSecurity?
    /// How the client calls itself, and what it proves; nil where no proof is demanded.
    var name = "tandem monitor"
    var secret: [UInt8]?
    /// What to ask the node for, apart from the place in the feed.
    let wanted: MonitorOptions
    var lines: MonitorLines
    /// How many changes are still to be printed; nil for no end.
    var count: Int?
    let isJSON: Bool
    let console: Console
    /// On the monotonic clock, in nanoseconds.
    var deadline: UInt64?

    /// The place in the feed; nil until the snapshot is complete, because it cannot be resumed in its middle.
    private var position: FeedPosition?

    private static let firstPause = Duration.milliseconds(200)
    private static let longestPause = Duration.seconds(2)

    private enum End: Error {
        /// What was to be done is done.
        case finished
        case timedOut
    }

    init(
        node: String, address: StreamAddress, security: PortSecurity?, wanted: MonitorOptions,
        lines: MonitorLines, count: Int?, isJSON: Bool, console: Console
    ) {
        self.node = node
        self.address = address
        self.security = security
        self.wanted = wanted
        self.lines = lines
        self.count = count
        self.isJSON = isJSON
        self.console = console
    }

    /// Until the user stops it, the count is reached, or the time is over.
    mutating func run() throws {
        let attention = try Attention()
        do {
            try listen(attention)
        } catch End.finished {
            return
        } catch End.timedOut {
            throw CommandFailure("the time for monitoring \(node) is over; give --timeout more seconds", .timedOut)
        } catch let error as TLibraryClientError {
            throw CommandFailure("\(error)\(advice(for: error))", .failed)
        }
    }

    private func advice(for error: TLibraryClientError) -> String {
        switch error {
        case .unproved: secret == nil ? "; give --secret-file and --name" : ""
        case .notReachable, .timedOut, .closed, .insecure, .unreadable, .refused, .overrun, .tooManyRequests, .invalid:
            "; see `tandem nodes` whether \(node) is ready"
        }
    }

    private mutating func listen(_ attention: Attention) throws {
        var client = try subscribe()
        while true {
            do {
                while let event = try client.nextEvent(timeout: .zero) { try handle(event) }
                try pause(attention, for: client.descriptor, .seconds(3600))
            } catch let error as TLibraryClientError {
                client.close()
                client = try reconnect(attention, after: error)
            }
        }
    }

    /// Waits; ends the session when it is time.
    private func pause(_ attention: Attention, for descriptor: OwnedDescriptor?, _ longest: Duration) throws {
        var patience = longest
        if let deadline {
            let now = SystemClock.monotonicNanoseconds()
            guard now < deadline else { throw End.timedOut }
            patience = min(longest, .nanoseconds(Int64(clamping: deadline - now)))
        }
        if try attention.wait(for: descriptor, patience) == .stop { throw End.finished }
    }

    private mutating func reconnect(
        _ attention: Attention, after problem: TLibraryClientError
    ) throws -> TLibraryClient {
        console.note("Lost \(node): \(problem). Connecting again.")
        var patience = Self.firstPause
        while true {
            try pause(attention, for: nil, patience)
            if let client = try? subscribe() { return client }
            patience = min(patience * 2, Self.longestPause)
        }
    }

    /// Connects and asks for the feed, from where it stopped if that is known.
    private mutating func subscribe() throws(TLibraryClientError) -> TLibraryClient {
        let client = try TLibraryClient(to: address, name: name, secret: secret, security: security)
        var options = wanted
        options.resume = position
        let answer = try client.monitorAll(options)
        if answer.isResumed {
            console.note("Connected to \(node) again; going on after event #\(answer.sequence).")
        } else {
            if position != nil {
                console.note("Connected to \(node) again; it cannot go on where it stopped: new snapshot.")
            }
            lines.begin()
            position = nil
        }
        return client
    }

    private mutating func handle(_ event: ReceivedEvent) throws {
        for line in lines.lines(for: event) {
            console.write(isJSON ? JSONOutput.compact(line.json) : paint(line) + "\n")
            guard line.kind == .change, let left = count else { continue }
            count = left - 1
            if left == 1 { throw End.finished }
        }
        if event.privateInfo == .endOfSnapshot {
            position = FeedPosition(lineage: Incarnation(rawValue: event.lineage), sequence: event.sequence)
        } else if event.sequence > 0 {
            position?.sequence = event.sequence
        }
    }

    private func paint(_ line: MonitorLine) -> String {
        switch line.kind {
        case .snapshotEntry, .endOfSnapshot: console.style.faint(line.text)
        case .change where line.json.service == "in-service": console.style.good(line.text)
        case .change where line.json.service == "out-of-service": console.style.bad(line.text)
        case .change: line.text
        }
    }
}
