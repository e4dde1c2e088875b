import ClusterModel
import Dispatch
import LinuxSystem
import Logging
import TLS
import Testing
import WebServer

/// A server on a port of its own.
final class TestServer {
    let server: WebServer
    let address: NetworkAddress

    init(
        _ routes: [WebRoute] = [.hello, .echo], at given: OwnedDescriptor? = nil, tls: TLSSource? = nil,
        limits: WebLimits = WebLimits()
    ) throws {
        let listener = try given?.duplicate() ?? Sockets.listeningTCP(try #require(NetworkAddress("127.0.0.1:0")))
        address = try listener.localAddress()
        let site = WebSite(routes: routes, baseHeaders: { [("X-Base", "here")] })
        server = WebServer(tls: tls, site: site, limits: limits, logger: Logger(label: "test"))
        try server.start(listener.release())
    }

    deinit {
        server.close()
    }

    func connect() throws -> RawClient { try RawClient(address) }

    /// Asks on one connection after the other until somebody is served: the server hears of an end when it gets round to it.
    func servesAgain() throws -> Bool {
        let deadline = SystemClock.monotonicNanoseconds() + RawClient.patience
        while SystemClock.monotonicNanoseconds() < deadline {
            let client = try connect()
            client.send("GET /hello HTTP/1.1\r\nHost: x\r\n\r\n")
            if client.read(through: "hello ").contains("hello ") { return true }
        }
        return false
    }
}

extension WebRoute {
    static let hello = WebRoute("GET", "/hello") { request in
        WebResponse(
            status: 200, headers: [("Content-Type", "text/plain"), ("X-Source", request.source.description)],
            body: .bytes(Array("hello \(request.query["name"] ?? "")".utf8)))
    }
    static let echo = WebRoute("POST", "/echo/{what}") { request in
        WebResponse(status: 200, body: .bytes(Array((request.parameters["what"] ?? "").utf8) + request.body))
    }
}

/// Bytes to a socket and back, with a deadline on each wait.
final class RawClient {
    /// Nanoseconds.
    static let patience: UInt64 = 20_000_000_000

    let socket: OwnedDescriptor
    private var received: [UInt8] = []
    private(set) var isClosed = false

    init(_ address: NetworkAddress) throws {
        let (socket, isConnected) = try Sockets.connecting(to: .tcp(address))
        self.socket = socket
        if !isConnected { _ = try socket.wait(forReading: false, nanoseconds: Self.patience) }
    }

    /// - Returns: how many bytes left before the other side would take no more.
    @discardableResult
    func send(_ bytes: [UInt8]) -> Int {
        var start = 0
        while start < bytes.count {
            do {
                if let count = try socket.send(bytes, from: start) {
                    start += count
                } else if try !socket.wait(forReading: false, nanoseconds: 1_000_000_000) {
                    break
                }
            } catch {
                isClosed = true
                break
            }
        }
        return start
    }

    @discardableResult
    func send(_ text: String) -> Int { send(Array(text.utf8)) }

    /// Reads until what came satisfies, the other side closes, or the patience ends.
    /// - Returns: whether something can be read.
    func waitForInput() -> Bool { (try? socket.wait(forReading: true, nanoseconds: Self.patience)) ?? false }

    /// Reads until what came satisfies, the other side closes, or the patience ends.
    func read(until isEnough: (String) -> Bool) -> String {
        var text = String(decoding: received, as: UTF8.self)
        while !isEnough(text), !isClosed {
            do {
                guard try socket.wait(forReading: true, nanoseconds: Self.patience) else { break }
                var bytes = [UInt8](repeating: 0, count: 64 * 1024)
                guard let count = try socket.read(into: &bytes) else { continue }
                if count == 0 { isClosed = true }
                received += bytes.prefix(count)
            } catch {
                isClosed = true
            }
            text = String(decoding: received, as: UTF8.self)
        }
        received = []
        return text
    }

    func read(through end: String) -> String { read { $0.contains(end) } }

    /// Everything until the other side closes.
    func readToEnd() -> String { read { _ in false } }
}

/// A browser's end of TLS over a `RawClient`.
final class TLSClient {
    let raw: RawClient
    let session: TLSSession
    private var text: [UInt8] = []

    init(_ raw: RawClient, _ context: TLSContext) throws {
        self.raw = raw
        session = try TLSSession(context, expecting: .host("desk.example.com"))
        while try !session.advance() { try #require(exchange()) }
    }

    func send(_ text: String) throws {
        let bytes = Array(text.utf8)
        try #require(try bytes.withUnsafeBytes { try session.write($0) } == bytes.count)
        flush()
    }

    /// Says that nothing more comes.
    func finish() {
        session.finish()
        flush()
    }

    /// Reads until what came satisfies, or the other side closes.
    func read(until isEnough: ([UInt8]) -> Bool) throws -> [UInt8] {
        while !isEnough(text), try exchange() {}
        return text
    }

    private func flush() {
        var output: [UInt8] = []
        session.takeOutput(into: &output)
        raw.send(output)
    }

    /// - Returns: false once the other side has closed.
    private func exchange() throws -> Bool {
        flush()
        try #require(raw.waitForInput())
        var input = [UInt8](repeating: 0, count: 64 * 1024)
        guard let count = try raw.socket.read(into: &input) else { return true }
        for start in stride(from: 0, to: count, by: 16_384) {
            let piece = Array(input[start..<min(count, start + 16_384)])
            try piece.withUnsafeBytes { try session.receive($0) }
            var plain = [UInt8](repeating: 0, count: 16_384)
            while let count = try plain.withUnsafeMutableBytes({ try session.read(into: $0) }), count > 0 {
                text += plain.prefix(count)
            }
        }
        return count > 0
    }
}

/// Something that happens once, on whatever thread.
final class Latch: Sendable {
    private let (happened, source) = AsyncStream.makeStream(of: Void.self)
    private let semaphore = DispatchSemaphore(value: 0)

    func open() {
        source.finish()
        semaphore.signal()
    }

    /// Waits for it, but not for ever.
    func isOpen() -> Bool { semaphore.wait(timeout: .now() + 20) == .success }

    /// For who answers a request meanwhile.
    func wait() async {
        for await _ in happened {}
    }
}
