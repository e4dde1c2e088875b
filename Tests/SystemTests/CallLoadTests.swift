import Glibc
import LinuxSystem
import Testing

/// The load generator's calls, against a proxy that is not ours.
@Suite(.serialized, .enabled(if: Peer.isInstalled)) struct CallLoadTests {
    /// Kamailios that do not know of each other, in a network of their own.
    private final class Proxies {
        let sandbox: NetworkSandbox
        private let temporary: TemporaryDirectory
        private var processes: [ChildProcess] = []

        init(ports: [Int] = [5097]) throws {
            sandbox = try NetworkSandbox()
            temporary = try TemporaryDirectory()
            for port in ports { processes.append(try start(port)) }
        }

        private func start(_ port: Int) throws -> ChildProcess {
            let own = temporary.path + "/\(port)"
            let log = OwnedDescriptor(
                adopting: open(own + ".log", O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o600))
            // It ends with us.
            let command = sandbox.inside(
                [
                    "/usr/bin/setpriv", "--pdeathsig", "TERM", Peer.program, "-DD", "-f", Peer.directory + "/proxy.cfg",
                    "-n", "1", "-m", "64", "-w", temporary.path, "-Y", temporary.path, "-P", own + ".pid", "-l",
                    "udp:127.0.0.1:\(port)",
                ])
            return try ChildProcess.spawn(
                command[0], arguments: Array(command.dropFirst()), environment: Executables.environment,
                inherited: [ChildProcess.Inheritance(log, as: 1), ChildProcess.Inheritance(log, as: 2)], group: .new)
        }

        deinit {
            for process in processes {
                _ = try? process.send(.terminate)
                _ = try? process.descriptor.wait(forReading: true, nanoseconds: 5_000_000_000)
                _ = try? process.exitStatus()
            }
        }

        func call(_ options: [String]) throws -> (code: Int32, output: String) {
            try sandbox.run(
                [
                    Executables.companion("tandem-load"), "calls", "--server", "udp:127.0.0.1:5097", "--callers",
                    "1000-1019", "--callees", "200000-200006",
                ] + options)
        }
    }

    @Test func `calls are answered and ended, as fast as they can and at a rate`() throws {
        let proxies = try Proxies()
        for options in [["--in-flight", "10"], ["--rate", "500", "--hold", "30"]] {
            let result = try proxies.call(["--calls", "200", "--json"] + options)
            #expect(result.code == 0, "\(result.output)")
            for fact in [
                "\"begun\": 200", "\"completed\": 200", "\"failed\": 0", "\"refused\": {}", "\"timedOut\": 0",
            ] {
                #expect(result.output.contains(fact), "\(fact): \(result.output)")
            }
        }
    }

    @Test func `calls that a server refuses are counted by its status`() throws {
        let proxies = try Proxies(ports: [5097, 5098])
        // The callers' server does not know the callees.
        let result = try proxies.call(["--calls", "50", "--callee-server", "udp:127.0.0.1:5098", "--json"])
        #expect(result.code == 1, "\(result.output)")
        #expect(result.output.contains("\"refused\": {\"404\": 50}"), "\(result.output)")
        #expect(result.output.contains("\"completed\": 0"), "\(result.output)")
    }

    @Test func `the bench measures calls on one node and across two`() throws {
        let result = try Program.run(
            [
                Executables.companion("tandem-load"), "bench", "--only", "calls", "--quick", "--json", "--peers",
                Peer.directory,
            ], seconds: 120)
        #expect(result.code == 0, "\(result.output)")
        for key in ["rate", "cpu", "fewTail", "memory", "pairRate", "pairCPU", "pairFewTail"] {
            #expect(result.output.contains("\"calls-\(key)-kamailio\""), "\(key): \(result.output)")
        }
    }
}

private enum Peer {
    static let program = "/usr/sbin/kamailio"
    static let isInstalled = Files.isExecutable(program)
    static let directory =
        #filePath.split(separator: "/").dropLast(3).reduce("") { $0 + "/" + $1 } + "/Benchmarks/peers"
}
