internal import NIOCore

/// Rests when no connection can be accepted, as when descriptors have run out: those who wait stay in the kernel's queue.
///
/// SwiftNIO's own `AcceptBackoffHandler` asks for no more, but where the first accept of a turn fails the listener stays registered, and
/// the thread does nothing else any more.
final class AcceptPause: ChannelInboundHandler {
    typealias InboundIn = any Channel

    private static let time = TimeAmount.milliseconds(250)

    private var isResting = false

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        guard error is IOError, !isResting else { return context.fireErrorCaught(error) }
        isResting = true
        setAccepting(false, context)
        context.eventLoop.assumeIsolated().scheduleTask(in: Self.time) { [self] in
            isResting = false
            setAccepting(true, context)
        }
    }

    private func setAccepting(_ isAccepting: Bool, _ context: ChannelHandlerContext) {
        // A listener that is closed accepts nothing anyhow.
        try? context.channel.syncOptions?.setOption(.autoRead, value: isAccepting)
    }
}

@available(*, unavailable)
extension AcceptPause: Sendable {}
