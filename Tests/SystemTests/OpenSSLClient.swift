import Glibc
import LinuxSystem
import Testing

/// `openssl s_client`, with what a test says to it.
final class OpenSSLClient {
    private let process: ChildProcess
    private let stream: OwnedDescriptor
    private var received: [UInt8] = []

    init(_ cluster: TestCluster, port: Int = 5061, _ arguments: [String]) throws {
        let (ours, theirs) = try Sockets.streamPair()
        stream = ours
        _ = fcntl(theirs.number, F_SETFL, 0)
        let command = cluster.sandbox.inside(
            ["/usr/bin/openssl", "s_client", "-connect", "127.0.0.1:\(port)", "-quiet"] + arguments)
        process = try ChildProcess.spawn(
            command[0], arguments: Array(command.dropFirst()), environment: Executables.environment,
            inherited: (0...2).map { ChildProcess.Inheritance(theirs, as: $0) })
    }

    func send(_ text: String) throws { try send(Array(text.utf8)) }

    func send(_ bytes: [UInt8]) throws { #expect(try stream.send(bytes, from: 0) == bytes.count) }

    /// What has come when a text is in it, or when the program has ended; it is not told again.
    func receive(until text: String, seconds: UInt64 = 10) throws -> String {
        let deadline = SystemClock.monotonicNanoseconds() + seconds * 1_000_000_000
        var piece = [UInt8](repeating: 0, count: 4096)
        while true {
            let all = String(decoding: received, as: UTF8.self)
            let now = SystemClock.monotonicNanoseconds()
            guard !all.contains(text), now < deadline else {
                received = []
                return all
            }
            guard try stream.wait(forReading: true, nanoseconds: deadline - now) else { continue }
            let count = try stream.read(into: &piece) ?? 0
            received += piece[..<count]
            if count == 0 { return String(decoding: received, as: UTF8.self) }
        }
    }

    deinit {
        _ = try? process.send(.kill)
        _ = try? process.descriptor.wait(forReading: true, nanoseconds: 5_000_000_000)
        _ = try? process.exitStatus()
    }
}
