import ClusterModel
import LinuxSystem
package import Orchestration

/// Follows workers on their way to the topology that is applied, and outlives the controller.
struct ChangeSession {
    private static let interval = Duration.milliseconds(100)
    /// So often a controller may be silent.
    private static let patience = 10

    private let search: SocketSearch
    private let isJSON: Bool
    private let timeout: Duration?
    private let console: Console

    init(_ search: SocketSearch, isJSON: Bool, timeout: Duration?, _ console: Console) {
        self.search = search
        self.isJSON = isJSON
        self.timeout = timeout
        self.console = console
    }

    /// How it is, once.
    func show(_ status: ChangeStatus) {
        if isJSON { return console.write(JSONOutput.rendered(ChangeJSON(status))) }
        console.print(ChangeScreen.summary(status))
        if !status.isSettled { console.suggest("`tandem apply --wait` follows it.") }
    }

    /// - Parameter generation: that is waited for; nil for whichever is applied. A later one takes its place.
    func follow(_ generation: UInt64?) throws {
        let attention = try Attention()
        let began = SystemClock.monotonicNanoseconds()
        var client: ControllerClient?
        var silences = 0
        var shown: ChangeStatus?
        while true {
            do throws(CommandFailure) {
                if client == nil { client = try ControllerClient.connect(search) }
                guard let status = try client?.change() else { continue }
                silences = 0
                tell(status, after: shown)
                shown = status
                if try isAtEnd(status, generation) { return }
            } catch {
                // A controller that is started again goes on with it; one whose disk is slow is asked again.
                if error.exitCode == ExitStatus.timedOut.rawValue, silences < Self.patience {
                    silences += 1
                } else if error.exitCode != ExitStatus.notReachable.rawValue {
                    throw error
                }
                client = nil
            }
            if let timeout, SystemClock.monotonicNanoseconds() - began > timeout.nanoseconds {
                throw CommandFailure(
                    "not every worker runs it yet; the controller goes on, and `tandem apply --wait` follows it",
                    .timedOut)
            }
            guard try attention.wait(for: nil, Self.interval) != .stop else {
                return console.note("The controller goes on; `tandem apply --wait` follows it.")
            }
        }
    }

    private func tell(_ status: ChangeStatus, after shown: ChangeStatus?) {
        guard status != shown else { return }
        if isJSON { return console.write(JSONOutput.compact(ChangeJSON(status))) }
        for line in ChangeScreen.changes(from: shown, to: status) { console.note(line) }
    }

    private func isAtEnd(_ status: ChangeStatus, _ generation: UInt64?) throws(CommandFailure) -> Bool {
        if let generation, status.generation > generation, !isJSON {
            console.note("generation \(status.generation) has been applied meanwhile")
        }
        if status.isSettled {
            if !isJSON { console.print(ChangeScreen.summary(status)) }
            return true
        }
        if let refusal = status.refusals.first { throw CommandFailure(refusal, .failed) }
        if status.waitsForYes {
            throw CommandFailure(
                "what is left to be done puts DNs out of service; see `tandem plan`, and accept it with `tandem apply FILE --yes`",
                .failed)
        }
        if status.isGivenUp {
            throw CommandFailure(
                "a worker was not restarted; `tandem rollout` tells which and why, and `tandem rollout resume --wait` tries again",
                .failed)
        }
        return false
    }
}

/// How far workers are, for people.
package enum ChangeScreen {
    package static func summary(_ status: ChangeStatus) -> String {
        let waiting = status.workers.filter { !$0.next.isEmpty }
        guard status.isSettled else {
            let left = waiting.isEmpty ? "" : ", \(Wording.count(waiting.count, "step")) left"
            return "generation \(status.generation) is applied\(left)"
        }
        return "generation \(status.generation): every worker runs it"
    }

    /// A line for each worker with which something else is done than before.
    package static func changes(from before: ChangeStatus?, to after: ChangeStatus) -> [String] {
        let former = Dictionary(
            (before?.workers ?? []).map { ($0.name, $0) }, uniquingKeysWith: { first, _ in first })
        var lines: [String] = []
        for worker in after.workers where former[worker.name] != worker {
            if !worker.problem.isEmpty, former[worker.name]?.problem != worker.problem {
                lines.append("\(worker.name): \(Wording.printable(worker.problem))")
            } else if !worker.next.isEmpty, worker.isUnderWay, former[worker.name]?.isUnderWay != true {
                lines.append("\(worker.name): \(word(worker.next))")
            } else if worker.next.isEmpty, former[worker.name]?.next.isEmpty == false {
                lines.append("\(worker.name): runs generation \(worker.generation ?? after.generation)")
            }
        }
        let names = Set(after.workers.map(\.name))
        for worker in before?.workers ?? [] where !names.contains(worker.name) { lines.append("\(worker.name): gone") }
        return lines
    }

    private static func word(_ step: String) -> String {
        switch step {
        case "drain": "its phones and desktops are asked to leave"
        case "stop": "being stopped"
        case "apply": "being told"
        case "start": "being started"
        case "restart": "being restarted"
        case _: step
        }
    }
}

/// What `tandem apply --json` prints.
package struct ChangeJSON: Encodable, Equatable, Sendable {
    package struct Worker: Encodable, Equatable, Sendable {
        var name: String
        @OrNull var generation: UInt64?
        @OrNull var next: String?
        var underWay: Bool
        @OrNull var problem: String?
    }

    var generation: UInt64
    var appliedAt: UInt64
    var settled: Bool
    var waitsForYes: Bool
    var givenUp: Bool
    var refusals: [String]
    var workers: [Worker]

    package init(_ status: ChangeStatus) {
        generation = status.generation
        appliedAt = status.appliedAt
        settled = status.isSettled
        waitsForYes = status.waitsForYes
        givenUp = status.isGivenUp
        refusals = status.refusals
        workers = status.workers.map { worker in
            Worker(
                name: worker.name, generation: worker.generation, next: worker.next.isEmpty ? nil : worker.next,
                underWay: worker.isUnderWay, problem: worker.problem.isEmpty ? nil : worker.problem)
        }
    }
}
