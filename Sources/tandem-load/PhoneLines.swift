import ClusterModel
import LinuxSystem

/// What phones send with.
enum LoadTransport {
    case udp, tcp
}

/// What carries the phones' requests to the node, and its answers back.
protocol PhoneLines: AnyObject {
    /// Of each line, our end. All phones of a line share it.
    var localAddresses: [NetworkAddress] { get }

    /// Adds a request that `build` appends to the buffer; it goes with the next `flush`.
    func append(to line: Int, build: (inout [UInt8]) -> Void)

    /// Sends what was added, as far as the kernel takes it at once.
    func flush(_ interruption: Interruption) throws

    /// Shows each answer that waits to `body`, with the time at which its batch was received.
    ///
    /// - Returns: how many there were.
    func receive(_ body: (_ answer: Span<UInt8>, _ receivedAt: UInt64) throws -> Void) throws -> Int

    /// Waits until something can be received, or sent that could not be before.
    ///
    /// - Returns: false when the time ran out.
    func wait(nanoseconds: UInt64) throws -> Bool
}

/// One UDP socket that all phones share.
final class DatagramLine: PhoneLines {
    let localAddresses: [NetworkAddress]
    private let target: NetworkAddress
    private let socket: OwnedDescriptor
    private let receiver: DatagramReceiver
    private var sender: DatagramSender
    private var batch = DatagramBatch()

    /// - Parameter own: where we send from; any port unless given.
    init(to target: NetworkAddress, from own: NetworkAddress? = nil) throws {
        self.target = target
        let local = target.isIPv4 ? NetworkAddress(ipv4: 0x7F00_0001, port: 0) : target.with(port: 0)
        socket = try Sockets.boundUDP(own ?? local, receiveBuffer: 8 << 20, sendBuffer: 8 << 20)
        receiver = try DatagramReceiver(slots: 64, slotBytes: 4096)
        sender = DatagramSender(family: try socket.socketFamily())
        localAddresses = [try socket.localAddress()]
    }

    /// For whoever waits for several sockets at once.
    var descriptorNumber: Int32 { socket.number }

    func append(to line: Int, build: (inout [UInt8]) -> Void) {
        batch.append(to: target, build: build)
    }

    /// Adds a message to somebody else than the target.
    func append(toward destination: NetworkAddress, build: (inout [UInt8]) -> Void) {
        batch.append(to: destination, build: build)
    }

    func flush(_ interruption: Interruption) throws {
        var position = 0
        while position < batch.count {
            if let sent = try sender.sendChunk(of: batch, from: position, over: socket) {
                position += sent
            } else {
                _ = try socket.wait(forReading: false, nanoseconds: 100_000_000)
                try interruption.check()
            }
        }
        batch.removeAll()
    }

    func receive(_ body: (_ answer: Span<UInt8>, _ receivedAt: UInt64) throws -> Void) throws -> Int {
        try receiveFromAnyone { bytes, receivedAt, source in
            guard source == target else { throw LoadFailure("\(source) answered instead of \(target)") }
            try body(bytes, receivedAt)
        }
    }

    /// As `receive`, also from others than the target.
    func receiveFromAnyone(
        _ body: (_ message: Span<UInt8>, _ receivedAt: UInt64, _ source: NetworkAddress) throws -> Void
    ) throws -> Int {
        var receivedAt: UInt64 = 0
        var failure: (any Error)?
        let count = try receiver.receive(from: socket) { position, bytes, source, _ in
            // One look at the clock for all that came with one call.
            if position == 0 { receivedAt = SystemClock.monotonicNanoseconds() }
            guard failure == nil else { return }
            do {
                guard let bytes = bytes else { throw LoadFailure("a message of \(source) is too long") }
                try body(Span<UInt8>(_bytes: bytes), receivedAt, source)
            } catch {
                failure = error
            }
        }
        if let failure { throw failure }
        return count ?? 0
    }

    func wait(nanoseconds: UInt64) throws -> Bool {
        try socket.wait(forReading: true, nanoseconds: nanoseconds)
    }
}
