internal import CLinuxSystem
package import ClusterModel
import Glibc

/// Makes sockets: non-blocking and close-on-exec from birth.
package enum Sockets {
    /// How many connections may wait to be accepted.
    package static let backlog: Int32 = 1024

    /// A bound UDP socket.
    ///
    /// SO_REUSEADDR stays off: with it two servers could take the same port, and the last one would get everything.
    ///
    /// - Parameters:
    ///   - receiveBuffer: bytes that the kernel should hold for us; it gives what it may (`net.core.rmem_max`).
    ///   - sendBuffer: as `receiveBuffer`; nil leaves the kernel's default.
    ///   - notesArrivals: whether `DatagramReceiver` tells when each datagram came, however long it has waited.
    package static func boundUDP(
        _ address: NetworkAddress, receiveBuffer: Int? = nil, sendBuffer: Int? = nil, notesArrivals: Bool = false
    ) throws(SystemError) -> OwnedDescriptor {
        let socket = try open("udp:\(address)", family: address.family, tandem_socket_datagram)
        if !address.isIPv4 {
            try systemCall("accept IPv4 on", "udp:\(address)") { tandem_accept_both_families(socket.number) }
        }
        try systemCall("set the buffers of", "udp:\(address)") {
            tandem_set_buffers(
                socket.number, Int32(clamping: receiveBuffer ?? 0), Int32(clamping: sendBuffer ?? 0))
        }
        // A kernel that cannot tells of none.
        if notesArrivals { _ = tandem_note_arrivals(socket.number) }
        try bind(socket, to: address, named: "udp:\(address)")
        return socket
    }

    /// A TCP socket that listens. SO_REUSEADDR is on, so that connections of an earlier life do not hold the port.
    ///
    /// - Parameter backlog: how many connections may wait to be accepted.
    package static func listeningTCP(
        _ address: NetworkAddress, backlog: Int32 = Sockets.backlog
    ) throws(SystemError) -> OwnedDescriptor {
        let socket = try open("tcp:\(address)", family: address.family, tandem_socket_stream)
        try systemCall("reuse", "tcp:\(address)") { tandem_allow_address_reuse(socket.number) }
        if !address.isIPv4 {
            try systemCall("accept IPv4 on", "tcp:\(address)") { tandem_accept_both_families(socket.number) }
        }
        try bind(socket, to: address, named: "tcp:\(address)")
        try systemCall("listen at", "tcp:\(address)") { listen(socket.number, backlog) }
        return socket
    }

    /// Sets how many connections may wait at a listener; libraries that take over a socket make it small.
    package static func setBacklog(of listener: Int32, to backlog: Int32 = Sockets.backlog) throws(SystemError) {
        try systemCall("listen at", "descriptor \(listener)") { listen(listener, backlog) }
    }

    /// A stream listener at either kind of address; see `listeningTCP` and `UnixSocket.listen`.
    package static func listening(at address: StreamAddress, mode: UInt32 = 0o600) throws(SystemError)
        -> OwnedDescriptor
    {
        switch address {
        case .tcp(let address), .tls(let address): try listeningTCP(address)
        case .unix(let path): try UnixSocket.listen(path: path, mode: mode)
        }
    }

    /// Begins to connect.
    ///
    /// - Returns: the socket, and whether it is connected already; if not, it becomes writable when it is or has failed,
    ///   and `connectionError` tells which.
    package static func connecting(
        to address: StreamAddress
    ) throws(SystemError) -> (socket: OwnedDescriptor, connected: Bool) {
        switch address {
        case .unix(let path):
            return (try UnixSocket.connect(path: path), true)
        case .tcp(let ip), .tls(let ip):
            let socket = try open("\(address)", family: ip.family, tandem_socket_stream)
            var target = ip.systemAddress
            let result = tandem_connect(socket.number, ip.family, &target)
            if result == 0 { return (socket, true) }
            // An interrupted connect goes on by itself.
            guard errno == EINPROGRESS || errno == EINTR else {
                throw SystemError(call: "connect to", object: "\(address)", code: errno)
            }
            return (socket, false)
        }
    }

    /// The outcome of a connect that was begun; nil when it succeeded.
    package static func connectionError(of socket: OwnedDescriptor, to address: StreamAddress) -> SystemError? {
        let code = tandem_socket_error(socket.number)
        if code == 0 { return nil }
        return SystemError(call: "connect to", object: "\(address)", code: code > 0 ? code : errno)
    }

    /// Two connected Unix stream sockets.
    package static func streamPair() throws(SystemError) -> (OwnedDescriptor, OwnedDescriptor) {
        try pair(datagram: 0)
    }

    /// Two connected Unix datagram sockets.
    package static func datagramPair() throws(SystemError) -> (OwnedDescriptor, OwnedDescriptor) {
        try pair(datagram: 1)
    }

    private static func pair(datagram: Int32) throws(SystemError) -> (OwnedDescriptor, OwnedDescriptor) {
        var numbers: (Int32, Int32) = (-1, -1)
        try systemCall("make", "a pair of sockets") {
            // A tuple of two Int32 is laid out as the C array; the pointer does not leave this closure.
            withUnsafeMutableBytes(of: &numbers) {
                tandem_socket_pair(datagram, $0.baseAddress?.assumingMemoryBound(to: Int32.self))
            }
        }
        return (OwnedDescriptor(adopting: numbers.0), OwnedDescriptor(adopting: numbers.1))
    }

    private static func open(
        _ object: String, family: Int32, _ make: (Int32) -> Int32
    ) throws(SystemError) -> OwnedDescriptor {
        OwnedDescriptor(adopting: try systemCall("open a socket for", object) { make(family) })
    }

    private static func bind(
        _ socket: OwnedDescriptor, to address: NetworkAddress, named object: String
    ) throws(SystemError) {
        var target = address.systemAddress
        try systemCall("bind", object) { tandem_bind(socket.number, address.family, &target) }
    }
}

extension OwnedDescriptor {
    /// Sends small frames at once instead of waiting for more; nothing happens on sockets that are not TCP.
    package func disableDelay() {
        // A Unix socket refuses the option and needs none; on TCP it cannot fail.
        _ = tandem_no_delay(number)
    }

    /// Has the kernel ask a peer that has been silent for a minute whether it is there; one that does not answer for another
    /// minute ends the connection. Nothing happens on sockets that are not TCP.
    package func keepAlive() {
        _ = tandem_keep_alive(number)
    }

    /// How many milliseconds ago a TCP peer sent something last; nil unless it has said that it will send no more.
    package func finishedMilliseconds() -> UInt64? {
        UInt64(exactly: tandem_finished_milliseconds(number))
    }

    /// Has the kernel reset the connection when it is closed, and drop what is under way. Without this the end of a
    /// stream waits behind everything that the peer has not acknowledged, and a peer that cannot acknowledge never
    /// hears of it.
    package func resetOnClose() {
        // Cannot fail on a stream socket; a Unix socket has no such end and closes as ever.
        _ = tandem_reset_on_close(number)
    }

    /// Sets how many bytes the kernel holds for this socket, as far as it lets us.
    package func setBuffers(receive: Int? = nil, send: Int? = nil) throws(SystemError) {
        try systemCall("set the buffers of", "descriptor \(number)") {
            tandem_set_buffers(number, Int32(clamping: receive ?? 0), Int32(clamping: send ?? 0))
        }
    }

    /// Bytes that the kernel holds for us; it counts its own bookkeeping in, so about twice what was asked for.
    package func receiveBuffer() throws(SystemError) -> Int {
        Int(try systemCall("ask for the buffers of", "descriptor \(number)") { tandem_receive_buffer(number) })
    }

    /// Datagrams that came when the socket had no room, since it was opened, whichever process had it; modulo 2^32. 0 where the kernel
    /// does not say.
    package var droppedDatagrams: UInt64 {
        var dropped: UInt32 = 0
        return tandem_dropped_datagrams(number, &dropped) == 0 ? UInt64(dropped) : 0
    }

    /// Bytes in the kernel's queues of a stream socket: received and not read yet, sent and not acknowledged by the other
    /// end. Nil if the kernel does not say.
    package func queuedBytes() -> (unread: Int, unacknowledged: Int)? {
        var unread: Int32 = 0
        var unacknowledged: Int32 = 0
        guard tandem_queued_bytes(number, &unread, &unacknowledged) == 0 else { return nil }
        return (Int(unread), Int(unacknowledged))
    }

    /// Accepts one waiting connection, non-blocking and close-on-exec.
    ///
    /// - Returns: nil when none waits. One that was given up before we came is passed over.
    package func acceptConnection() throws(SystemError) -> OwnedDescriptor? {
        while true {
            do throws(SystemError) {
                let accepted = try unlessBlocked("accept on", "descriptor \(number)") { tandem_accept(number) }
                return accepted.map { OwnedDescriptor(adopting: $0) }
            } catch {
                // accept(2): errors of the new connection itself are reported here and must be treated like EAGAIN.
                switch error.code {
                case ECONNABORTED, EPROTO, ENETDOWN, ENETUNREACH, EHOSTDOWN, EHOSTUNREACH, ENONET, ENOPROTOOPT: continue
                default: throw error
                }
            }
        }
    }

    /// Tells the peer that nothing more will come; it may still send.
    package func shutdownWriting() {
        // Fails only when the peer is gone, which reading finds out.
        _ = shutdown(number, Int32(SHUT_WR))
    }
}

extension SystemError {
    /// The process or the host has no descriptor or memory left for another connection.
    package var isExhaustion: Bool { [EMFILE, ENFILE, ENOBUFS, ENOMEM].contains(code) }
    /// The peer ended the connection without waiting for what was under way.
    package var isReset: Bool { [ECONNRESET, EPIPE, ETIMEDOUT].contains(code) }
}
