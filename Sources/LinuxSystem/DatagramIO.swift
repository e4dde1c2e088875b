internal import CLinuxSystem
package import ClusterModel
import Glibc

/// Receives datagrams many at a time into slots that are allocated once.
package final class DatagramReceiver {
    /// How many datagrams one call can bring.
    package let slots: Int
    private let receiver: OpaquePointer

    /// - Parameters:
    ///   - slots: 1 to 1024.
    ///   - slotBytes: the longest datagram that arrives whole. Address space is reserved for all slots, memory is used
    ///     up to the longest datagrams that ever came.
    package init(slots: Int, slotBytes: Int) throws(SystemError) {
        precondition((1...1024).contains(slots) && (1...65_536).contains(slotBytes))
        guard let receiver = tandem_receiver_create(UInt32(slots), UInt32(slotBytes)) else {
            throw SystemError(call: "allocate", object: "\(slots) receive buffers", code: ENOMEM)
        }
        self.slots = slots
        self.receiver = receiver
    }

    deinit {
        tandem_receiver_destroy(receiver)
    }

    /// Receives what waits, at most one datagram a slot, and shows each to `body` in the order of arrival.
    ///
    /// - Parameter body: is given the position, the bytes (nil when the datagram did not fit its slot), the source, and when
    ///   it arrived, milliseconds since 1970 (nil of a socket that does not note it). The bytes are gone after the call.
    /// - Returns: how many datagrams there were; nil when none waited.
    package func receive(
        from socket: OwnedDescriptor,
        _ body: (_ position: Int, _ bytes: borrowing RawSpan?, _ source: NetworkAddress, _ arrival: UInt64?) -> Void
    ) throws(SystemError) -> Int? {
        var datagrams: UnsafePointer<tandem_datagram>?
        let count = try unlessBlocked("receive from", "descriptor \(socket.number)") {
            tandem_receiver_fill(receiver, socket.number, &datagrams)
        }
        guard let count, let datagrams else { return nil }
        for position in 0..<Int(count) {
            // The slots live as long as the receiver, and the next fill cannot happen before the body returns.
            let datagram = datagrams[position]
            let source = NetworkAddress(datagram.source)
            let arrival = datagram.arrived == 0 ? nil : datagram.arrived
            if datagram.truncated != 0 {
                body(position, nil, source, arrival)
            } else {
                let bytes = UnsafeRawBufferPointer(start: datagram.bytes, count: Int(datagram.length))
                body(position, bytes.bytes, source, arrival)
            }
        }
        return Int(count)
    }
}

/// Sends the datagrams of a batch many at a time.
package struct DatagramSender {
    private let family: Int32
    /// One chunk in the kernel's words; kept, so that sending allocates nothing.
    private var chunk: [tandem_outgoing] = []

    /// - Parameter family: of the socket; on a Unix socket, which must be connected, destinations are ignored.
    package init(family: SocketFamily) {
        self.family = family.number
        chunk.reserveCapacity(Int(TANDEM_SEND_CHUNK))
    }

    /// Sends datagrams of `batch` from the entry at `start` on, at most one chunk.
    ///
    /// - Returns: how many were sent; nil when the call would have to wait.
    /// - Throws: when the first of them cannot be sent; the others may well be.
    package mutating func sendChunk(
        of batch: DatagramBatch, from start: Int, over socket: OwnedDescriptor
    ) throws(SystemError) -> Int? {
        chunk.removeAll(keepingCapacity: true)
        for entry in batch.entries[start...].prefix(Int(TANDEM_SEND_CHUNK)) {
            // The kernel reads memory by these numbers, so they are checked here, whoever made the batch.
            guard entry.offset >= 0, entry.length >= 0, entry.length <= batch.bytes.count - entry.offset else { break }
            chunk.append(
                tandem_outgoing(
                    offset: UInt64(entry.offset), length: UInt32(clamping: entry.length),
                    destination: entry.destination.systemAddress))
        }
        guard !chunk.isEmpty else {
            throw SystemError(call: "send", object: "a datagram that its batch does not hold", code: EINVAL)
        }
        let sent = try unlessBlocked("send to", "\(batch.entries[start].destination)") {
            tandem_send_datagrams(socket.number, family, batch.bytes, chunk, UInt32(chunk.count))
        }
        return sent.map { Int($0) }
    }
}
