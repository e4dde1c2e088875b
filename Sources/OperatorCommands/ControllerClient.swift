import ClusterModel
package import LinuxSystem
package import Orchestration
package import Transport
import Wire

/// A connection to the controller over its control socket.
package final class ControllerClient {
    /// Where the controller answered.
    package let path: String
    private let connection: BlockingConnection
    private let patience: Duration

    /// The controller asks its nodes for at most a quarter of a second; the rest is for a busy machine.
    package static let usualPatience = Duration.seconds(5)

    /// Connects to the first controller of a search that answers.
    ///
    /// - Parameter patience: how long to wait for each answer.
    package static func connect(
        _ search: SocketSearch, patience: Duration = usualPatience
    ) throws(CommandFailure) -> ControllerClient {
        var tried: [(path: String, problem: String)] = []
        var isForbidden = false
        for path in search.candidates {
            do throws(SystemError) {
                if let owner = try Files.permissions(of: path)?.owner, !search.trusts(path, owner: owner) {
                    tried.append((path, "belongs to user \(owner), so it could be anybody's; name it with --socket"))
                    continue
                }
            } catch {
                // Connecting says the same, and better.
            }
            do throws(BlockingConnectionError) {
                return try ControllerClient(path: path, patience: patience)
            } catch {
                guard case .system(let error) = error else { throw Self.silent(error, search) }
                if error.isPermissionDenied { isForbidden = true }
                tried.append((path, Self.problem(error)))
            }
        }
        throw Self.notReachable(tried, isForbidden: isForbidden)
    }

    /// - Parameter patience: how long to wait for each answer.
    /// - Throws: `system` when nobody listens at the path.
    package init(path: String, patience: Duration = usualPatience) throws(BlockingConnectionError) {
        self.path = path
        self.patience = patience
        connection = try BlockingConnection(to: .unix(path: path), timeout: patience)
        var output: [UInt8] = []
        CommonCodec.encode(PortHello(name: "tandem \(TandemVersion.current)"), to: &output)
        try connection.send(raw: output)
        let frame = try connection.receive(timeout: min(patience, .seconds(2)))
        guard frame.type == FrameType.hello else { throw .badFrame(connection.address, Self.problem(frame)) }
    }

    package func status() throws(CommandFailure) -> ClusterStatus {
        guard case .status(let status) = try ask(.status) else { throw unexpected() }
        return status
    }

    package func details(of dn: String) throws(CommandFailure) -> DNDetails {
        guard case .dn(let details) = try ask(.showDN(dn)) else { throw unexpected() }
        return details
    }

    package func history(of dn: String) throws(CommandFailure) -> DNHistories {
        guard case .history(let histories) = try ask(.showHistory(dn)) else { throw unexpected() }
        return histories
    }

    package func list(_ filter: DNFilter) throws(CommandFailure) -> DNList {
        guard case .dnList(let list) = try ask(.listDNs(filter)) else { throw unexpected() }
        return list
    }

    package func agents(_ filter: AgentFilter) throws(CommandFailure) -> AgentList {
        guard case .agents(let list) = try ask(.listAgents(filter)) else { throw unexpected() }
        return list
    }

    package func calls(_ filter: CallFilter) throws(CommandFailure) -> CallList {
        guard case .calls(let list) = try ask(.listCalls(filter)) else { throw unexpected() }
        return list
    }

    package func routes(_ question: RouteQuestion) throws(CommandFailure) -> RouteAnswers {
        guard case .routes(let answers) = try ask(.explainRoute(question)) else { throw unexpected() }
        return answers
    }

    package func statistics(_ question: StatisticsQuestion) throws(CommandFailure) -> StatisticsAnswer {
        guard case .statistics(let answer) = try ask(.statistics(question)) else { throw unexpected() }
        return answer
    }

    /// What each node's callers could be connected with.
    package func reach() throws(CommandFailure) -> [NodeReach] {
        guard case .reach(let nodes) = try ask(.reach) else { throw unexpected() }
        return nodes
    }

    package func restart(_ request: RestartRequest) throws(CommandFailure) -> RolloutMachine? {
        guard case .rollout(let rollout) = try ask(.restart(request)) else { throw unexpected() }
        return rollout
    }

    /// - Parameter request: nil to let a node keep its phones and desktops.
    package func drain(_ node: String, _ request: DrainRequest?) throws(CommandFailure) {
        guard case .done = try ask(.drain(node: node, request)) else { throw unexpected() }
    }

    /// Has the controller read its files again.
    package func reload() throws(CommandFailure) -> ReloadReport {
        guard case .reloaded(let report) = try ask(.reload) else { throw unexpected() }
        return report
    }

    /// - Returns: how it is after the change, if there is to be one; nil if there has been none.
    package func rollout(_ change: RolloutChange?) throws(CommandFailure) -> RolloutMachine? {
        guard case .rollout(let rollout) = try ask(.rollout(change)) else { throw unexpected() }
        return rollout
    }

    /// Asks for the event stream; the answers come from `nextEvents`.
    package func beginEvents(_ start: EventStart, follow: Bool) throws(CommandFailure) {
        try send(.events(start, follow: follow))
    }

    /// - Parameter timeout: nil for the usual patience.
    /// - Returns: the next answer of the event stream; nil when none has come in time.
    package func nextEvents(timeout: Duration? = nil) throws(CommandFailure) -> EventBatch? {
        let frame: Frame
        do throws(BlockingConnectionError) {
            frame = try connection.receive(timeout: timeout ?? patience)
        } catch {
            if case .timedOut = error { return nil }
            throw gone(error)
        }
        guard case .events(let batch) = try decoded(frame) else { throw unexpected() }
        return batch
    }

    /// To wait for the next answer beside other descriptors.
    package var descriptor: OwnedDescriptor { connection.descriptor }

    func send(_ request: OperatorRequest) throws(CommandFailure) {
        var output: [UInt8] = []
        OperatorCodec.encode(request, to: &output)
        try send(raw: output)
    }

    func send(raw output: [UInt8]) throws(CommandFailure) {
        do throws(BlockingConnectionError) {
            try connection.send(raw: output)
        } catch {
            throw gone(error)
        }
    }

    func ask(_ request: OperatorRequest) throws(CommandFailure) -> OperatorAnswer {
        try send(request)
        return try next()
    }

    func next() throws(CommandFailure) -> OperatorAnswer {
        let frame: Frame
        do throws(BlockingConnectionError) {
            frame = try connection.receive(timeout: patience)
        } catch {
            if case .timedOut = error {
                throw CommandFailure(
                    "the controller at \(path) did not answer in time; look at it with "
                        + "`systemctl status tandemd`, or where `tandem up` runs", .timedOut
                )
            }
            throw gone(error)
        }
        return try decoded(frame)
    }

    private func decoded(_ frame: Frame) throws(CommandFailure) -> OperatorAnswer {
        let answer: OperatorAnswer
        do throws(WireError) {
            answer = try OperatorCodec.decodeAnswer(type: frame.type, frame.payload.span.bytes)
        } catch {
            let problem = frame.type == FrameType.problem ? Self.problem(frame) : error.sentence
            throw CommandFailure("the controller at \(path) could not be understood: \(problem)", .failed)
        }
        guard case .refused(let message, let code) = answer else { return answer }
        throw CommandFailure(message, exitCode: Int32(clamping: code))
    }

    private func gone(_ error: BlockingConnectionError) -> CommandFailure {
        CommandFailure("the controller at \(path) is gone: \(error); start it again", .notReachable)
    }

    func unexpected() -> CommandFailure {
        CommandFailure(
            "the controller at \(path) answered another question; is it of another version? `tandem version` tells "
                + "this program's", .failed
        )
    }

    private static func problem(_ frame: Frame) -> String {
        guard frame.type == FrameType.problem,
            let problem = try? CommonCodec.decodeProblem(frame.payload.span.bytes)
        else { return "message type \(frame.type) came instead of an answer" }
        return problem
    }

    // MARK: Sentences

    /// Nobody answers anywhere: what was tried, why it was not that, and what to do.
    package static func notReachable(
        _ tried: [(path: String, problem: String)], isForbidden: Bool = false
    ) -> CommandFailure {
        let places = tried.map { "\($0.path) (\($0.problem))" }
        let remedy =
            isForbidden
            ? "become the user who started it, or a member of the group tandem"
            : "start one with `tandem up clusters/two-datacenters.yaml`, or see `systemctl status tandemd`"
        return CommandFailure(
            "no controller answers at \(Wording.list(places)); \(remedy)", isForbidden ? .notPermitted : .notReachable)
    }

    private static func problem(_ error: SystemError) -> String {
        if error.isNoSuchFile { return "no such file" }
        if error.isConnectionRefused { return "nobody listens there any more" }
        if error.isPermissionDenied { return "this user may not use it" }
        return "\(error)"
    }

    /// Somebody holds the socket and does not answer. Another candidate would be another cluster, so none is tried.
    private static func silent(_ error: BlockingConnectionError, _ search: SocketSearch) -> CommandFailure {
        let remedy =
            search.isExplicit ? "is it a controller's socket?" : "look at it with `systemctl status tandemd`"
        return CommandFailure("\(error); \(remedy)", .notReachable)
    }
}
