package import ClusterModel
package import Transport
package import Wire

/// What becomes of the port that is in turn.
package protocol PortRotaDelegate: AnyObject {
    /// - Parameter position: of the port in the list.
    func opened(_ position: Int, _ hello: PortHello)
    func received(_ position: Int, type: UInt16, _ payload: RawSpan)
    func lost(_ position: Int, _ reason: String)
}

/// Several ports that tell the same, of which one is heard at a time: one that is lost is tried again first, for a moment, and then the
/// next.
package final class PortRota: PortLinkDelegate {
    /// How long a port may take to be heard again before the next one is tried.
    private static let patience = Duration.milliseconds(300)

    private let loop: EventLoop
    private unowned let delegate: any PortRotaDelegate
    private var links: [PortLink] = []
    /// Which of them is in turn.
    private var turn = 0
    private var moveOn: TimerToken?

    /// - Parameters:
    ///   - ports: the preferred one first, each with how to know it.
    ///   - delegate: outlives the rota.
    package init(
        _ ports: [(address: StreamAddress, identity: () -> PortLink.Identity)], on loop: EventLoop,
        delegate: any PortRotaDelegate
    ) {
        self.loop = loop
        self.delegate = delegate
        links = ports.map { PortLink(to: $0.address, on: loop, delegate: self, identity: $0.identity) }
    }

    package var isOpen: Bool { turn < links.count && links[turn].isOpen }

    package func open() {
        guard !links.isEmpty else { return }
        links[turn].open()
        expect()
    }

    package func close() {
        for link in links { link.close() }
        if let moveOn { loop.cancel(moveOn) }
        moveOn = nil
    }

    /// Lets `write` append whole frames for the port in turn.
    package func send(_ write: (inout [UInt8]) -> Void) {
        if turn < links.count { links[turn].send(write) }
    }

    private func expect() {
        if let moveOn { loop.cancel(moveOn) }
        moveOn = loop.schedule(after: Self.patience) { [unowned self] in
            moveOn = nil
            guard !links[turn].isOpen else { return }
            if links.count > 1 {
                links[turn].close()
                turn = (turn + 1) % links.count
                links[turn].open()
            }
            expect()
        }
    }

    package func opened(_ link: PortLink, _ hello: PortHello) {
        if link === links[turn] { delegate.opened(turn, hello) }
    }

    package func received(_ link: PortLink, type: UInt16, _ payload: RawSpan) {
        if link === links[turn] { delegate.received(turn, type: type, payload) }
    }

    package func lost(_ link: PortLink, _ reason: String) {
        guard link === links[turn] else { return }
        expect()
        delegate.lost(turn, reason)
    }
}
