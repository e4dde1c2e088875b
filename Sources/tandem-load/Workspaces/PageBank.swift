import ClusterModel
import Glibc
import LinuxSystem

/// Many agents' pages at one workspace, as browsers have them: a connection for requests and one for events each.
final class PageBank {
    /// How long pages wait for what should come, nanoseconds; more than anything is measured for.
    private static let patience: UInt64 = 70_000_000_000
    /// So few have one address that the workspace takes all of them for what they are.
    private static let pagesOfOneAddress = 16

    private struct Page {
        let number: Int
        let dn: Int
        var cookie = ""
        var csrf = ""
        var requests: OwnedDescriptor?
        var events: OwnedDescriptor?
        var heard: [UInt8] = []
        var isReady = false
        /// Where its stream of events goes on.
        var last = ""
    }

    private let address: NetworkAddress
    private let interruption: Interruption
    private let epoll: Epoll
    private var pages: [Page]
    private var buffer = [UInt8](repeating: 0, count: 64 * 1024)

    /// - Parameter first: the DN of the first page's agent; each has one of its own.
    init(at address: NetworkAddress, first: Int, count: Int, interruption: Interruption) throws {
        self.address = address
        self.interruption = interruption
        epoll = try Epoll()
        pages = (0..<count).map { Page(number: $0, dn: first + $0) }
    }

    var count: Int { pages.count }

    static func agent(_ dn: Int) -> String { "agent\(dn)" }

    // MARK: Connections

    /// From an address of loopback that few share.
    private func connect(_ number: Int) throws -> OwnedDescriptor {
        let descriptor = OwnedDescriptor(
            adopting: socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0))
        let source = 0x7F01_0001 + UInt32(number / Self.pagesOfOneAddress)
        func system(_ address: UInt32, _ port: UInt16) -> sockaddr_in {
            sockaddr_in(
                sin_family: sa_family_t(AF_INET), sin_port: port.bigEndian,
                sin_addr: in_addr(s_addr: address.bigEndian),
                sin_zero: (0, 0, 0, 0, 0, 0, 0, 0))
        }
        func call(_ address: sockaddr_in, _ body: (UnsafePointer<sockaddr>, socklen_t) -> Int32) -> Bool {
            withUnsafePointer(to: address) {
                $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                    body($0, socklen_t(MemoryLayout<sockaddr_in>.size))
                }
            } == 0
        }
        guard call(system(source, 0), { bind(descriptor.number, $0, $1) }),
            call(system(0x7F00_0001, address.port), { Glibc.connect(descriptor.number, $0, $1) })
        else { throw LoadFailure("cannot connect to the workspace at \(address): error \(errno)") }
        _ = fcntl(descriptor.number, F_SETFL, O_NONBLOCK)
        descriptor.disableDelay()
        return descriptor
    }

    private func send(_ text: String, to descriptor: OwnedDescriptor) throws {
        guard try descriptor.send(Array(text.utf8), from: 0) == text.utf8.count else {
            throw LoadFailure("the workspace does not read")
        }
    }

    private func head(_ method: String, _ path: String, _ page: Page) -> String {
        "\(method) \(path) HTTP/1.1\r\nHost: \(address)\r\nOrigin: http://\(address)\r\nCookie: \(page.cookie)\r\n"
            + "X-CSRF-Token: \(page.csrf)\r\n"
    }

    private func request(_ method: String, _ path: String, _ body: String, _ number: Int) throws {
        if pages[number].requests == nil { pages[number].requests = try connect(number) }
        guard let descriptor = pages[number].requests else { return }
        try send(
            head(method, path, pages[number])
                + "Content-Type: application/json\r\nContent-Length: \(body.utf8.count)\r\n\r\n\(body)",
            to: descriptor)
    }

    /// The answer to a request, whole.
    private func answer(_ number: Int) throws -> String {
        guard let descriptor = pages[number].requests else { throw LoadFailure("nothing was asked") }
        var bytes: [UInt8] = []
        while true {
            guard try descriptor.wait(forReading: true, nanoseconds: Self.patience) else {
                throw LoadFailure("the workspace does not answer")
            }
            guard let count = try descriptor.read(into: &buffer) else { continue }
            bytes += buffer[..<count]
            let text = String(decoding: bytes, as: UTF8.self)
            if let length = text.firstMatch(of: /(?i)content-length: (\d+)/)?.1,
                let end = text.firstRange(of: "\r\n\r\n"),
                text[end.upperBound...].utf8.count >= Int(length) ?? 0
            {
                guard text.hasPrefix("HTTP/1.1 20") else { throw LoadFailure("a page was refused: \(text)") }
                return text
            }
            guard count > 0 else { throw LoadFailure("the workspace has hung up: \(text)") }
        }
    }

    // MARK: What agents do

    /// Signs the agent in, takes the line, and listens until it is live.
    func open(_ number: Int, password: String) throws {
        try interruption.check()
        let dn = pages[number].dn
        try request("POST", "/api/v1/session", #"{"agent":"\#(Self.agent(dn))","password":"\#(password)"}"#, number)
        let session = try answer(number)
        guard let cookie = session.firstMatch(of: /(?i)set-cookie: ([^;]+);/)?.1,
            let csrf = session.firstMatch(of: /"csrf":"([^"]+)"/)?.1
        else { throw LoadFailure("a session without a cookie: \(session)") }
        (pages[number].cookie, pages[number].csrf) = (String(cookie), String(csrf))
        try request("PUT", "/api/v1/dn", #"{"dn":"\#(dn)"}"#, number)
        let seated = try answer(number)
        if let cookie = seated.firstMatch(of: /(?i)set-cookie: ([^;]+);/)?.1 { pages[number].cookie = String(cookie) }
        try listen(number)
        try awaitAll(of: [number]) { $0.contains(#""state":"live""#) }
    }

    private func listen(_ number: Int) throws {
        let descriptor = try connect(number)
        pages[number].events = descriptor
        pages[number].heard = []
        try epoll.add(descriptor.number, interest: .readable, tag: UInt64(number))
        try send(head("GET", "/api/v1/events", pages[number]) + "\r\n", to: descriptor)
    }

    /// The agent becomes ready, or not ready if she was; a state that says so comes by the stream.
    private func click(_ number: Int) throws {
        pages[number].isReady.toggle()
        pages[number].heard = []
        let state = pages[number].isReady ? "ready" : "not-ready"
        try request("PUT", "/api/v1/presence", #"{"state":"\#(state)"}"#, number)
    }

    private func hasShown(_ number: Int) -> Bool {
        let status = pages[number].isReady ? #""status":"ready""# : #""status":"not-ready""#
        return String(decoding: pages[number].heard, as: UTF8.self).contains(status)
    }

    /// One click.
    ///
    /// - Returns: nanoseconds until the stream has told of it.
    func timeClick(_ number: Int) throws -> UInt64 {
        let start = SystemClock.monotonicNanoseconds()
        try click(number)
        var end: UInt64 = 0
        try awaitAll(of: [number]) { _ in
            guard hasShown(number) else { return false }
            end = SystemClock.monotonicNanoseconds()
            return true
        }
        _ = try answer(number)
        return end - start
    }

    /// Clicks at one page after the other, at so many at a time: no agent clicks faster than a workspace takes it.
    ///
    /// - Returns: how many were shown.
    func clickAround(atATime window: Int, seconds: Int) throws -> Int {
        let end = SystemClock.monotonicNanoseconds() + UInt64(seconds) * 1_000_000_000
        var shown = 0
        var waiting = Set(0..<min(window, count))
        var next = waiting.count
        for number in waiting { try click(number) }
        try awaitPages {
            for number in try hear() where waiting.contains(number) && hasShown(number) {
                _ = try answer(number)
                shown += 1
                waiting.remove(number)
                guard SystemClock.monotonicNanoseconds() < end else { continue }
                // With at least twice as many pages it is long since this one was clicked.
                waiting.insert(next % count)
                try click(next % count)
                next += 1
            }
            return waiting.isEmpty
        }
        return shown
    }

    // MARK: Streams

    /// Until all is done, but not for ever.
    private func awaitPages(_ isDone: () throws -> Bool) throws {
        let end = SystemClock.monotonicNanoseconds() + Self.patience
        while try !isDone() {
            try interruption.check()
            guard SystemClock.monotonicNanoseconds() < end else {
                throw LoadFailure("pages do not hear what they should")
            }
        }
    }

    /// Reads what has come.
    ///
    /// - Returns: the pages that have heard something, or have lost their streams.
    private func hear() throws -> [Int] {
        let count = try epoll.wait(nanoseconds: 1_000_000_000)
        var heard: [Int] = []
        for position in 0..<count {
            let number = Int(epoll.event(at: position).tag)
            guard let descriptor = pages[number].events else { continue }
            let bytes = (try? descriptor.read(into: &buffer)) ?? 0
            if bytes > 0 {
                pages[number].heard += buffer[..<bytes]
            } else {
                epoll.remove(descriptor.number)
                pages[number].events = nil
                pages[number].requests = nil
            }
            heard.append(number)
        }
        return heard
    }

    private func awaitAll(of numbers: [Int], _ isThere: (String) -> Bool) throws {
        var waiting = Set(numbers)
        try awaitPages {
            for number in try hear() where waiting.contains(number) {
                guard pages[number].events != nil else { throw LoadFailure("the workspace has ended a stream") }
                if isThere(String(decoding: pages[number].heard, as: UTF8.self)) { waiting.remove(number) }
            }
            return waiting.isEmpty
        }
    }

    /// Each page that has lost its workspace comes back at once.
    ///
    /// - Returns: when each had its line again, the first first.
    func comeBack() throws -> [UInt64] {
        var times: [UInt64] = []
        var waiting = Set(pages.indices)
        // What was heard before says nothing of what is.
        for number in pages.indices where pages[number].events != nil { pages[number].heard = [] }
        try awaitPages {
            for number in try hear() where waiting.contains(number) {
                if pages[number].events == nil {
                    try listen(number)
                } else if String(decoding: pages[number].heard, as: UTF8.self).contains(#""state":"live""#) {
                    times.append(SystemClock.monotonicNanoseconds())
                    waiting.remove(number)
                }
            }
            return waiting.isEmpty
        }
        return times
    }
}
