import ClusterModel
import LinuxSystem

/// The sockets of all callers and of all callees, so that nobody is called where he calls from.
final class CallLines {
    let caller: DatagramLine
    /// One for each server that callees register at.
    let callees: [DatagramLine]
    private let epoll: Epoll

    /// - Parameters:
    ///   - server: where callers register and call.
    ///   - calleeServers: where callees register.
    ///   - source: where callers call from; any port unless given.
    init(server: NetworkAddress, calleeServers: [NetworkAddress], from source: NetworkAddress? = nil) throws {
        caller = try DatagramLine(to: server, from: source)
        callees = try calleeServers.map { try DatagramLine(to: $0) }
        epoll = try Epoll()
        for (position, line) in ([caller] + callees).enumerated() {
            try epoll.add(line.descriptorNumber, interest: .readable, tag: UInt64(position))
        }
    }

    func flush(_ interruption: Interruption) throws {
        try caller.flush(interruption)
        for callee in callees { try callee.flush(interruption) }
    }

    /// Waits until something can be received.
    func wait(nanoseconds: UInt64) throws {
        _ = try epoll.wait(nanoseconds: nanoseconds)
    }
}

extension DatagramLine {
    var localAddress: NetworkAddress { localAddresses[0] }
}
