import ClusterModel
import LinuxSystem

/// The sockets of all callers and of all callees: one each, so that nobody is called where he calls from.
final class CallLines {
    let caller: DatagramLine
    let callee: DatagramLine
    private let epoll: Epoll

    /// - Parameters:
    ///   - server: where callers register and call.
    ///   - calleeServer: where callees register.
    init(server: NetworkAddress, calleeServer: NetworkAddress) throws {
        caller = try DatagramLine(to: server)
        callee = try DatagramLine(to: calleeServer)
        epoll = try Epoll()
        try epoll.add(caller.descriptorNumber, interest: .readable, tag: 0)
        try epoll.add(callee.descriptorNumber, interest: .readable, tag: 1)
    }

    func flush(_ interruption: Interruption) throws {
        try caller.flush(interruption)
        try callee.flush(interruption)
    }

    /// Waits until something can be received.
    func wait(nanoseconds: UInt64) throws {
        _ = try epoll.wait(nanoseconds: nanoseconds)
    }
}

extension DatagramLine {
    var localAddress: NetworkAddress { localAddresses[0] }
}
