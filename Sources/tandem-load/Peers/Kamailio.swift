import ClusterModel
import LinuxSystem

/// Kamailio with its registrar, contacts in memory.
final class Kamailio: MeasuredServer {
    static let program = "/usr/sbin/kamailio"

    enum Tuning {
        /// As the distribution's package has it, but for the number of processes.
        case packaged
        /// The allocator and the number of slots with which it is fastest.
        case best
    }

    enum Feature: String {
        case digest = "WITH_AUTH"
        case streams = "WITH_TCP"
        /// Contacts are written into SQLite before they are answered, or, with the other, once a minute.
        case store = "WITH_STORE"
        case writeBack = "WITH_WRITE_BACK"
        /// The peer is told as dmq_usrloc's defaults have it, and not fifty contacts at a time.
        case dmqDefaults = "WITH_DMQ_DEFAULTS"
    }

    /// What runs where.
    struct Place {
        /// Of Kamailio's processes.
        var processor: Int
        /// Of ours.
        let otherProcessor: Int
        /// Its configuration file.
        let configuration: String
    }

    let address: NetworkAddress
    var streamAddress: NetworkAddress { address }
    private let program: PeerProgram

    /// - Parameters:
    ///   - own: where to listen; a free port of the loopback unless given.
    ///   - peer: another Kamailio that is told of each contact.
    init(
        _ tuning: Tuning, features: [Feature] = [], at own: NetworkAddress? = nil, peer: NetworkAddress? = nil,
        _ place: Place, interruption: Interruption
    ) throws {
        let address = try own ?? Self.freeAddress()
        self.address = address
        program = try PeerProgram(
            Self.program, processor: place.processor, back: place.otherProcessor, answersAt: address,
            interruption: interruption
        ) { directory in
            // One process that receives, as one worker of Tandem does; with TCP another one for streams.
            var arguments = ["-DD", "-f", place.configuration, "-n", "1", "-m", "1024"]
            arguments += ["-w", directory, "-Y", directory, "-P", directory + "/pid", "-l", "udp:\(address)"]
            if case .best = tuning { arguments += ["-x", "tlsf", "-X", "tlsf", "-A", "TUNED"] }
            for feature in features { arguments += ["-A", feature.rawValue] }
            if features.contains(.store) {
                try Self.makeTables(directory + "/contacts.sqlite")
                arguments += ["-A", "STORE=\"sqlite:///\(directory)/contacts.sqlite\""]
            }
            if features.contains(.streams) { arguments += ["-l", "tcp:\(address)"] }
            if let peer {
                arguments += ["-A", "WITH_DMQ", "-A", "SELF=\"sip:\(address)\"", "-A", "PEER=\"sip:\(peer)\""]
            }
            return arguments
        }
    }

    static let tables = "/usr/share/kamailio/db_sqlite"

    private static func makeTables(_ path: String) throws {
        let script = """
            import sqlite3, sys
            store = sqlite3.connect(sys.argv[1])
            for name in ("standard", "usrloc"): store.executescript(open(sys.argv[2] + "/" + name + "-create.sql").read())
            store.execute("PRAGMA journal_mode = WAL")
            store.commit()
            """
        let code = try HelperProgram.run(["/usr/bin/python3", "-c", script, path, tables])
        guard code == .exited(code: 0) else { throw LoadFailure("cannot make Kamailio's tables: \(code)") }
    }

    static func freeAddress() throws -> NetworkAddress {
        try Sockets.boundUDP(NetworkAddress(ipv4: 0x7F00_0001, port: 0)).localAddress()
    }

    func processes() -> [Int32] { program.processes }

    func stop() { program.stop() }
}
