import ClusterModel
import LinuxSystem
import Testing
import Transport

private final class DatagramLog: DatagramSocketDelegate {
    var received: [[UInt8]] = []
    var sources: [NetworkAddress] = []
    var arrivals: [UInt64?] = []
    var greatestIndex = 0
    var onDatagram: ((DatagramSocket, [UInt8], NetworkAddress) -> Void)?

    func datagramReceived(
        _ bytes: RawSpan, from source: NetworkAddress, index: Int, arrival: UInt64?, on socket: DatagramSocket
    ) {
        received.append(copy(bytes))
        sources.append(source)
        arrivals.append(arrival)
        greatestIndex = max(greatestIndex, index)
        onDatagram?(socket, received[received.count - 1], source)
    }
}

private func udp(
    _ loop: EventLoop, _ log: DatagramLog, limits: DatagramSocket.Limits = .init(), at address: NetworkAddress = anyPort
) throws -> DatagramSocket {
    let socket = try Sockets.boundUDP(address, receiveBuffer: 8 << 20)
    return try DatagramSocket(socket, on: loop, limits: limits, delegate: log)
}

@Suite struct DatagramSocketTests {
    @Test func `a burst of a thousand datagrams is echoed, in order, many a call`() throws {
        let loop = try EventLoop()
        let server = DatagramLog()
        let client = DatagramLog()
        server.onDatagram = { socket, bytes, source in
            socket.withOutput { $0.append(to: source) { $0 += bytes } }
        }
        let serverSocket = try udp(loop, server)
        let clientSocket = try udp(loop, client)
        var batch = DatagramBatch()
        let sent = (0..<1000).map { number in (0..<(1 + number % 900)).map { UInt8(truncatingIfNeeded: $0 ^ number) } }
        for bytes in sent { batch.append(to: serverSocket.localAddress) { $0 += bytes } }
        clientSocket.send(batch)
        batch.removeAll()
        try loop.runUntil { client.received.count == 1000 }
        #expect(client.received == sent)
        #expect(server.greatestIndex == 63)
        #expect(Set(client.sources) == [serverSocket.localAddress])
        #expect(Set(server.sources) == [clientSocket.localAddress])
        #expect(serverSocket.counters.received == 1000)
        #expect(serverSocket.counters.sent == 1000)
        #expect(serverSocket.counters.sentBytes == clientSocket.counters.receivedBytes)
        serverSocket.close()
        clientSocket.close()
        #expect(loop.registrationCount == 0)
    }

    @Test func `what waits in a socket bears the time when it came, if the socket notes it`() throws {
        let loop = try EventLoop()
        let notes = try Sockets.boundUDP(anyPort, notesArrivals: true)
        let plain = try Sockets.boundUDP(anyPort)
        let (first, second) = (DatagramLog(), DatagramLog())
        let sender = try udp(loop, DatagramLog())
        var batch = DatagramBatch()
        for socket in [notes, plain] {
            batch.append(to: try socket.localAddress()) { $0 += [1] }
            batch.append(to: try socket.localAddress()) { $0 += [2] }
        }
        let before = SystemClock.now().wallMilliseconds
        sender.send(batch)
        // On a busy machine the kernel delivers a little later. What was sent last is there last.
        #expect(try plain.wait(forReading: true, nanoseconds: 10_000_000_000))
        let after = SystemClock.now().wallMilliseconds
        _ = try sender.descriptor.wait(forReading: true, nanoseconds: 50_000_000)
        let sockets = [
            try DatagramSocket(notes, on: loop, delegate: first), try DatagramSocket(plain, on: loop, delegate: second),
        ]
        try loop.runUntil { first.received.count == 2 && second.received.count == 2 }
        for arrival in first.arrivals { #expect((before...after).contains(try #require(arrival))) }
        #expect(second.arrivals == [nil, nil])
        for socket in sockets { socket.close() }
    }

    @Test func `a datagram longer than its slot is counted and dropped, its neighbours arrive`() throws {
        let loop = try EventLoop()
        let server = DatagramLog()
        var limits = DatagramSocket.Limits()
        limits.slotBytes = 2048
        let serverSocket = try udp(loop, server, limits: limits)
        let clientSocket = try udp(loop, DatagramLog())
        var batch = DatagramBatch()
        for length in [2048, 2049, 1, 9000, 2] {
            batch.append(to: serverSocket.localAddress) { $0 += [UInt8](repeating: 7, count: length) }
        }
        clientSocket.send(batch)
        try loop.runUntil { serverSocket.counters.received + serverSocket.counters.truncated == 5 }
        #expect(server.received.map(\.count) == [2048, 1, 2])
        #expect(serverSocket.counters.truncated == 2)
    }

    @Test func `the longest datagram there is arrives whole by default`() throws {
        let loop = try EventLoop()
        let server = DatagramLog()
        let serverSocket = try udp(loop, server)
        let clientSocket = try udp(loop, DatagramLog())
        clientSocket.withOutput {
            $0.append(to: serverSocket.localAddress) { $0 += [UInt8](repeating: 7, count: 65_507) }
        }
        try loop.runUntil { !server.received.isEmpty }
        #expect(server.received[0].count == 65_507)
    }

    @Test func `an IPv6 wildcard socket hears IPv4, and answers it`() throws {
        let loop = try EventLoop()
        let server = DatagramLog()
        let client = DatagramLog()
        server.onDatagram = { socket, bytes, source in
            socket.withOutput { $0.append(to: source) { $0 += bytes } }
        }
        let serverSocket = try udp(loop, server, at: NetworkAddress(high: 0, low: 0, port: 0))
        let clientSocket = try udp(loop, client)
        let target = NetworkAddress(ipv4: 0x7F00_0001, port: serverSocket.localAddress.port)
        clientSocket.withOutput { $0.append(to: target) { $0 += [1, 2, 3] } }
        try loop.runUntil { !client.received.isEmpty }
        #expect(server.sources == [clientSocket.localAddress])
        #expect(client.sources == [target])
    }

    @Test func `one destination that cannot be reached does not hold up the others`() throws {
        let loop = try EventLoop()
        let server = DatagramLog()
        let serverSocket = try udp(loop, server)
        let clientSocket = try udp(loop, DatagramLog())
        clientSocket.withOutput { batch in
            batch.append(to: serverSocket.localAddress) { $0 += [1] }
            batch.append(to: NetworkAddress(high: 0, low: 1, port: 9)) { $0 += [2] }
            batch.append(to: serverSocket.localAddress) { $0 += [UInt8](repeating: 0, count: 65_536) }
            batch.append(to: serverSocket.localAddress) { $0 += [3] }
        }
        try loop.runUntil { server.received.count == 2 }
        #expect(server.received == [[1], [3]])
        #expect(clientSocket.counters.sendErrors == 2)
        #expect(clientSocket.lastError != nil)
    }

    @Test func `what a full socket does not take waits, within bounds, and is sent in order`() throws {
        let loop = try EventLoop()
        let (left, right) = try Sockets.datagramPair()
        let log = DatagramLog()
        var limits = DatagramSocket.Limits()
        limits.waitingDatagrams = 200
        let sender = try DatagramSocket(left, on: loop, limits: limits, delegate: DatagramLog())
        var batch = DatagramBatch()
        for number in 0..<2000 {
            batch.append(to: anyPort) { $0 += [UInt8(truncatingIfNeeded: number), UInt8(number >> 8)] }
        }
        sender.send(batch)
        let accepted = 2000 - Int(sender.counters.dropped)
        #expect(sender.waitingCount == 200)
        #expect(accepted == Int(sender.counters.sent) + 200)
        let receiver = try DatagramSocket(right, on: loop, delegate: log)
        try loop.runUntil { log.received.count == accepted }
        #expect(log.received.enumerated().allSatisfy { Int($1[0]) + Int($1[1]) << 8 == $0 })
        #expect(sender.waitingCount == 0)
        receiver.close()
        sender.close()
    }

    @Test func `a socket may be closed from within its own batch`() throws {
        let loop = try EventLoop()
        let server = DatagramLog()
        server.onDatagram = { socket, _, _ in socket.close() }
        let serverSocket = try udp(loop, server)
        let clientSocket = try udp(loop, DatagramLog())
        clientSocket.withOutput { batch in
            for _ in 0..<10 { batch.append(to: serverSocket.localAddress) { $0 += [1] } }
        }
        try loop.runUntil { !server.received.isEmpty }
        #expect(server.received.count == 1)
        #expect(loop.registrationCount == 1)
    }
}

@Suite struct DatagramBatchTests {
    @Test func `datagrams stand end to end, and one without bytes is none`() {
        var batch = DatagramBatch()
        batch.append(to: anyPort) { $0 += [1, 2] }
        batch.append(to: anyPort) { _ in }
        batch.append(to: anyPort.with(port: 5)) { $0 += [3] }
        #expect(batch.count == 2)
        #expect(batch.bytes == [1, 2, 3])
        #expect(batch.entries[1] == .init(offset: 2, length: 1, destination: anyPort.with(port: 5)))
        #expect(Array(batch.bytes(of: batch.entries[0])) == [1, 2])
        batch.removeAll()
        #expect(batch.isEmpty && batch.bytes.isEmpty)
    }
}
