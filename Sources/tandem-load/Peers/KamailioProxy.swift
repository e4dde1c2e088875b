import ClusterModel
import LinuxSystem

/// Kamailio as a proxy that calls go through: one, or two of which the first has the callers and the second the callees.
final class KamailioProxy: MeasuredServer {
    /// Processes that receive. More take as much processor time for each call, and share it.
    private static let children = 1

    let address: NetworkAddress
    var streamAddress: NetworkAddress { address }
    let calleeAddress: NetworkAddress
    private var programs: [PeerProgram] = []

    /// - Parameters:
    ///   - place: of the first; the second runs where we do.
    ///   - firstCallee: with two of them, the second has the numbers from this one on.
    init(nodes: Int, firstCallee: UInt64, _ place: Kamailio.Place, interruption: Interruption) throws {
        let address = try Kamailio.freeAddress()
        let other = nodes > 1 ? try Kamailio.freeAddress() : address
        self.address = address
        calleeAddress = other
        do {
            guard nodes > 1 else {
                programs = [try Self.start(at: address, place.processor, { _ in [] }, place, interruption)]
                return
            }
            let peer = ["-A", "PEER=\"sip:\(other);transport=tcp\"", "-A", "PEER_FIRST=\(firstCallee)"]
            programs = [
                try Self.start(at: other, place.otherProcessor, { _ in Self.streams(other) }, place, interruption)
            ]
            programs.append(
                try Self.start(
                    at: address, place.processor, { _ in Self.streams(address) + peer }, place, interruption))
        } catch {
            stop()
            throw error
        }
    }

    deinit {
        stop()
    }

    private static func streams(_ address: NetworkAddress) -> [String] { ["-A", "WITH_TCP", "-l", "tcp:\(address)"] }

    /// - Parameter more: what it is to be told besides, knowing its directory.
    static func start(
        at address: NetworkAddress, _ processor: Int, _ more: (_ directory: String) throws -> [String],
        _ place: Kamailio.Place, _ interruption: Interruption
    ) throws -> PeerProgram {
        try PeerProgram(
            Kamailio.program, processor: processor, back: place.otherProcessor, answersAt: address,
            interruption: interruption
        ) { directory in
            // It keeps a call's transactions for five seconds, each of some kilobytes. The kernel gives the buffer as far as it
            // may: with Kamailio's own limit messages are lost when many calls begin at once.
            try ["-DD", "-f", place.configuration, "-n", "\(children)", "-m", "4096", "-b", "\(8 << 20)"]
                + ["-x", "tlsf", "-X", "tlsf"]
                + ["-w", directory, "-Y", directory, "-P", directory + "/pid", "-l", "udp:\(address)"]
                + more(directory)
        }
    }

    func processes() -> [Int32] { programs.flatMap(\.processes) }

    func stop() {
        for program in programs { program.stop() }
    }
}
