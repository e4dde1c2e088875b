import ClusterModel
import LinuxSystem
import Orchestration

/// A reader of the event stream that prints what it hears, and outlives the controller.
struct EventsSession {
    private let search: SocketSearch
    private var start: EventStart
    private let isJSON: Bool
    private let console: Console
    /// The controller's life that was read last; nil before the first answer.
    private var stream: UInt64?
    private var count = 0

    private static let firstPause = Duration.milliseconds(200)
    private static let longestPause = Duration.seconds(2)

    init(search: SocketSearch, start: EventStart, isJSON: Bool, console: Console) {
        self.search = search
        self.start = start
        self.isJSON = isJSON
        self.console = console
    }

    // MARK: What has happened

    mutating func printAll() throws(CommandFailure) {
        let client = try ControllerClient.connect(search)
        try client.beginEvents(start, follow: false)
        while true {
            guard let batch = try client.nextEvents() else {
                throw CommandFailure(
                    "the controller at \(client.path) did not answer in time; try again", .timedOut)
            }
            print(batch)
            if batch.isCaughtUp { break }
        }
        if count == 0 { console.note("Nothing has happened since then.") }
        console.suggest("`tandem events --follow` prints what happens next.")
    }

    // MARK: What happens

    private enum End: Error {
        case stopped
    }

    /// Until the user stops it.
    mutating func follow() throws {
        let attention = try Attention()
        var client = try ControllerClient.connect(search)
        try client.beginEvents(start, follow: true)
        do {
            while true {
                do throws(CommandFailure) {
                    while let batch = try client.nextEvents(timeout: .zero) { print(batch) }
                } catch {
                    console.note("Lost the controller: \(error.message). Trying again.")
                    client = try reconnect(attention)
                    continue
                }
                try pause(attention, client.descriptor, .seconds(3600))
            }
        } catch End.stopped {
            return
        }
    }

    private func reconnect(_ attention: Attention) throws -> ControllerClient {
        var patience = Self.firstPause
        while true {
            try pause(attention, nil, patience)
            if let client = try? ControllerClient.connect(search), (try? client.beginEvents(start, follow: true)) != nil
            {
                return client
            }
            patience = min(patience * 2, Self.longestPause)
        }
    }

    private func pause(_ attention: Attention, _ descriptor: OwnedDescriptor?, _ longest: Duration) throws {
        if try attention.wait(for: descriptor, longest) == .stop { throw End.stopped }
    }

    // MARK: Printing

    private mutating func print(_ batch: EventBatch) {
        if let stream, stream != batch.stream {
            console.note(
                "This is another life of the controller: what happened while there was none, and what the former one had "
                    + "not told yet, is missing. Its numbers begin with 1."
            )
        }
        if batch.missed > 0 {
            console.note("\(Wording.count(batch.missed, "event")) before the next one are no longer kept.")
        }
        for event in batch.events {
            let line =
                isJSON
                ? JSONOutput.compact(EventJSON(event, stream: batch.stream)) : EventScreen.line(event, console.style)
            console.write(line)
        }
        count += batch.events.count
        stream = batch.stream
        start = .sequence(batch.next, stream: batch.stream)
    }
}
