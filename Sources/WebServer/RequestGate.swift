internal import HTTPTypes
internal import NIOCore
internal import NIOHTTPTypes

/// Keeps a connection within its limits where Hummingbird does not: who sends slowly, who sends what nobody reads, who asks on
/// without reading, and who never reads at all.
///
/// Hummingbird reads the rest of a body that was refused, however long it is, its idle timer starts anew with every byte of a body,
/// and it leaves what comes after the last request to whoever may read it. So: a first head has its time, a body has its time, an
/// answer that finds no room has its time, and an answer that leaves before its request has ended, or that belongs to the last
/// request, is the last one of its connection.
final class RequestGate: ChannelDuplexHandler, RemovableChannelHandler {
    typealias InboundIn = HTTPRequestPart
    typealias InboundOut = HTTPRequestPart
    typealias OutboundIn = HTTPResponsePart
    typealias OutboundOut = HTTPResponsePart

    /// How much is still read, and for how long, so that the last answer is not lost in a reset.
    private static let drain = (bytes: 64 * 1024, time: TimeAmount.seconds(1))

    /// What is still taken from the browser.
    private enum Taking {
        /// Becomes `lastRequest` or `nothing`.
        case requests
        /// The rest of a request that says that no other follows. Becomes `nothing`.
        case lastRequest
        case nothing
    }

    private let limits: WebLimits
    private let connections: ConnectionTable
    private var taking = Taking.requests
    /// Requests whose answers have not ended.
    private var waiting = 0
    /// Whether the end of the last request has come.
    private var isBetween = true
    /// SwiftNIO keeps all that comes after a request for another protocol, as if it were of that, so nothing more may come.
    private var isDeaf = false
    private var wantsOtherProtocol = false
    private var closesAfterAnswer = false
    /// The last answer has left; nothing counts any more.
    private var isLeaving = false
    private var drained = 0
    private var timer: Scheduled<Void>?
    /// Runs while the browser reads too slowly.
    private var sendTimer: Scheduled<Void>?

    init(_ limits: WebLimits, _ connections: ConnectionTable) {
        self.limits = limits
        self.connections = connections
    }

    func handlerAdded(context: ChannelHandlerContext) {
        setTimer(context, .init(limits.headPatience))
    }

    func handlerRemoved(context: ChannelHandlerContext) {
        cancelTimers()
    }

    func channelInactive(context: ChannelHandlerContext) {
        cancelTimers()
        context.fireChannelInactive()
    }

    private func setTimer(_ context: ChannelHandlerContext, _ time: TimeAmount) {
        timer?.cancel()
        timer = closing(context, in: time)
    }

    private func closing(_ context: ChannelHandlerContext, in time: TimeAmount) -> Scheduled<Void> {
        context.eventLoop.assumeIsolated().scheduleTask(in: time) { context.close(promise: nil) }
    }

    private func cancelTimers() {
        timer?.cancel()
        timer = nil
        sendTimer?.cancel()
        sendTimer = nil
    }

    // MARK: From the browser

    func read(context: ChannelHandlerContext) {
        if !isDeaf { context.read() }
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let part = unwrapInboundIn(data)
        guard !isLeaving, taking != .nothing else { return drop(part, context) }
        switch part {
        case .head(let head):
            waiting += 1
            isBetween = false
            guard waiting <= limits.pipelined else { return context.close(promise: nil) }
            wantsOtherProtocol = head.wantsOtherProtocol
            if head.isLast || wantsOtherProtocol { taking = .lastRequest }
            setTimer(context, .init(limits.bodyPatience))
        case .body:
            break
        case .end:
            isBetween = true
            if taking == .lastRequest { taking = .nothing }
            isDeaf = wantsOtherProtocol
            timer?.cancel()
            timer = nil
            connections.requestCame(context.channel)
        }
        context.fireChannelRead(data)
    }

    private func drop(_ part: HTTPRequestPart, _ context: ChannelHandlerContext) {
        if case .body(let bytes) = part { drained += bytes.readableBytes }
        if drained > Self.drain.bytes { context.close(promise: nil) }
    }

    // MARK: To the browser

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        switch unwrapOutboundIn(data) {
        case .head(let head):
            if head.headerFields[.connection] == "close" { closesAfterAnswer = true }
            context.write(data, promise: promise)
        case .body:
            context.write(data, promise: promise)
        case .end:
            // A request that could not be read has no head here.
            let isBroken = waiting == 0
            waiting = max(0, waiting - 1)
            // A stream's answer ends while its request has; so does one whose body is read whole.
            let isEarly = waiting == 0 && !isBetween
            let isLast = waiting == 0 && taking == .nothing
            context.writeAndFlush(data, promise: promise)
            if waiting == 0 { connections.answered(context.channel) }
            if isBroken || isEarly || isLast || closesAfterAnswer { leave(context) }
        }
    }

    func channelWritabilityChanged(context: ChannelHandlerContext) {
        sendTimer?.cancel()
        sendTimer = context.channel.isWritable ? nil : closing(context, in: .init(limits.sendPatience))
        context.fireChannelWritabilityChanged()
    }

    /// Says that nothing more comes, and waits for the browser to see it.
    private func leave(_ context: ChannelHandlerContext) {
        guard !isLeaving else { return }
        isLeaving = true
        setTimer(context, .init(limits.sendPatience))
        let hasLeft = context.eventLoop.makePromise(of: Void.self)
        hasLeft.futureResult.assumeIsolated().whenComplete { [self] _ in
            // Without a timer the connection is gone.
            if timer != nil { setTimer(context, Self.drain.time) }
        }
        context.close(mode: .output, promise: hasLeft)
    }
}

@available(*, unavailable)
extension RequestGate: Sendable {}

extension HTTPRequest {
    /// No other request follows (RFC 9112 section 9.6).
    fileprivate var isLast: Bool {
        headerFields[values: .connection].contains { value in
            value.split(separator: ",").contains { $0.filter { $0 != " " }.lowercased() == "close" }
        }
    }

    /// It asks for what is not HTTP from here on (RFC 9110 sections 7.8 and 9.3.6).
    fileprivate var wantsOtherProtocol: Bool { method == .connect || headerFields[.upgrade] != nil }
}
