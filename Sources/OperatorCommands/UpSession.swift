import ClusterModel
import LinuxSystem
import Orchestration

/// A cluster in the foreground: `tandemd` as our child, watched until it ends or the user stops it.
final class UpSession {
    private let topology: Topology
    private let socket: String
    private let advice: [String]
    private let console: Console
    private let attention: Attention

    private var client: ControllerClient?
    private var progress: UpProgress
    /// What was shown last once the cluster has been healthy; nil while it starts.
    private var shown: ClusterStatus?
    private var started = SystemClock.monotonicNanoseconds()
    private var hasComplained = false
    private var drawsBar: Bool { console.errorIsTerminal && console.errorStyle.isOn }

    private static let startingInterval = Duration.milliseconds(100)
    private static let watchingInterval = Duration.milliseconds(500)
    private static let answerPatience = Duration.seconds(1)
    /// After this long a start that has not succeeded says what is missing.
    private static let complaintAfter: UInt64 = 15_000_000_000
    private static let stopPatience = Duration.milliseconds(4_500)

    init(topology: Topology, socket: String, advice: [String], console: Console) throws(SystemError) {
        self.topology = topology
        self.socket = socket
        self.advice = advice
        self.console = console
        progress = UpProgress(
            nodes: topology.nodes.count,
            others: topology.statServers.count + topology.routers.count + topology.workspaces.count,
            hasWorkspaces: !topology.workspaces.isEmpty)
        // Who reads our output may go away; the cluster goes on.
        SignalReader.ignoreBrokenPipes()
        attention = try Attention()
    }

    /// Until the user stops the cluster, or `tandemd` ends by itself.
    func run(_ program: String, arguments: [String]) throws {
        // tandemd reads the end of its file when we are gone, however that came.
        let (ours, theirs) = try Sockets.streamPair()
        let child = try ChildProcess.spawn(
            program, arguments: arguments + ["--lifeline", "3", "--fail-fast"], environment: Executables.environment,
            // A group of its own: Ctrl-C shall reach us alone, and we tell it.
            inherited: [.init(theirs, as: 3)], group: .new
        )
        theirs.close()
        defer { withExtendedLifetime(ours) {} }
        draw()
        while true {
            switch try attention.wait(
                for: child.descriptor, shown == nil ? Self.startingInterval : Self.watchingInterval)
            {
            case .stop: return try stop(child)
            case .ready: return try ended(child)
            case .timeout, .resized: look()
            }
        }
    }

    // MARK: Ends

    private func stop(_ child: ChildProcess) throws {
        clearBar()
        console.note("Stopping.")
        try child.send(.terminate)
        if try child.descriptor.wait(forReading: true, nanoseconds: Self.stopPatience.nanoseconds) {
            _ = try child.exitStatus()
            return console.note("Stopped.")
        }
        try child.send(.kill)
        throw CommandFailure(
            "tandemd (process \(child.process)) did not stop in time and was killed; look for nodes that are left with "
                + "`pgrep -a tandem-work`", .failed
        )
    }

    private func ended(_ child: ChildProcess) throws {
        clearBar()
        switch try child.exitStatus() {
        case .exited(code: 0)?: console.note("tandemd has been stopped, and all nodes with it.")
        // It has said why.
        case .exited(let code)?: throw CommandFailure("", exitCode: code)
        case let end: throw CommandFailure("tandemd ended by \(end ?? .unknown); start it again", .failed)
        }
    }

    // MARK: Looking

    private func look() {
        guard let status = ask() else { return }
        if let shown {
            let mended = StatusChanges.mended(status, by: shown)
            for line in StatusChanges.lines(from: shown, to: mended) {
                console.print("\(Wording.localClock(milliseconds: SystemClock.now().wallMilliseconds))  \(line)")
            }
            self.shown = mended
        } else if status.isHealthy {
            greet(status)
        } else {
            let now = UpProgress(status)
            if now != progress || drawsBar {
                progress = now
                draw()
            }
            complain(status)
        }
    }

    private func ask() -> ClusterStatus? {
        if client == nil { client = try? ControllerClient(path: socket, patience: Self.answerPatience) }
        guard let status = try? client?.status() else {
            client = nil
            return nil
        }
        return status
    }

    private func greet(_ status: ClusterStatus) {
        progress = UpProgress(status)
        draw()
        clearBar()
        shown = status
        console.write(StatusScreen.rendered(status, now: SystemClock.now().wallMilliseconds, console.style) + "\n")
        for line in advice { console.print(line) }
    }

    private func complain(_ status: ClusterStatus) {
        guard !hasComplained, SystemClock.monotonicNanoseconds() - started > Self.complaintAfter else { return }
        hasComplained = true
        clearBar()
        console.note("Not all is well yet:")
        for condition in status.conditions { console.note("  " + ConditionScreen.line(condition, console.errorStyle)) }
    }

    // MARK: Drawing

    private func draw() {
        if drawsBar {
            // The cursor waits at the start, so that a line of the log is not appended to the bar.
            console.draw("\r\u{1B}[K\(progress.bar(console.errorStyle))\r")
        } else {
            console.note(progress.line)
        }
    }

    private func clearBar() {
        if drawsBar && shown == nil { console.draw("\r\u{1B}[K") }
    }
}
