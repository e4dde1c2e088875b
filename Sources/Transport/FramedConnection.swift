import ClusterModel
package import LinuxSystem
import Wire

/// Owns what a connection's frames mean.
package protocol FramedConnectionDelegate: AnyObject {
    /// - Parameter payload: gone after the call.
    func frameReceived(_ connection: FramedConnection, type: UInt16, flags: UInt16, payload: RawSpan)
    /// Output had passed the high-water mark and is below half of it again.
    func outputDrained(_ connection: FramedConnection)
    /// Told exactly once, never from within a call of ours, and nothing is told after it.
    func connectionClosed(_ connection: FramedConnection, reason: CloseReason)
}

extension FramedConnectionDelegate {
    package func outputDrained(_ connection: FramedConnection) {}
}

/// A stream of frames: what Tandem's own processes and their clients speak.
package final class FramedConnection: StreamConnection {
    /// Released once it has been told of the end.
    var delegate: (any FramedConnectionDelegate)?
    /// Somebody else owns what its frames mean from now on.
    package func replaceDelegate(by other: any FramedConnectionDelegate) {
        if delegate != nil { delegate = other }
    }

    package var owner: (any FramedConnectionDelegate)? { delegate }

    /// Watches a connected socket. The delegate is kept until it has been told of the end.
    package init(
        _ descriptor: OwnedDescriptor, on loop: EventLoop, limits: Limits = Limits(),
        delegate: any FramedConnectionDelegate
    ) throws(SystemError) {
        self.delegate = delegate
        try super.init(descriptor, on: loop, limits: limits)
    }

    override func take(_ bytes: RawSpan) { takeFrames(bytes) }

    override func deliverHeld() { deliverHeldFrames() }

    override func drained() { delegate?.outputDrained(self) }

    override func wasLetGo() { delegate = nil }

    override func ended(_ reason: CloseReason) {
        let told = delegate
        delegate = nil
        told?.connectionClosed(self, reason: reason)
    }

    // MARK: Sending

    /// Sends a frame whose payload is there already.
    ///
    /// - Returns: false when the connection is closing or the payload is longer than a frame may carry.
    @discardableResult
    package func send(type: UInt16, flags: UInt16 = 0, payload: some Sequence<UInt8>) -> Bool {
        send(type: type, flags: flags) { $0.append(contentsOf: payload) }
    }

    /// Sends a frame whose payload `encode` appends to what is waiting already.
    ///
    /// - Returns: false when the connection is closing or the payload is longer than a frame may carry.
    @discardableResult
    package func send(type: UInt16, flags: UInt16 = 0, encode: (inout [UInt8]) -> Void) -> Bool {
        guard phase == .open else { return false }
        guard FrameHeader.appendFrame(type: type, flags: flags, to: &output, encode) else { return false }
        counters.framesOut &+= 1
        outputGrew()
        return true
    }

    /// Lets `write` append whole frames, headers included.
    ///
    /// - Parameter frames: how many, for the counters.
    package func withOutput(frames: Int = 1, _ write: (inout [UInt8]) -> Void) {
        guard phase == .open else { return }
        write(&output)
        counters.framesOut &+= UInt64(clamping: frames)
        outputGrew()
    }
}
