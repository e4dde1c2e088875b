package import ClusterModel
package import LinuxSystem
package import TLS
import Wire

/// A frame that was received whole.
package struct Frame: Hashable, Sendable {
    package var type: UInt16
    package var flags: UInt16
    package var payload: [UInt8]

    package init(type: UInt16, flags: UInt16 = 0, payload: [UInt8]) {
        self.type = type
        self.flags = flags
        self.payload = payload
    }
}

/// Why a blocking connection could not do its work.
package enum BlockingConnectionError: Error, Hashable, Sendable {
    /// The time was over before anything, or everything, had come or gone.
    case timedOut(StreamAddress)
    case closed(StreamAddress)
    /// The peer sent, or we were to send, what a frame cannot be.
    case badFrame(StreamAddress, String)
    /// TLS failed: the peer does not speak it, is not whom it must be, or refuses this side.
    case insecure(StreamAddress, String)
    case system(SystemError)
}

extension BlockingConnectionError: CustomStringConvertible {
    package var description: String {
        switch self {
        case .timedOut(let address): "\(address) did not answer in time"
        case .closed(let address): "\(address) closed the connection"
        case .badFrame(let address, let what): "bad frame on \(address): \(what)"
        case .insecure(let address, let what): "\(address): \(what)"
        case .system(let error): "\(error)"
        }
    }
}

/// A connection for programs that do one thing after the other: commands and tests. Never used on a loop.
package final class BlockingConnection {
    package let address: StreamAddress
    let socket: OwnedDescriptor
    /// Nil for a plain connection.
    let session: TLSSession?
    var input: [UInt8] = []
    /// How much of it has been taken.
    private var taken = 0

    /// Connects.
    ///
    /// - Parameters:
    ///   - session: of a client that has not begun: the connection is one over TLS then.
    ///   - timeout: for the connection and the handshake together.
    package init(
        to address: StreamAddress, over session: TLSSession? = nil, timeout: Duration = .seconds(1)
    ) throws(BlockingConnectionError) {
        self.address = address
        self.session = session
        let deadline = Self.deadline(after: timeout)
        socket = try Self.connect(to: address, timeout)
        if let session { try shakeHands(session, until: deadline) }
    }

    private static func connect(
        to address: StreamAddress, _ timeout: Duration
    ) throws(BlockingConnectionError) -> OwnedDescriptor {
        do throws(SystemError) {
            let (socket, connected) = try Sockets.connecting(to: address)
            socket.disableDelay()
            // Who only listens learns in this way that the other machine is gone.
            socket.keepAlive()
            if connected { return socket }
            if try socket.wait(forReading: false, nanoseconds: timeout.nanoseconds) {
                guard let error = Sockets.connectionError(of: socket, to: address) else { return socket }
                throw error
            }
        } catch {
            throw .system(error)
        }
        throw .timedOut(address)
    }

    /// The socket, to wait for it beside other descriptors.
    package var descriptor: OwnedDescriptor { socket }

    package func close() {
        socket.close()
    }

    /// Sends a frame.
    ///
    /// - Throws: `timedOut` when the peer does not read; part of the frame may have gone then.
    package func send(_ frame: Frame, timeout: Duration = .seconds(5)) throws(BlockingConnectionError) {
        var output: [UInt8] = []
        guard FrameHeader.appendFrame(type: frame.type, flags: frame.flags, to: &output, { $0 += frame.payload }) else {
            throw .badFrame(address, "\(frame.payload.count) bytes are more than a frame may carry")
        }
        try send(raw: output, timeout: timeout)
    }

    /// Sends bytes as they are: several frames at once, or in tests what is none.
    package func send(raw bytes: [UInt8], timeout: Duration = .seconds(5)) throws(BlockingConnectionError) {
        let deadline = Self.deadline(after: timeout)
        if let session { return try sendSealed(bytes, session, until: deadline) }
        try sendPlain(bytes, until: deadline)
    }

    func sendPlain(_ bytes: [UInt8], until deadline: UInt64) throws(BlockingConnectionError) {
        var start = 0
        while start < bytes.count {
            do throws(SystemError) {
                if let count = try socket.send(bytes, from: start) {
                    start += count
                    continue
                }
            } catch {
                throw error.isReset ? .closed(address) : .system(error)
            }
            try wait(forReading: false, until: deadline)
        }
    }

    /// The next frame.
    package func receive(timeout: Duration = .seconds(5)) throws(BlockingConnectionError) -> Frame {
        let deadline = Self.deadline(after: timeout)
        while true {
            if let frame = try takeFrame() { return frame }
            if try !readSome(until: deadline) { try wait(forReading: true, until: deadline) }
        }
    }

    private func takeFrame() throws(BlockingConnectionError) -> Frame? {
        guard let header = FrameHeader(input.span.bytes.extracting(taken..<input.count)) else { return rest() }
        guard header.payloadLength <= FrameHeader.maximumPayload else {
            throw .badFrame(address, "a payload of \(header.payloadLength) bytes is announced")
        }
        let end = taken + FrameHeader.size + Int(header.payloadLength)
        guard input.count >= end else { return rest() }
        defer { taken = end }
        return Frame(type: header.type, flags: header.flags, payload: Array(input[taken + FrameHeader.size..<end]))
    }

    /// No whole frame is left: what has been taken goes, all at once.
    private func rest() -> Frame? {
        input.removeSubrange(..<taken)
        taken = 0
        return nil
    }

    /// - Returns: false when nothing waits to be read.
    private func readSome(until deadline: UInt64) throws(BlockingConnectionError) -> Bool {
        if let session { return try readSealed(session, until: deadline) }
        // The memory lives for this call only.
        let piece = UnsafeMutableRawBufferPointer.allocate(byteCount: 64 * 1024, alignment: 1)
        defer { piece.deallocate() }
        let count: Int?
        do throws(SystemError) {
            count = try socket.read(into: piece)
        } catch {
            throw error.isReset ? .closed(address) : .system(error)
        }
        guard let count else { return false }
        if count == 0 { throw .closed(address) }
        input.append(contentsOf: piece[..<count])
        return true
    }

    func wait(forReading: Bool, until deadline: UInt64) throws(BlockingConnectionError) {
        let now = SystemClock.monotonicNanoseconds()
        do throws(SystemError) {
            if deadline > now, try socket.wait(forReading: forReading, nanoseconds: deadline - now) { return }
        } catch {
            throw .system(error)
        }
        throw .timedOut(address)
    }

    private static func deadline(after timeout: Duration) -> UInt64 {
        let (deadline, overflow) = SystemClock.monotonicNanoseconds().addingReportingOverflow(timeout.nanoseconds)
        return overflow ? .max : deadline
    }
}
