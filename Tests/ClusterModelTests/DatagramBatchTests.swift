import ClusterModel
import Testing

@Suite struct DatagramBatchTests {
    private let first = NetworkAddress(ipv4: 0x7F00_0001, port: 1)
    private let second = NetworkAddress(ipv4: 0x7F00_0001, port: 2)

    @Test func `takes a datagram from a lent buffer, and none when nothing was appended`() {
        var batch = DatagramBatch()
        batch.append(to: first) { $0 += [1, 2] }
        var bytes = batch.takeBytes()
        bytes += [3, 4, 5]
        batch.giveBack(bytes, withDatagramTo: second)
        batch.giveBack(batch.takeBytes(), withDatagramTo: first)
        #expect(
            batch.entries == [
                DatagramBatch.Entry(offset: 0, length: 2, destination: first),
                DatagramBatch.Entry(offset: 2, length: 3, destination: second),
            ])
        #expect(batch.bytes == [1, 2, 3, 4, 5])
    }
}
