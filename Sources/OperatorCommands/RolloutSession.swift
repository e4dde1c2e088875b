import ClusterModel
import LinuxSystem
import Orchestration

/// Follows a rollout until it is over, and outlives the controller.
struct RolloutSession {
    private static let interval = Duration.milliseconds(100)

    private let search: SocketSearch
    private let number: UInt64
    private let isJSON: Bool
    private let console: Console
    private var shown: RolloutMachine?
    /// Lines that were drawn and are drawn over.
    private var drawnLines = 0

    init(_ search: SocketSearch, _ number: UInt64, isJSON: Bool, _ console: Console) {
        self.search = search
        self.number = number
        self.isJSON = isJSON
        self.console = console
    }

    mutating func show(_ rollout: RolloutMachine) {
        console.write(
            isJSON ? JSONOutput.rendered(RolloutJSON(rollout)) : RolloutScreen.rendered(rollout, console.style))
    }

    /// So often a controller may be silent.
    private static let patience = 10

    /// Until it is over, failed, or the user stops looking; the rollout goes on then.
    mutating func follow() throws {
        let attention = try Attention()
        var client: ControllerClient?
        var silences = 0
        while true {
            do throws(CommandFailure) {
                if client == nil { client = try ControllerClient.connect(search) }
                guard let rollout = try client?.rollout(nil), rollout.number == number else {
                    throw CommandFailure("the controller knows nothing of this rollout any more", .failed)
                }
                tell(rollout)
                if isAtEnd(rollout) { return try conclude(rollout) }
            } catch {
                // A controller that is started again goes on with the rollout.
                // One whose disk is slow is asked again.
                if error.exitCode == ExitStatus.timedOut.rawValue, silences < Self.patience {
                    silences += 1
                } else if error.exitCode != ExitStatus.notReachable.rawValue {
                    throw error
                }
                client = nil
            }
            guard try attention.wait(for: nil, Self.interval) != .stop else {
                console.note("The rollout goes on; `tandem rollout --wait` follows it.")
                return
            }
        }
    }

    private func isAtEnd(_ rollout: RolloutMachine) -> Bool {
        switch rollout.phase {
        case .finished: true
        case .failed, .aborted: !rollout.members.contains { $0.state == .restarting }
        case .running, .paused, .reverting: false
        }
    }

    /// What is new: drawn over what was there on a terminal, otherwise a line for each change.
    private mutating func tell(_ rollout: RolloutMachine) {
        guard rollout != shown else { return }
        defer { shown = rollout }
        if isJSON { return console.write(JSONOutput.compact(RolloutJSON(rollout))) }
        guard console.canDraw else {
            for line in RolloutScreen.changes(from: shown, to: rollout) { console.print(line) }
            return
        }
        let table = RolloutScreen.bars(rollout, console.style)
        if drawnLines > 0 { console.write("\u{1B}[\(drawnLines)A\u{1B}[J") }
        console.write(table)
        drawnLines = table.utf8.count { $0 == UInt8(ascii: "\n") }
    }

    private func conclude(_ rollout: RolloutMachine) throws(CommandFailure) {
        if !isJSON { console.print(RolloutScreen.summary(rollout)) }
        guard rollout.phase != .finished else { return }
        guard rollout.phase != .aborted, let failed = rollout.culprit else {
            throw CommandFailure("the rollout was aborted; `tandem restart --rolling` begins another", .failed)
        }
        for line in failed.logLines { console.note("  \(Wording.printable(line))") }
        throw CommandFailure(
            "\(failed.name) was not restarted: \(failed.problem); mend that and go on with `tandem rollout resume --wait`, "
                + "or end it with `tandem rollout abort`", .failed)
    }
}
