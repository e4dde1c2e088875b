import ClusterModel
import LinuxSystem
import SIPCore

/// TCP connections over which the phones spread.
final class StreamLines: PhoneLines {
    /// One connection, and what is under way on it.
    private final class Line {
        let socket: OwnedDescriptor
        var framing = StreamFraming()
        /// Requests, and how many of their bytes the kernel has taken.
        var output: [UInt8] = []
        var sent = 0
        /// The beginning of an answer whose end has not come.
        var input: [UInt8] = []
        /// It is in the list of those that have something to send.
        var isDirty = false
        /// The kernel tells when it takes more.
        var isBlocked = false

        init(_ socket: OwnedDescriptor) { self.socket = socket }
    }

    private static let readBytes = 256 * 1024

    let localAddresses: [NetworkAddress]
    private let target: NetworkAddress
    private let lines: [Line]
    private var dirty: [Int] = []
    private let epoll: Epoll
    /// Every line reads into this one: what is not a whole answer is kept aside.
    private var buffer = [UInt8](repeating: 0, count: readBytes)

    init(to target: NetworkAddress, connections: Int) throws {
        self.target = target
        epoll = try Epoll()
        lines = try (0..<connections).map { _ in Line(try Self.connect(to: target)) }
        localAddresses = try lines.map { try $0.socket.localAddress() }
        for (number, line) in lines.enumerated() {
            try epoll.add(line.socket.number, interest: .readable, tag: UInt64(number))
            line.output.reserveCapacity(64 * 1024)
            line.input.reserveCapacity(4096)
        }
        dirty.reserveCapacity(connections)
    }

    private static func connect(to target: NetworkAddress) throws -> OwnedDescriptor {
        let (socket, isConnected) = try Sockets.connecting(to: .tcp(target))
        if !isConnected {
            guard try socket.wait(forReading: false, nanoseconds: 5_000_000_000) else {
                throw LoadFailure("\(target) does not accept a connection over TCP")
            }
            if let error = Sockets.connectionError(of: socket, to: .tcp(target)) { throw error }
        }
        socket.disableDelay()
        return socket
    }

    func append(to line: Int, build: (inout [UInt8]) -> Void) {
        let entry = lines[line]
        build(&entry.output)
        guard !entry.isDirty else { return }
        entry.isDirty = true
        dirty.append(line)
    }

    // MARK: Sending

    func flush(_ interruption: Interruption) throws {
        for number in dirty {
            let line = lines[number]
            line.isDirty = false
            // One that is blocked goes on when the kernel says so.
            if !line.isBlocked { try send(number, line) }
        }
        dirty.removeAll(keepingCapacity: true)
    }

    private func send(_ number: Int, _ line: Line) throws {
        while line.sent < line.output.count {
            guard let count = try line.socket.send(line.output, from: line.sent) else {
                return try block(number, line, true)
            }
            line.sent += count
        }
        line.output.removeAll(keepingCapacity: true)
        line.sent = 0
        try block(number, line, false)
    }

    /// We never wait here until the node reads: it may itself wait until we read its answers.
    private func block(_ number: Int, _ line: Line, _ isBlocked: Bool) throws {
        guard line.isBlocked != isBlocked else { return }
        line.isBlocked = isBlocked
        let interest: Readiness = isBlocked ? [.readable, .writable] : .readable
        try epoll.modify(line.socket.number, interest: interest, tag: UInt64(number))
    }

    // MARK: Receiving

    func wait(nanoseconds: UInt64) throws -> Bool { try epoll.wait(nanoseconds: nanoseconds) > 0 }

    func receive(_ body: (_ answer: Span<UInt8>, _ receivedAt: UInt64) throws -> Void) throws -> Int {
        var answers = 0
        for position in 0..<(try epoll.wait(nanoseconds: 0)) {
            let event = epoll.event(at: position)
            let number = Int(event.tag)
            let line = lines[number]
            if event.readiness.contains(.writable) { try send(number, line) }
            // Errors and ends are what reading finds out.
            if event.readiness != .writable { answers += try read(line, body) }
        }
        return answers
    }

    private func read(_ line: Line, _ body: (_ answer: Span<UInt8>, _ receivedAt: UInt64) throws -> Void) throws -> Int
    {
        // A span can be had of a variable, not of a property of an object.
        var buffer: [UInt8] = []
        swap(&buffer, &self.buffer)
        defer { swap(&buffer, &self.buffer) }
        let kept = line.input.count
        let count = try buffer.withUnsafeMutableBytes { buffer in
            line.input.withUnsafeBytes { buffer.copyMemory(from: $0) }
            return try line.socket.read(into: UnsafeMutableRawBufferPointer(rebasing: buffer[kept...]))
        }
        guard let count else { return 0 }
        guard count > 0 else { throw LoadFailure("\(target) ended a connection") }
        let receivedAt = SystemClock.monotonicNanoseconds()
        let bytes = buffer.span.extracting(first: kept + count)
        let (taken, answers) = try take(bytes, of: line) { try body($0, receivedAt) }
        line.input.removeAll(keepingCapacity: true)
        line.input += buffer[taken..<kept + count]
        return answers
    }

    /// - Returns: how many bytes make whole answers, and how many of these there are.
    private func take(
        _ bytes: Span<UInt8>, of line: Line, _ body: (_ answer: Span<UInt8>) throws -> Void
    ) throws -> (taken: Int, answers: Int) {
        var (taken, answers) = (0, 0)
        while true {
            let rest = bytes.extracting(taken..<bytes.count)
            switch line.framing.next(in: rest) {
            case .message(let length):
                try body(rest.extracting(first: length))
                answers += 1
                taken += length
            case .lineEnd(let length), .ping(let length):
                taken += length
            case .incomplete:
                return (taken, answers)
            case .last, .tooLong:
                throw LoadFailure("\(target) sent what does not tell where the next answer begins")
            }
        }
    }
}
