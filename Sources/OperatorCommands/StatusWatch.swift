import ClusterModel
import Glibc
import LinuxSystem
package import Orchestration

/// `tandem status --watch`: the status again and again, until the user has seen enough. Drawn over on a terminal; elsewhere
/// printed whenever it has changed. Outlives the controller.
final class StatusWatch {
    private let search: SocketSearch
    private let isJSON: Bool
    private let console: Console
    private let attention: Attention
    private var client: ControllerClient?
    /// Tells that something has happened, and so that it is time to look.
    private var news: ControllerClient?
    private var shown: ClusterStatus?
    /// Why there is no controller, and since when.
    private var loss: (message: String, since: UInt64)?
    private var draws: Bool { console.canDraw && !isJSON }

    private static let interval = Duration.seconds(1)
    /// Events come in swarms, and one look does for all of them.
    private static let gathering = Duration.milliseconds(100)
    private static let patience = Duration.seconds(1)

    init(search: SocketSearch, isJSON: Bool, console: Console) throws {
        self.search = search
        self.isJSON = isJSON
        self.console = console
        // The first look is not repeated: a wrong --socket should be said, not waited for.
        client = try ControllerClient.connect(search)
        attention = try Attention()
    }

    func run() throws {
        if draws { console.write(WatchScreen.enter) }
        defer { if draws { console.write(WatchScreen.leave) } }
        look()
        while true {
            switch try attention.wait(for: news?.descriptor, Self.interval) {
            case .stop:
                return
            case .resized:
                if draws { draw() }
            case .ready:
                if try attention.wait(for: nil, Self.gathering) == .stop { return }
                takeNews()
                look()
            case .timeout:
                look()
            }
        }
    }

    private func takeNews() {
        do throws(CommandFailure) {
            while try news?.nextEvents(timeout: .zero) != nil {}
        } catch {
            news = nil
        }
    }

    private func look() {
        do throws(CommandFailure) {
            if client == nil { client = try ControllerClient.connect(search, patience: Self.patience) }
            if news == nil {
                news = try ControllerClient.connect(search, patience: Self.patience)
                try news?.beginEvents(.next, follow: true)
            }
            guard let status = try client?.status() else { return }
            show(status)
        } catch {
            client = nil
            news = nil
            lost(error.message)
        }
        if draws { draw() }
    }

    private func show(_ status: ClusterStatus) {
        let mended = shown.map { StatusChanges.mended(status, by: $0) } ?? status
        if loss != nil, !draws { console.note("The controller answers again, as process \(status.controllerPID).") }
        loss = nil
        defer { shown = mended }
        guard !draws else { return }
        if let shown, shown.withoutFigures == mended.withoutFigures { return }
        if isJSON { return console.write(JSONOutput.compact(StatusJSON(mended))) }
        let separator = shown == nil ? "" : "\n"
        console.write("\(separator)-- \(Wording.localTime(milliseconds: SystemClock.now().wallMilliseconds))\n\n")
        console.write(StatusScreen.rendered(mended, now: SystemClock.now().wallMilliseconds, console.style))
    }

    private func lost(_ message: String) {
        guard loss == nil else { return }
        loss = (message, SystemClock.now().wallMilliseconds)
        if !draws { console.note("Lost the controller: \(message). Trying again.") }
    }

    private func draw() {
        let now = Wording.localTime(milliseconds: SystemClock.now().wallMilliseconds)
        var head = [console.style.faint("\(now)  Ctrl-C ends")]
        if let loss {
            let since = Wording.localTime(milliseconds: loss.since)
            head.append(console.style.bad("No controller since \(since); trying again. Below is what was last."))
            head.append(loss.message)
        }
        let body = shown.map { StatusScreen.rendered($0, now: SystemClock.now().wallMilliseconds, console.style) } ?? ""
        let size = Terminal.size(of: STDOUT_FILENO) ?? (rows: 24, columns: 80)
        let lines = head + [""] + body.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
        console.write(WatchScreen.frame(lines, rows: size.rows, columns: size.columns))
    }
}

/// What is written to a terminal that is drawn over.
package enum WatchScreen {
    /// The alternate screen, without a cursor: what stood there before comes back at the end.
    package static let enter = "\u{1B}[?1049h\u{1B}[?25l"
    package static let leave = "\u{1B}[?25h\u{1B}[?1049l"

    /// All lines, cut at the right and at the bottom, over what is there.
    package static func frame(_ lines: [String], rows: Int, columns: Int) -> String {
        var lines = lines
        while lines.last?.isEmpty == true { lines.removeLast() }
        if lines.count > rows {
            let left = lines.count - rows + 1
            lines = lines.prefix(max(0, rows - 1)) + ["… \(left) more lines"]
        }
        // Without a line feed after the last line, which would scroll.
        let text = lines.map { cut($0, to: columns) + "\u{1B}[K" }.joined(separator: "\r\n")
        return "\u{1B}[H" + text + "\u{1B}[J"
    }

    /// The part of a line that a terminal has room for. Colours take none, and stay whole.
    package static func cut(_ line: String, to columns: Int) -> String {
        var width = 0
        var isEscape = false
        var kept = String.UnicodeScalarView()
        for scalar in line.unicodeScalars {
            if isEscape {
                isEscape = !("@"..."~").contains(scalar) || scalar == "["
            } else if scalar == "\u{1B}" {
                isEscape = true
            } else {
                width += 1
                guard width <= columns else { continue }
            }
            kept.append(scalar)
        }
        return String(kept)
    }
}

extension ClusterStatus {
    /// Without what changes all the time although nothing happens.
    package var withoutFigures: ClusterStatus {
        var status = self
        for position in status.nodes.indices {
            status.nodes[position].logLines = []
            status.nodes[position].logLinesLeftOut = 0
            guard let report = status.nodes[position].report else { continue }
            var kept = NodeReport()
            kept.ownedInService = report.ownedInService
            kept.agents = report.agents
            kept.agentsAvailable = report.agentsAvailable
            kept.links = report.links.map { LinkStatus(peer: $0.peer, state: $0.state) }
            status.nodes[position].report = kept
        }
        for position in status.conditions.indices { status.conditions[position].message = "" }
        return status
    }
}
