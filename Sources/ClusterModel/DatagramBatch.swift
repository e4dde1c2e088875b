/// Datagrams on their way out: machines write them one after the other into one buffer, a socket sends them together.
///
/// Between turns the memory stays, so a batch that is emptied and filled again allocates nothing.
package struct DatagramBatch: Equatable, Sendable {
    /// One datagram of the batch.
    package struct Entry: Hashable, Sendable {
        /// Where the datagram begins in `bytes`.
        package var offset: Int
        /// Bytes.
        package var length: Int
        package var destination: NetworkAddress

        package init(offset: Int, length: Int, destination: NetworkAddress) {
            self.offset = offset
            self.length = length
            self.destination = destination
        }
    }

    /// All datagrams, end to end.
    package private(set) var bytes: [UInt8] = []
    /// In the order of sending.
    package private(set) var entries: [Entry] = []

    package init() {}

    package var isEmpty: Bool { entries.isEmpty }
    package var count: Int { entries.count }
    /// Bytes of all datagrams.
    package var byteCount: Int { entries.last.map { $0.offset + $0.length } ?? 0 }

    /// Adds a datagram that `build` appends to the buffer. Nothing is added when it appends nothing.
    ///
    /// - Parameter build: must leave what stands in the buffer already as it is.
    package mutating func append(to destination: NetworkAddress, build: (inout [UInt8]) -> Void) {
        let offset = bytes.count
        build(&bytes)
        precondition(bytes.count >= offset, "a datagram is appended to the others")
        guard bytes.count > offset else { return }
        entries.append(Entry(offset: offset, length: bytes.count - offset, destination: destination))
    }

    /// Lends the buffer to whoever appends a datagram to it; `giveBack` must follow.
    package mutating func takeBytes() -> [UInt8] {
        var lent: [UInt8] = []
        swap(&lent, &bytes)
        return lent
    }

    /// Takes the buffer back: what it has beyond the datagrams of the batch is a new one. Nothing is added when there is
    /// nothing more.
    package mutating func giveBack(_ lent: consuming [UInt8], withDatagramTo destination: NetworkAddress) {
        let offset = byteCount
        bytes = lent
        precondition(bytes.count >= offset, "a datagram is appended to the others")
        guard bytes.count > offset else { return }
        entries.append(Entry(offset: offset, length: bytes.count - offset, destination: destination))
    }

    /// Adds a copy of one datagram of another batch.
    package mutating func append(_ entry: Entry, of other: DatagramBatch) {
        append(to: entry.destination) { $0 += other.bytes[entry.offset..<(entry.offset + entry.length)] }
    }

    /// The bytes of one datagram.
    package func bytes(of entry: Entry) -> ArraySlice<UInt8> {
        bytes[entry.offset..<(entry.offset + entry.length)]
    }

    /// - Parameter keepingCapacity: whether the memory stays for the next turn.
    package mutating func removeAll(keepingCapacity: Bool = true) {
        bytes.removeAll(keepingCapacity: keepingCapacity)
        entries.removeAll(keepingCapacity: keepingCapacity)
    }
}
