/// Datagrams that wait to be sent, end to end in one buffer: filled by the machines, sent with one system call.
package struct DatagramBatch: Equatable, Sendable {
    package struct Entry: Equatable, Sendable {
        package var offset: Int
        package var length: Int
        package var destination: NetworkAddress

        package init(offset: Int, length: Int, destination: NetworkAddress) {
            self.offset = offset
            self.length = length
            self.destination = destination
        }
    }

    package var bytes: [UInt8] = []
    package var entries: [Entry] = []

    package init() {}

    package var isEmpty: Bool { entries.isEmpty }

    /// Appends the datagram that `build` writes at the end of the buffer; one without bytes is none.
    package mutating func append(to destination: NetworkAddress, build: (inout [UInt8]) -> Void) {
        let offset = bytes.count
        build(&bytes)
        guard bytes.count > offset else { return }
        entries.append(Entry(offset: offset, length: bytes.count - offset, destination: destination))
    }

    package mutating func removeAll() {
        bytes.removeAll(keepingCapacity: true)
        entries.removeAll(keepingCapacity: true)
    }
}
