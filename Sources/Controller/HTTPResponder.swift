import LinuxSystem
import Orchestration
import Transport

/// Answers requests over HTTP/1.1, a few at a time. Who says nothing, or not all of it, holds nothing for long.
final class HTTPResponder {
    /// How many may be connected. For another one, the one that has been silent the longest goes.
    static let maximumConnections = 32
    /// How long a request may take to come, an answer to be read, and a connection to say nothing.
    static let patience = Duration.seconds(10)
    /// Who has asked for more at once than this, before reading it, asks again over another connection.
    private static let unreadLimit = 256 * 1024

    typealias Answering = (HTTPAnswer) -> Void

    private struct Exchange {
        let connection: ByteConnection
        var reader = HTTPRequestReader()
        /// What is being answered.
        var request: HTTPRequest?
        var timer: TimerToken?
        /// Counts up, so that the least is the one that said something the longest ago.
        var lastHeard: UInt64
    }

    private let loop: EventLoop
    /// Is told each request, and answers it once, at any time.
    private let respond: (HTTPRequest, @escaping Answering) -> Void
    /// Is told of what was refused before it became a request.
    private let refused: (HTTPProblem) -> Void
    private var listener: StreamListener?
    private var exchanges: [UInt64: Exchange] = [:]
    private var numbers: [ObjectIdentifier: UInt64] = [:]
    private var last: UInt64 = 0

    init(
        _ descriptor: OwnedDescriptor, on loop: EventLoop, refused: @escaping (HTTPProblem) -> Void,
        respond: @escaping (HTTPRequest, @escaping Answering) -> Void
    ) throws(SystemError) {
        self.loop = loop
        self.refused = refused
        self.respond = respond
        var limits = StreamListener.Limits()
        // Those that are being closed count, too.
        limits.connections = 2 * Self.maximumConnections
        listener = try StreamListener(descriptor, on: loop, limits: limits, delegate: self)
    }

    func close() {
        listener?.close()
        listener = nil
        for number in exchanges.keys.sorted() { exchanges[number]?.connection.close() }
    }

    private func nextNumber() -> UInt64 {
        last += 1
        return last
    }

    private func watchTime(_ number: UInt64) {
        stopTimer(number)
        exchanges[number]?.timer = loop.schedule(after: Self.patience) { [weak self] in
            self?.exchanges[number]?.timer = nil
            self?.exchanges[number]?.connection.close(afterFlushing: false)
        }
    }

    private func stopTimer(_ number: UInt64) {
        if let timer = exchanges[number]?.timer { loop.cancel(timer) }
        exchanges[number]?.timer = nil
    }

    private func makeRoom() {
        guard exchanges.count >= Self.maximumConnections else { return }
        let silent = exchanges.filter { $0.value.request == nil }.min { $0.value.lastHeard < $1.value.lastHeard }
        guard let (number, exchange) = silent else { return }
        // At once, as several may come in one turn.
        forget(number)
        exchange.connection.close(afterFlushing: false)
    }

    private func forget(_ number: UInt64) {
        stopTimer(number)
        guard let exchange = exchanges.removeValue(forKey: number) else { return }
        numbers[ObjectIdentifier(exchange.connection)] = nil
    }

    // MARK: Requests

    private func proceed(_ number: UInt64) {
        guard let exchange = exchanges[number], exchange.request == nil, exchange.connection.isOpen else { return }
        switch exchanges[number]!.reader.next() {
        case .incomplete:
            if exchange.connection.isFinished { exchange.connection.close() }
        case .refused(let problem):
            refused(problem)
            exchange.connection.writeBytes { HTTPAnswer(problem).write(to: nil, into: &$0) }
            exchange.connection.close()
        case .request(let request):
            exchanges[number]!.request = request
            stopTimer(number)
            respond(request) { [weak self] answer in self?.answer(answer, number) }
        }
    }

    private func answer(_ answer: HTTPAnswer, _ number: UInt64) {
        guard let exchange = exchanges[number], let request = exchange.request else { return }
        exchanges[number]!.request = nil
        exchange.connection.writeBytes { answer.write(to: request, into: &$0) }
        guard request.keepsAlive, exchange.connection.outputBytes < Self.unreadLimit || !exchange.reader.hasBegun else {
            return exchange.connection.close()
        }
        watchTime(number)
        // What came meanwhile; in another call, however many there are.
        loop.soon { [weak self] in self?.proceed(number) }
    }
}

extension HTTPResponder: StreamListenerDelegate {
    func streamAccepted(_ stream: AcceptedStream, by listener: StreamListener) {
        makeRoom()
        var limits = ByteConnection.limits
        limits.linger = Self.patience
        guard let connection = try? ByteConnection(stream.descriptor, on: loop, limits: limits, delegate: self) else {
            return stream.descriptor.close()
        }
        let number = nextNumber()
        exchanges[number] = Exchange(connection: connection, lastHeard: number)
        numbers[ObjectIdentifier(connection)] = number
        watchTime(number)
    }
}

extension HTTPResponder: ByteConnectionDelegate {
    func bytesReceived(_ bytes: RawSpan, on connection: ByteConnection) {
        guard let number = numbers[ObjectIdentifier(connection)] else { return }
        exchanges[number]?.lastHeard = nextNumber()
        exchanges[number]?.reader.receive(Span(_bytes: bytes))
        proceed(number)
    }

    func owesAnswer(_ connection: ByteConnection) -> Bool {
        guard let number = numbers[ObjectIdentifier(connection)], let exchange = exchanges[number] else { return false }
        return exchange.request != nil || connection.outputBytes > 0
    }

    func connectionClosed(_ connection: ByteConnection, reason: CloseReason) {
        if let number = numbers[ObjectIdentifier(connection)] { forget(number) }
    }
}
