import ClusterModel
import LinuxSystem

/// Reading: from the socket into the loop's buffer, from there to the subclass.
extension StreamConnection {
    /// A record of the handshake (RFC 8446 section 5.1). No SIP message begins so, and no frame: it would be too long.
    private func beginsTLS(_ bytes: Slice<UnsafeMutableRawBufferPointer>) -> Bool {
        bytes.first == 22 && (bytes.count == 1 || bytes[bytes.startIndex + 1] == 3)
    }

    func readInput() {
        if holdsWhole { deliverHeld() }
        if let security { return readSecured(security) }
        let buffer = loop.readBuffer
        var budget = limits.readPerTurn
        while budget > 0 && phase != .closed && !(phase == .open && isPaused) {
            do throws(SystemError) {
                guard let count = try descriptor.read(into: buffer) else { return }
                if count == 0 {
                    if !peerFinished() { end(.peerClosed) }
                    return
                }
                if counters.bytesIn == 0, beginsTLS(buffer[..<count]) {
                    return end(.insecure("the peer speaks TLS, and this port does not"))
                }
                budget -= count
                lastHeard = loop.now.monotonic
                counters.bytesIn &+= UInt64(count)
                if phase == .open {
                    // The loop owns the buffer and reads nothing into it before this call returns.
                    received(UnsafeRawBufferPointer(rebasing: buffer[..<count]).bytes)
                }
                if count < buffer.count { return }
            } catch {
                end(error)
                return
            }
        }
    }
}
