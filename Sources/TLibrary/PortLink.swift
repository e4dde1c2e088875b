package import ClusterModel
import Digests
import LinuxSystem
package import TLS
import TLibraryPorts
package import Transport
package import Wire

/// What becomes of a link to a port.
package protocol PortLinkDelegate: AnyObject {
    /// The server has introduced itself, and proved itself where secrets are in use: requests may be sent.
    func opened(_ link: PortLink, _ hello: PortHello)
    func received(_ link: PortLink, type: UInt16, _ payload: RawSpan)
    /// The link was open and is no more. It is made again by itself.
    func lost(_ link: PortLink, _ reason: String)
}

/// A link of one of Tandem's own servers to a port of another: a connection on the loop that is made again, with growing pauses, for
/// as long as somebody wants it.
package final class PortLink {
    /// How this side proves itself, and how it knows the other; asked for at every connection.
    package struct Identity {
        package var name: String
        /// Nil where the port demands no proof.
        package var secret: [UInt8]?
        /// For ports over TLS.
        package var tls: TLSContext?
        /// Whom the other's certificate must be made out to.
        package var server: PeerIdentity?

        package init(name: String, secret: [UInt8]? = nil, tls: TLSContext? = nil, server: PeerIdentity? = nil) {
            self.name = name
            self.secret = secret
            self.tls = tls
            self.server = server
        }
    }

    private enum Phase {
        /// Nobody wants it.
        case idle
        case dialing
        case introducing
        case proving(ClientProof, PortHello)
        case open
        case pausing
    }

    private static let firstPause = Duration.milliseconds(20)
    private static let longestPause = Duration.seconds(2)
    private static let patience = Duration.seconds(5)

    package let address: StreamAddress
    private let loop: EventLoop
    private let identity: () -> Identity
    private unowned let delegate: any PortLinkDelegate
    private var phase = Phase.idle
    private var connection: FramedConnection?
    private var dialer: StreamDialer?
    private var timer: TimerToken?
    private var pause = PortLink.firstPause
    private var nonce: [UInt8] = []
    /// Why the last connection was not made, or ended; empty before the first.
    package private(set) var lastProblem = ""

    /// - Parameter delegate: outlives the link.
    package init(
        to address: StreamAddress, on loop: EventLoop, delegate: any PortLinkDelegate,
        identity: @escaping () -> Identity
    ) {
        self.address = address
        self.loop = loop
        self.delegate = delegate
        self.identity = identity
    }

    package var isOpen: Bool {
        if case .open = phase { return true }
        return false
    }

    /// Connects, now and whenever the connection is lost.
    package func open() {
        guard case .idle = phase else { return }
        dial()
    }

    /// Ends the connection, and makes no other. Nothing more is told.
    package func close() {
        stopTimer()
        dialer?.cancel()
        dialer = nil
        phase = .idle
        connection?.close(afterFlushing: false)
        connection = nil
    }

    /// Lets `write` append whole frames. Does nothing while the link is not open.
    package func send(_ write: (inout [UInt8]) -> Void) {
        guard isOpen else { return }
        connection?.withOutput(write)
    }

    // MARK: Connecting

    private func dial() {
        phase = .dialing
        dialer = StreamDialer.dial(address, on: loop) { [unowned self] outcome in
            dialer = nil
            switch outcome {
            case .success(let descriptor): connected(descriptor)
            case .failure(let error): failed("\(error)")
            }
        }
    }

    private func connected(_ descriptor: OwnedDescriptor) {
        let identity = identity()
        descriptor.disableDelay()
        descriptor.keepAlive()
        do throws(SystemError) {
            var limits = FramedConnection.Limits()
            limits.outputHighWater = limits.output
            let connection = try FramedConnection(descriptor, on: loop, limits: limits, delegate: LinkDelegate(self))
            if address.isSecure {
                guard let tls = identity.tls, let server = identity.server else {
                    connection.close(afterFlushing: false)
                    return failed("\(address) is over TLS, and there is no certificate authority to know it by")
                }
                guard let session = try? TLSSession(tls, expecting: server) else {
                    connection.close(afterFlushing: false)
                    return failed("\(address): TLS cannot begin")
                }
                connection.secure(with: session)
            }
            self.connection = connection
        } catch {
            return failed("\(error)")
        }
        phase = .introducing
        nonce = identity.secret == nil ? [] : SystemRandom.bytes(ClientProof.size)
        let hello = PortHello(name: identity.name, nonce: nonce)
        connection?.withOutput { CommonCodec.encode(hello, to: &$0) }
        timer = loop.schedule(after: Self.patience) { [unowned self] in
            timer = nil
            drop("\(address) does not introduce itself")
        }
    }

    /// The attempt has come to nothing, or what there was has ended: another follows after a pause.
    private func failed(_ reason: String) {
        lastProblem = reason
        stopTimer()
        phase = .pausing
        let spread = Double(SystemRandom.word() % 1_000) / 2_000 + 0.5
        timer = loop.schedule(after: pause * spread) { [unowned self] in
            timer = nil
            dial()
        }
        pause = min(pause * 2, Self.longestPause)
    }

    private func drop(_ reason: String) {
        let wasOpen = isOpen
        connection?.close(afterFlushing: false)
        connection = nil
        failed(reason)
        if wasOpen { delegate.lost(self, reason) }
    }

    private func stopTimer() {
        if let timer { loop.cancel(timer) }
        timer = nil
    }

    // MARK: What comes

    fileprivate func frameReceived(_ connection: FramedConnection, type: UInt16, _ payload: RawSpan) {
        guard connection === self.connection else { return }
        if type == FrameType.problem {
            return drop("\(address) says: \((try? CommonCodec.decodeProblem(payload)) ?? "what cannot be read")")
        }
        switch phase {
        case .open: delegate.received(self, type: type, payload)
        case .introducing: introduced(type, payload)
        case .proving(let proof, let hello): proved(type, payload, proof, hello)
        case .idle, .dialing, .pausing: break
        }
    }

    private func introduced(_ type: UInt16, _ payload: RawSpan) {
        guard type == FrameType.hello, let hello = try? CommonCodec.decodeHello(payload) else {
            return drop("\(address) does not introduce itself as a port does")
        }
        let identity = identity()
        switch (identity.secret, hello.nonce.isEmpty) {
        case (nil, true): becomeOpen(hello)
        case (nil, false): drop("\(address) demands the proof of a secret, and this server has none")
        case (_?, true): drop("\(address) demands no proof of a secret, and so cannot prove that it knows this one")
        case (let secret?, false):
            let proof = ClientProof(
                clientNonce: nonce, nodeNonce: hello.nonce, cluster: hello.cluster, node: hello.name,
                client: identity.name)
            phase = .proving(proof, hello)
            let code = MessageAuthenticationCode.sha256(proof.text(.client), key: secret)
            connection?.withOutput { CommonCodec.encode(proof: code, to: &$0) }
        }
    }

    private func proved(_ type: UInt16, _ payload: RawSpan, _ proof: ClientProof, _ hello: PortHello) {
        guard type == FrameType.proof, let code = try? CommonCodec.decodeProof(payload), let secret = identity().secret,
            ClientProof.isSame(code, MessageAuthenticationCode.sha256(proof.text(.node), key: secret))
        else { return drop("\(address) does not know the secret") }
        becomeOpen(hello)
    }

    private func becomeOpen(_ hello: PortHello) {
        stopTimer()
        phase = .open
        lastProblem = ""
        delegate.opened(self, hello)
        // Whoever closes at once is not asked without a pause.
        timer = loop.schedule(after: Self.longestPause) { [unowned self] in
            timer = nil
            pause = Self.firstPause
        }
    }

    fileprivate func connectionClosed(_ connection: FramedConnection, _ reason: CloseReason) {
        guard connection === self.connection else { return }
        drop("\(reason)")
    }
}

private final class LinkDelegate: FramedConnectionDelegate {
    private weak var link: PortLink?

    init(_ link: PortLink) {
        self.link = link
    }

    func frameReceived(_ connection: FramedConnection, type: UInt16, flags: UInt16, payload: RawSpan) {
        link?.frameReceived(connection, type: type, payload)
    }

    func connectionClosed(_ connection: FramedConnection, reason: CloseReason) {
        link?.connectionClosed(connection, reason)
    }
}
