import ClusterModel
import Foundation
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
        _ routes: [WebRoute] = [.hello, .echo], tls: TLSSource? = nil, limits: WebLimits = WebLimits()
    ) throws {
        let listener = try Sockets.listeningTCP(try #require(NetworkAddress("127.0.0.1:0")))
        address = try listener.localAddress()
        let site = WebSite(routes: routes, baseHeaders: { [("X-Base", "here")] })
        server = WebServer(tls: tls, site: site, limits: limits, logger: Logger(label: "test"))
        try server.start(listener.release())
    }

    deinit {
        server.close()
    }

    func connect() throws -> RawClient { try RawClient(address) }
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

/// Bytes to a socket and back, with a deadline on each wait. Used by one task at a time.
///
/// It waits on threads of its own: those of Swift's pool are the server's.
final class RawClient: @unchecked Sendable {
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
    func read(until isEnough: @escaping @Sendable (String) -> Bool) async -> String {
        await withCheckedContinuation { continuation in
            Thread.detachNewThread { continuation.resume(returning: self.readNow(until: isEnough)) }
        }
    }

    /// - Returns: whether something can be read.
    func waitForInput() async -> Bool {
        await withCheckedContinuation { continuation in
            Thread.detachNewThread {
                let isThere = try? self.socket.wait(forReading: true, nanoseconds: Self.patience)
                continuation.resume(returning: isThere ?? false)
            }
        }
    }

    private func readNow(until isEnough: (String) -> Bool) -> String {
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

    func read(through end: String) async -> String { await read { $0.contains(end) } }

    /// Everything until the other side closes.
    func readToEnd() async -> String { await read { _ in false } }
}

/// Something that happens once, on whatever thread.
final class Latch: Sendable {
    private let (happened, source) = AsyncStream.makeStream(of: Void.self)

    func open() {
        source.yield(())
        source.finish()
    }

    func wait() async {
        for await _ in happened { return }
    }
}
