import ClusterModel
import LinuxSystem
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
    package static func connect(_ search: SocketSearch) throws(CommandFailure) -> ControllerClient {
        var forbidden: String?
        for path in search.candidates {
            do throws(SystemError) {
                if let owner = try Files.permissions(of: path)?.owner, !search.trusts(owner: owner) { continue }
            } catch {
                // Connecting says the same, and better.
            }
            do throws(BlockingConnectionError) {
                return try ControllerClient(path: path)
            } catch {
                if case .system(let error) = error {
                    if error.isPermissionDenied { forbidden = forbidden ?? path }
                    if search.isExplicit { throw Self.failure(path, error) }
                } else if !search.isExplicit {
                    // Somebody holds the socket and does not answer: another one would be another cluster.
                    throw CommandFailure("\(error); look at it with `systemctl status tandemd`", .notReachable)
                } else {
                    throw CommandFailure("\(error); is it a controller's socket?", .notReachable)
                }
            }
        }
        if let forbidden { throw Self.notPermitted(forbidden) }
        throw Self.notReachable(search.candidates)
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

    package func list(_ filter: DNFilter) throws(CommandFailure) -> DNList {
        guard case .dnList(let list) = try ask(.listDNs(filter)) else { throw unexpected() }
        return list
    }

    private func ask(_ request: OperatorRequest) throws(CommandFailure) -> OperatorAnswer {
        var output: [UInt8] = []
        OperatorCodec.encode(request, to: &output)
        let frame: Frame
        do throws(BlockingConnectionError) {
            try connection.send(raw: output)
            frame = try connection.receive(timeout: patience)
        } catch {
            if case .timedOut = error {
                throw CommandFailure(
                    "the controller at \(path) did not answer in time; look at it with "
                        + "`systemctl status tandemd`, or where `tandem up` runs", .timedOut
                )
            }
            throw CommandFailure("the controller at \(path) is gone: \(error); start it again", .notReachable)
        }
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

    private func unexpected() -> CommandFailure {
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

    /// Nobody answers anywhere.
    package static func notReachable(_ paths: [String]) -> CommandFailure {
        CommandFailure(
            "no controller answers at \(Wording.list(paths)); start one with `tandem up "
                + "clusters/two-datacenters.yaml`, or see `systemctl status tandemd`", .notReachable
        )
    }

    private static func notPermitted(_ path: String) -> CommandFailure {
        CommandFailure(
            "this user may not use the controller's socket \(path); become the user who started it, or a member of the "
                + "group tandem", .notPermitted
        )
    }

    private static func failure(_ path: String, _ error: SystemError) -> CommandFailure {
        if error.isPermissionDenied { return notPermitted(path) }
        if error.isNoSuchFile || error.isConnectionRefused { return notReachable([path]) }
        return CommandFailure("\(error); name the controller's socket with --socket", .notReachable)
    }
}
