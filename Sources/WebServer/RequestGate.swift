internal import HTTPTypes
internal import NIOCore
internal import NIOHTTPTypes

/// Keeps a connection within its limits where Hummingbird does not: who sends slowly, who sends what nobody reads, and who
/// asks on without reading.
///
/// Hummingbird reads the rest of a body that was refused, however long it is, and its idle timer starts anew with every byte
/// of a body. So: a first head has its time, a body has its time, and an answer that leaves before its request has ended is
/// the last one of its connection.
final class RequestGate: ChannelDuplexHandler, RemovableChannelHandler {
    typealias InboundIn = HTTPRequestPart
    typealias InboundOut = HTTPRequestPart
    typealias OutboundIn = HTTPResponsePart
    typealias OutboundOut = HTTPResponsePart

    /// How much is still read, and for how long, so that the last answer is not lost in a reset.
    private static let drain = (bytes: 64 * 1024, time: TimeAmount.seconds(1))

    private let limits: WebLimits
    /// Requests whose answers have not ended.
    private var waiting = 0
    /// Whether the end of the last request has come.
    private var isBetween = true
    private var closesAfterAnswer = false
    /// The last answer has left; nothing counts any more.
    private var isLeaving = false
    private var drained = 0
    private var timer: Scheduled<Void>?

    init(_ limits: WebLimits) {
        self.limits = limits
    }

    func handlerAdded(context: ChannelHandlerContext) {
        setTimer(context, .init(limits.headPatience))
    }

    func handlerRemoved(context: ChannelHandlerContext) {
        timer?.cancel()
        timer = nil
    }

    func channelInactive(context: ChannelHandlerContext) {
        timer?.cancel()
        timer = nil
        context.fireChannelInactive()
    }

    private func setTimer(_ context: ChannelHandlerContext, _ time: TimeAmount) {
        timer?.cancel()
        timer = context.eventLoop.assumeIsolated().scheduleTask(in: time) { context.close(promise: nil) }
    }

    // MARK: From the browser

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let part = unwrapInboundIn(data)
        guard !isLeaving else { return drop(part, context) }
        switch part {
        case .head:
            waiting += 1
            isBetween = false
            guard waiting <= limits.pipelined else { return context.close(promise: nil) }
            setTimer(context, .init(limits.bodyPatience))
        case .body:
            break
        case .end:
            isBetween = true
            timer?.cancel()
            timer = nil
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
            context.writeAndFlush(data, promise: promise)
            if isBroken || isEarly || closesAfterAnswer { leave(context) }
        }
    }

    /// Says that nothing more comes, and waits for the browser to see it.
    private func leave(_ context: ChannelHandlerContext) {
        guard !isLeaving else { return }
        isLeaving = true
        setTimer(context, Self.drain.time)
        context.close(mode: .output, promise: nil)
    }
}

@available(*, unavailable)
extension RequestGate: Sendable {}
