import ClusterModel
import Glibc
import LinuxSystem

/// The C echo under somebody else's supervisor.
final class SupervisedEcho {
    enum Supervisor: CaseIterable {
        case runit, s6, supervisord

        var program: String {
            switch self {
            case .runit: "/usr/bin/runsv"
            case .s6: "/usr/bin/s6-supervise"
            case .supervisord: "/usr/bin/supervisord"
            }
        }

        var figure: RecoveryFigure {
            switch self {
            case .runit: .runit
            case .s6: .s6
            case .supervisord: .supervisord
            }
        }
    }

    let address: NetworkAddress
    private let program: PeerProgram

    init(_ supervisor: Supervisor, processor: Int, otherProcessor: Int, interruption: Interruption) throws {
        let address = try Kamailio.freeAddress()
        self.address = address
        program = try PeerProgram(
            supervisor.program, processor: processor, back: otherProcessor, answersAt: address,
            interruption: interruption
        ) { directory in
            let command = "\(Echo.program) \(address.port)"
            guard supervisor == .supervisord else {
                let service = directory + "/service"
                try Files.makeDirectory(service)
                try Files.writeAtomically(
                    Array("#!/bin/sh\nexec \(command)\n".utf8), to: service + "/run", mode: 0o700)
                return [service]
            }
            let text = """
                [supervisord]
                nodaemon=true
                logfile=\(directory)/supervisord.log
                pidfile=\(directory)/supervisord.pid
                [program:echo]
                command=\(command)
                autorestart=true
                startsecs=0
                """
            try Files.writeAtomically(Array(text.utf8), to: directory + "/supervisord.conf")
            return ["-c", directory + "/supervisord.conf"]
        }
    }

    /// Kills the program, not its supervisor.
    ///
    /// - Returns: when.
    func kill() throws -> UInt64 {
        guard let supervisor = program.processes.first, let child = ProcessInformation.children(of: supervisor).first
        else { throw LoadFailure("the supervisor has no child") }
        let process = try ChildProcess.adopt(child)
        let now = SystemClock.monotonicNanoseconds()
        try process.send(.kill)
        return now
    }

    func stop() { program.stop() }
}
