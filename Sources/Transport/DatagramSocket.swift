package import ClusterModel
package import LinuxSystem

/// Is told of every datagram that a socket receives.
package protocol DatagramSocketDelegate: AnyObject {
    /// - Parameters:
    ///   - bytes: of one datagram; gone after the call.
    ///   - index: the position in the batch that one system call brought, 0 for the first.
    ///   - arrival: when the socket got it, milliseconds since 1970; nil of a socket that does not note it.
    func datagramReceived(
        _ bytes: RawSpan, from source: NetworkAddress, index: Int, arrival: UInt64?, on socket: DatagramSocket)
}

/// A UDP socket on a loop: receives and sends many datagrams a system call.
package final class DatagramSocket {
    /// Bounds of one socket.
    package struct Limits: Hashable, Sendable {
        /// Datagrams a system call.
        package var batch = 64
        /// Batches that one turn receives before the other descriptors have theirs.
        package var batchesPerTurn = 4
        /// The longest datagram that arrives whole. The default is the longest that there is, as RFC 3261 section 18.1.1
        /// demands. It costs address space only: a page of memory is used once a datagram was long enough to reach it,
        /// so a socket that sees messages of 1 KiB holds 512 KiB at the most, and 4 MiB under an attack.
        package var slotBytes = 65_536
        /// Datagrams that wait for a full socket; further ones are dropped, and SIP repeats what mattered.
        package var waitingDatagrams = 4096
        /// Bytes of the same.
        package var waitingBytes = 2 << 20

        package init() {}
    }

    /// What the socket has seen since it was made.
    package struct Counters: Hashable, Sendable {
        package var received: UInt64 = 0
        package var receivedBytes: UInt64 = 0
        /// Longer than a slot: dropped.
        package var truncated: UInt64 = 0
        package var sent: UInt64 = 0
        package var sentBytes: UInt64 = 0
        /// Not sent because too many were waiting already.
        package var dropped: UInt64 = 0
        /// Refused by the kernel: no route, too long, a family that the socket does not reach.
        package var sendErrors: UInt64 = 0
        /// ICMP errors and the like, reported on receiving.
        package var receiveErrors: UInt64 = 0
    }

    package let descriptor: OwnedDescriptor
    package let localAddress: NetworkAddress
    /// Which of its owner's sockets it is.
    package let number: UInt8
    package private(set) var counters = Counters()
    /// The last error of sending or receiving, for a log that speaks of it once in a while.
    package private(set) var lastError: SystemError?

    private let loop: EventLoop
    private let limits: Limits
    private let receiver: DatagramReceiver
    private var sender: DatagramSender
    /// Kept until `close`.
    private var delegate: (any DatagramSocketDelegate)?
    private var registration: EventLoop.Registration?
    private var output = DatagramBatch()
    private var flushIsDue = false
    /// What a full socket did not take, from the entry at `waitingStart` on.
    private var waiting = DatagramBatch()
    private var waitingStart = 0

    /// Watches a bound socket, or a connected pair's end. The delegate is kept until `close`.
    package init(
        _ descriptor: OwnedDescriptor, on loop: EventLoop, limits: Limits = Limits(), number: UInt8 = 0,
        delegate: any DatagramSocketDelegate
    ) throws(SystemError) {
        let family = try descriptor.socketFamily()
        self.descriptor = descriptor
        self.loop = loop
        self.limits = limits
        self.number = number
        self.delegate = delegate
        localAddress = family == .unix ? NetworkAddress(ipv4: 0, port: 0) : try descriptor.localAddress()
        receiver = try DatagramReceiver(slots: limits.batch, slotBytes: limits.slotBytes)
        sender = DatagramSender(family: family)
        registration = try loop.register(descriptor, interest: .readable, handler: self)
    }

    /// How many datagrams wait for a full socket.
    package var waitingCount: Int { waiting.count - waitingStart }

    /// Ends watching and closes the descriptor; nothing happens the second time.
    package func close() {
        if let registration { loop.unregister(registration) }
        registration = nil
        delegate = nil
        descriptor.close()
        output.removeAll(keepingCapacity: false)
        waiting.removeAll(keepingCapacity: false)
        waitingStart = 0
    }

    /// Lets `write` add datagrams that leave when the turn ends.
    package func withOutput(_ write: (inout DatagramBatch) -> Void) {
        guard registration != nil else { return }
        write(&output)
        guard !flushIsDue, !output.isEmpty else { return }
        flushIsDue = true
        loop.flushAtTurnEnd(self)
    }

    /// Sends a batch now. What a full socket does not take is copied and sent later, within the limits; the caller may
    /// empty the batch at once.
    package func send(_ batch: DatagramBatch) {
        guard registration != nil else { return }
        let start = waitingCount > 0 ? 0 : sendAll(of: batch, from: 0)
        if start < batch.count { keep(batch, from: start) }
    }

    /// - Returns: the position of the first datagram that the socket did not take.
    private func sendAll(of batch: DatagramBatch, from start: Int) -> Int {
        var position = start
        while position < batch.count {
            do throws(SystemError) {
                guard let sent = try sender.sendChunk(of: batch, from: position, over: descriptor) else { break }
                for entry in batch.entries[position..<(position + sent)] {
                    counters.sentBytes &+= UInt64(entry.length)
                }
                counters.sent &+= UInt64(sent)
                position += sent
            } catch {
                // Only the first of the chunk is refused; those behind it go to other destinations.
                counters.sendErrors &+= 1
                lastError = error
                position += 1
            }
        }
        return position
    }

    private func keep(_ batch: DatagramBatch, from start: Int) {
        let wasEmpty = waitingCount == 0
        for entry in batch.entries[start...] {
            guard waiting.count < limits.waitingDatagrams, waiting.bytes.count + entry.length <= limits.waitingBytes
            else {
                counters.dropped &+= 1
                continue
            }
            waiting.append(entry, of: batch)
        }
        if wasEmpty, waitingCount > 0 { watch([.readable, .writable]) }
    }

    private func sendWaiting() {
        waitingStart = sendAll(of: waiting, from: waitingStart)
        guard waitingCount == 0 else { return }
        waiting.removeAll(keepingCapacity: false)
        waitingStart = 0
        watch(.readable)
    }

    private func watch(_ interest: Readiness) {
        guard let registration else { return }
        do throws(SystemError) {
            try loop.modify(registration, interest: interest)
        } catch {
            lastError = error
        }
    }
}

extension DatagramSocket: ReadinessHandler {
    package func ready(_ readiness: Readiness) {
        if readiness.contains(.writable) { sendWaiting() }
        guard !readiness.isDisjoint(with: [.readable, .error, .hangup]) else { return }
        for _ in 0..<limits.batchesPerTurn {
            guard receiveBatch() == limits.batch else { return }
        }
    }

    /// - Returns: how many datagrams came.
    private func receiveBatch() -> Int {
        guard let delegate, registration != nil else { return 0 }
        do throws(SystemError) {
            let count = try receiver.receive(from: descriptor) { index, bytes, source, arrival in
                guard registration != nil else { return }
                guard let bytes = bytes else {
                    counters.truncated &+= 1
                    return
                }
                counters.received &+= 1
                counters.receivedBytes &+= UInt64(bytes.byteCount)
                delegate.datagramReceived(bytes, from: source, index: index, arrival: arrival, on: self)
            }
            return count ?? 0
        } catch {
            // Reading the error clears it: the next turn receives again.
            counters.receiveErrors &+= 1
            lastError = error
            return 0
        }
    }
}

extension DatagramSocket: TurnFlushing {
    package func flush() {
        flushIsDue = false
        send(output)
        output.removeAll(keepingCapacity: true)
    }
}
