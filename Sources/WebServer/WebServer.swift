internal import ClusterModel
internal import Hummingbird
internal import HummingbirdCore
internal import LinuxSystem
package import Logging
internal import NIOCore
internal import NIOPosix
internal import Synchronization

/// Answers browsers: Hummingbird's HTTP and router over a socket that somebody else has bound.
///
/// One thread of SwiftNIO's reads and writes all connections, and handles requests. Nothing here knows what is asked for.
package final class WebServer: Sendable {
    /// How long connections have to bring their last bytes out once the server closes.
    private static let farewell = TimeAmount.milliseconds(250)
    /// TCP's level and TCP_USER_TIMEOUT of Linux: how long what was sent may stay unacknowledged, in milliseconds.
    private static let userTimeout = (level: 6, name: Int32(18), milliseconds: 5_000)

    private let threads: MultiThreadedEventLoopGroup
    private let executor: LoopExecutor
    private let connections: ConnectionTable
    private let tls: TLSSource?
    private let http: HTTP1Channel
    private let limits: WebLimits
    private let logger: Logger
    private let state = Mutex(State.idle)

    private enum State: Sendable {
        /// Becomes `running` or `closed`.
        case idle
        /// Becomes `closed`.
        case running(Running)
        case closed
    }

    private struct Running: Sendable {
        let listener: any Channel
        let arrivals: AsyncStream<HTTP1Channel.Value>.Continuation
        /// Ends when all connections have ended.
        let task: Task<Void, Never>
    }

    /// - Parameter tls: nil for plain HTTP.
    package init(tls: TLSSource? = nil, site: WebSite, limits: WebLimits = WebLimits(), logger: Logger) {
        threads = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        executor = LoopExecutor(threads.next())
        connections = ConnectionTable(limits)
        self.tls = tls
        self.limits = limits
        self.logger = logger
        http = SiteResponder(site, limits: limits, isSecure: tls != nil, logger: logger).channel(connections)
    }

    /// Begins to accept. Called once.
    ///
    /// - Parameter listener: a stream socket that is bound; the server closes it, whatever happens.
    package func start(_ listener: Int32) throws {
        let (values, arrivals) = AsyncStream.makeStream(of: HTTP1Channel.Value.self)
        let channel = try ServerBootstrap(group: threads)
            .serverChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(AcceptPause())
                }
            }
            .childChannelOption(.tcpOption(.tcp_nodelay), value: 1)
            .childChannelOption(
                .socket(Self.userTimeout.level, Self.userTimeout.name), value: Self.userTimeout.milliseconds
            )
            .childChannelInitializer { [self] in open($0, arrivals) }
            .withBoundSocket(listener)
            .wait()
        // SwiftNIO has made it 128.
        try? Sockets.setBacklog(of: listener)
        let task = Task(executorPreference: executor) { [http, logger] in
            await withDiscardingTaskGroup { group in
                for await value in values {
                    group.addTask { await http.handle(value: value, logger: logger) }
                }
            }
        }
        state.withLock { $0 = .running(Running(listener: channel, arrivals: arrivals, task: task)) }
    }

    private func open(
        _ channel: any Channel, _ arrivals: AsyncStream<HTTP1Channel.Value>.Continuation
    ) -> EventLoopFuture<Void> {
        let source = channel.remoteAddress.flatMap(SourceID.init(socket:))
        guard connections.admit(channel, from: source) else {
            return channel.eventLoop.makeFailedFuture(ChannelError.ioOnClosedChannel)
        }
        channel.closeFuture.whenComplete { [connections] _ in connections.remove(channel) }
        do {
            if let filter = try tls?.makeFilter(limits.handshake) {
                try channel.pipeline.syncOperations.addHandler(filter)
            }
        } catch {
            logger.warning("a browser is not served: \(error)")
            return channel.eventLoop.makeFailedFuture(error)
        }
        return http.setup(channel: channel, logger: logger).map { _ = arrivals.yield($0) }
    }

    /// Connections that are open.
    package var connectionCount: Int { connections.count }

    /// Accepts nothing more, and ends what there is: in a quarter of a second what is on its way has gone out. The second
    /// time nothing happens.
    package func close() {
        let former = state.withLock { state in
            defer { state = .closed }
            return state
        }
        var task: Task<Void, Never>?
        switch former {
        case .closed: return
        case .idle: break
        case .running(let running):
            task = running.task
            running.listener.close(promise: nil)
            // On the thread that lets connections in: what it hands over after the end would be nobody's.
            threads.next().scheduleTask(in: Self.farewell) { [connections] in
                connections.closeAll()
                running.arrivals.finish()
            }
        }
        Task { [threads, task] in
            await task?.value
            try? await threads.shutdownGracefully()
        }
    }
}

extension SourceID {
    /// - Returns: nil for what is not an IP address.
    init?(socket: SocketAddress) {
        guard let text = socket.ipAddress else { return nil }
        self.init(host: text)
    }

    /// From an address without a port and without brackets.
    init?(host text: some StringProtocol) {
        guard let address = NetworkAddress(text.contains(":") ? "[\(text)]:0" : "\(text):0") else { return nil }
        self.init(address)
    }
}
