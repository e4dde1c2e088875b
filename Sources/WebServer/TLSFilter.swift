internal import NIOCore
internal import Synchronization
package import TLS

/// What new connections begin TLS with. Any thread may renew it; connections keep what they began with.
package final class TLSSource: Sendable {
    /// Contexts never change once they are made, and OpenSSL counts who uses one under a lock of its own, so any thread may
    /// make sessions of it.
    private struct Held: @unchecked Sendable {
        var context: TLSContext
    }

    private let held: Mutex<Held>

    /// - Parameter context: a server's.
    package init(_ context: TLSContext) {
        held = Mutex(Held(context: context))
    }

    /// New connections use this one.
    package func renew(_ context: TLSContext) {
        let new = Held(context: context)
        held.withLock { $0 = new }
    }

    func makeFilter(_ patience: Duration) throws -> TLSFilter {
        let now = held.withLock { $0 }
        return TLSFilter(try TLSSession(now.context), patience: .init(patience))
    }
}

/// Ciphertext on the side of the socket, plaintext on the other: `TLSSession` as a part of SwiftNIO's pipelines.
final class TLSFilter: ChannelDuplexHandler, RemovableChannelHandler {
    typealias InboundIn = ByteBuffer
    typealias InboundOut = ByteBuffer
    typealias OutboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    /// TLS's longest record.
    private static let record = 16 * 1024

    private let session: TLSSession
    private let patience: TimeAmount
    private var timer: Scheduled<Void>?
    /// Plaintext that could not be encrypted yet.
    private var unsent: [(bytes: ByteBuffer, promise: EventLoopPromise<Void>?)] = []

    init(_ session: TLSSession, patience: TimeAmount) {
        self.session = session
        self.patience = patience
    }

    func handlerAdded(context: ChannelHandlerContext) {
        timer = context.eventLoop.assumeIsolated().scheduleTask(in: patience) { context.close(promise: nil) }
    }

    func handlerRemoved(context: ChannelHandlerContext) {
        timer?.cancel()
        failUnsent()
    }

    func channelInactive(context: ChannelHandlerContext) {
        timer?.cancel()
        failUnsent()
        context.fireChannelInactive()
    }

    private func failUnsent() {
        let promises = unsent.map(\.promise)
        unsent.removeAll()
        for promise in promises { promise?.fail(ChannelError.ioOnClosedChannel) }
    }

    // MARK: From the socket

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        var ciphertext = unwrapInboundIn(data)
        do {
            while let piece = ciphertext.readSlice(length: min(Self.record, ciphertext.readableBytes)),
                piece.readableBytes > 0
            {
                try piece.withUnsafeReadableBytes { try session.receive($0) }
                try deliver(context)
            }
        } catch {
            // An alert may wait that says why.
            send(context, nil)
            context.flush()
            context.close(promise: nil)
            return
        }
        if session.phase != .handshaking { timer?.cancel() }
        flush(context: context)
        if session.phase == .peerFinished { close(context: context, mode: .all, promise: nil) }
    }

    /// Decrypts all that came.
    private func deliver(_ context: ChannelHandlerContext) throws {
        while true {
            var plaintext = context.channel.allocator.buffer(capacity: Self.record)
            let count = try plaintext.writeWithUnsafeMutableBytes(minimumWritableBytes: Self.record) { place in
                try session.read(into: place) ?? 0
            }
            guard count > 0 else { return }
            context.fireChannelRead(wrapInboundOut(plaintext))
        }
    }

    // MARK: To the socket

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        unsent.append((unwrapOutboundIn(data), promise))
    }

    func flush(context: ChannelHandlerContext) {
        do {
            try encrypt(context)
        } catch {
            failUnsent()
            context.close(promise: nil)
        }
        send(context, nil)
        context.flush()
    }

    private func encrypt(_ context: ChannelHandlerContext) throws {
        while !unsent.isEmpty {
            while unsent[0].bytes.readableBytes > 0 {
                let taken = try unsent[0].bytes.withUnsafeReadableBytes { try session.write($0) }
                guard taken > 0 else { return }
                unsent[0].bytes.moveReaderIndex(forwardBy: taken)
                if unsent[0].bytes.readableBytes > 0 { send(context, nil) }
            }
            send(context, unsent.removeFirst().promise)
        }
    }

    /// Hands on what the session wants sent.
    private func send(_ context: ChannelHandlerContext, _ promise: EventLoopPromise<Void>?) {
        var ciphertext: [UInt8] = []
        session.takeOutput(into: &ciphertext)
        guard !ciphertext.isEmpty || promise != nil else { return }
        context.write(wrapOutboundOut(ByteBuffer(bytes: ciphertext)), promise: promise)
    }

    func close(context: ChannelHandlerContext, mode: CloseMode, promise: EventLoopPromise<Void>?) {
        if mode != .input {
            session.finish()
            send(context, nil)
            context.flush()
        }
        context.close(mode: mode, promise: promise)
    }
}

@available(*, unavailable)
extension TLSFilter: Sendable {}
