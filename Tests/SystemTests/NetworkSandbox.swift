import ClusterModel
import Glibc
import LinuxSystem
import Testing

/// A network namespace of a test's own: ports clash with nobody's, and links can really be cut with nftables. Unix
/// sockets reach into it, so the test itself stays outside. With mounts of its own, too, where a test wants that: then disks
/// can be full or read-only.
final class NetworkSandbox {
    private let keeper: ChildProcess
    private let isRoot = ProcessInformation.user == 0
    private let hasMounts: Bool

    init(hasMounts: Bool = false) throws {
        self.hasMounts = hasMounts
        // The namespace lives as long as this process.
        let keep = "exec tail -f /dev/null --pid=\(ProcessInformation.current)"
        let userNamespace = isRoot ? [] : ["--map-root-user", "--user"]
        let (signal, ready) = try Sockets.streamPair()
        keeper = try ChildProcess.spawn(
            "/usr/bin/unshare",
            arguments: userNamespace + (hasMounts ? ["--mount"] : []) + [
                "--net", "sh", "-c", "/bin/ip link set lo up && echo ready >&4 && \(keep)",
            ],
            environment: Executables.environment,
            inherited: [ChildProcess.Inheritance(ready, as: 4)]
        )
        ready.close()
        _ = try signal.wait(forReading: true, nanoseconds: 10_000_000_000)
    }

    deinit {
        _ = try? keeper.send(.kill)
        _ = try? keeper.descriptor.wait(forReading: true, nanoseconds: 5_000_000_000)
        _ = try? keeper.exitStatus()
    }

    /// The command line that runs a program inside.
    func inside(_ command: [String]) -> [String] {
        let user = isRoot ? [] : ["--user", "--preserve-credentials"]
        let mounts = hasMounts ? ["--mount"] : []
        return ["/usr/bin/nsenter", "--target", "\(keeper.process)", "--net"] + mounts + user + command
    }

    /// Runs a program inside to its end.
    @discardableResult
    func run(_ command: [String], seconds: UInt64 = 30) throws -> (code: Int32, output: String) {
        try Program.run(inside(command), seconds: seconds)
    }

    /// Drops every packet of a TCP port, so that neither end hears anything any more.
    func cutSilently(port: Int) throws {
        try nft("add table inet cut")
        try nft("add chain inet cut input { type filter hook input priority 0 ; }")
        try nft("add rule inet cut input tcp dport \(port) drop")
        try nft("add rule inet cut input tcp sport \(port) drop")
    }

    /// Answers every packet of a TCP port with a reset.
    func cutWithReset(port: Int) throws {
        try nft("add table inet cut")
        try nft("add chain inet cut input { type filter hook input priority 0 ; }")
        try nft("add rule inet cut input tcp dport \(port) reject with tcp reset")
        try nft("add rule inet cut input tcp sport \(port) reject with tcp reset")
    }

    /// Refuses connections to a TCP port, and ends those that there are with a reset when they are used. What the other side
    /// says still arrives: it is as if its program were gone.
    func refuse(port: Int) throws {
        try nft("add table inet cut")
        try nft("add chain inet cut input { type filter hook input priority 0 ; }")
        try nft("add rule inet cut input tcp dport \(port) reject with tcp reset")
    }

    func heal() throws {
        try nft("delete table inet cut")
    }

    private func nft(_ command: String) throws {
        let result = try run(["/usr/sbin/nft", command])
        try #require(result.code == 0, "nft \(command): \(result.output)")
    }
}

/// Programs that run to their end.
enum Program {
    /// - Returns: the exit code and what was written to standard output and error.
    static func run(
        _ command: [String], seconds: UInt64 = 30, environment: [String] = Executables.environment
    ) throws -> (code: Int32, output: String) {
        let (ours, theirs) = try Sockets.streamPair()
        // Programs expect that writing waits; what we have not read yet on a busy machine would be lost.
        _ = fcntl(theirs.number, F_SETFL, 0)
        let process = try ChildProcess.spawn(
            command[0], arguments: Array(command.dropFirst()), environment: environment,
            inherited: [ChildProcess.Inheritance(theirs, as: 1), ChildProcess.Inheritance(theirs, as: 2)]
        )
        theirs.close()
        let output = try readToEnd(ours, deadline: SystemClock.monotonicNanoseconds() + seconds * 1_000_000_000)
        guard try process.descriptor.wait(forReading: true, nanoseconds: seconds * 1_000_000_000) else {
            try process.send(.kill)
            throw Timeout(what: command.joined(separator: " "))
        }
        guard case .exited(let code) = try process.exitStatus() else { return (-1, output) }
        return (code, output)
    }

    private static func readToEnd(_ descriptor: OwnedDescriptor, deadline: UInt64) throws -> String {
        var bytes: [UInt8] = []
        let piece = UnsafeMutableRawBufferPointer.allocate(byteCount: 4096, alignment: 1)
        defer { piece.deallocate() }
        while true {
            let now = SystemClock.monotonicNanoseconds()
            guard now < deadline, try descriptor.wait(forReading: true, nanoseconds: deadline - now) else { break }
            guard let count = try descriptor.read(into: piece), count > 0 else { break }
            bytes.append(contentsOf: piece[..<count])
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}

struct Timeout: Error, CustomStringConvertible {
    let what: String

    var description: String { "\(what) took too long" }
}
