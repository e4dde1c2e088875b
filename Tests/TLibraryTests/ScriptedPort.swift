import ClusterModel
import Glibc
import LinuxSystem
import TLibraryPorts
import Wire

/// A node's port that says its lines to whoever connects and listens to nothing.
struct ScriptedPort {
    let address: StreamAddress
    private let path: String

    /// - Parameter closes: hang up at the end of the script; otherwise stay connected until the test is over.
    init(_ script: [UInt8], closes: Bool = false) throws {
        path = "/tmp/tandem-test-\(SystemRandom.word()).sock"
        address = .unix(path: path)
        let listener = try UnixSocket.listen(path: path).release()
        let box = Box(listener: listener, script: script, closes: closes)
        try BackgroundThread.start { box.play() }
    }

    func remove() {
        _ = try? Files.remove(path)
    }

    private final class Box: Sendable {
        /// Far longer than a test waits for its turn among others, in nanoseconds.
        private static let patience: UInt64 = 900_000_000_000

        let listener: Int32
        let script: [UInt8]
        let closes: Bool

        init(listener: Int32, script: [UInt8], closes: Bool) {
            self.listener = listener
            self.script = script
            self.closes = closes
        }

        func play() {
            let listener = OwnedDescriptor(adopting: self.listener)
            guard (try? listener.wait(forReading: true, nanoseconds: Self.patience)) == true,
                let connection = try? listener.acceptConnection()
            else { return }
            _ = try? connection.send(script, from: 0)
            if closes {
                connection.shutdownWriting()
            }
            // Until the client goes: its requests are left unread, and their end is waited for.
            var byte: UInt8 = 0
            while (try? connection.wait(forReading: true, nanoseconds: Self.patience)) == true {
                if Glibc.read(connection.number, &byte, 1) <= 0 { return }
            }
        }
    }
}

extension ScriptedPort {
    private static let codec = TLibraryCodec(
        cluster: "pair", version: "1",
        nodes: [TLibraryCodec.NodeLabel(name: "dc1/sip1", address: .unix(path: "/run/port"), location: "west")]
    )

    static func hello() -> [UInt8] {
        var bytes: [UInt8] = []
        CommonCodec.encode(PortHello(name: "dc1/sip1", cluster: "pair", lineage: 9), to: &bytes)
        let position = FeedPosition(lineage: Incarnation(rawValue: 9), sequence: 3)
        codec.encode(
            .serverInfo(referenceID: nil, ServerInfo(position: position, provisionedDNs: 4, links: [])),
            server: NodeIndex(0), now: Instant(monotonic: 0, wallMilliseconds: 5), to: &bytes)
        return bytes
    }

    static func script(_ events: [TEvent]) -> [UInt8] {
        var bytes = hello()
        for event in events {
            codec.encode(event, server: NodeIndex(0), now: Instant(monotonic: 0, wallMilliseconds: 5), to: &bytes)
        }
        return bytes
    }
}
