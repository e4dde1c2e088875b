import ClusterModel
import Glibc
import LinuxSystem
import Testing

/// A program in a cluster's network that runs while the test goes on; what it says goes to a file.
final class BackgroundProgram {
    let name: String
    private let process: ChildProcess
    private let path: String

    init(_ name: String, _ command: [String], in cluster: TestCluster, environment: [String] = []) throws {
        self.name = name
        path = cluster.directory + "/" + name + ".out"
        let output = OwnedDescriptor(adopting: open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o600))
        defer { output.close() }
        let inside = cluster.sandbox.inside(command)
        process = try ChildProcess.spawn(
            inside[0], arguments: Array(inside.dropFirst()), environment: Executables.environment + environment,
            inherited: [ChildProcess.Inheritance(output, as: 1), ChildProcess.Inheritance(output, as: 2)])
    }

    var output: String {
        (try? Files.read(path, limit: 1 << 20)).map { String(decoding: $0, as: UTF8.self) } ?? ""
    }

    /// Waits for its end.
    ///
    /// - Returns: its exit code; -1 if it had to be ended.
    func end(seconds: UInt64 = 60) throws -> Int32 {
        guard try process.descriptor.wait(forReading: true, nanoseconds: seconds * 1_000_000_000) else {
            try stop()
            return -1
        }
        guard case .exited(let code) = try process.exitStatus() else { return -1 }
        return code
    }

    func stop() throws {
        try process.send(.kill)
        _ = try process.descriptor.wait(forReading: true, nanoseconds: 5_000_000_000)
        _ = try process.exitStatus()
    }

    deinit { try? stop() }
}

/// SIPp as one side of calls. The DN in a scenario as `[service]` is the callee's, and `[caller]` the other's.
final class SIPp {
    private let program: BackgroundProgram
    private let errors: String

    /// - Parameters:
    ///   - scenario: a file of `Scenarios`; words in capitals are replaced by `values`.
    ///   - transport: `u1`, `t1`: all calls over one socket.
    init(
        _ scenario: String, _ values: [String: String] = [:], callee: String, caller: String = "none", port: Int,
        node: Int, calls: Int = 1, transport: String = "u1", seconds: Int = 20, more: [String] = [],
        in cluster: TestCluster
    ) throws {
        let name = "\(scenario)-\(port)"
        let file = try Self.file(scenario, values, named: name, in: cluster)
        errors = cluster.directory + "/" + name + ".errors"
        program = try BackgroundProgram(
            name,
            [
                "/usr/bin/sipp", "127.0.0.1:\(node)", "-sf", file, "-s", callee, "-key", "caller", caller, "-m",
                "\(calls)", "-timeout", "\(seconds)", "-timeout_error", "-i", "127.0.0.1", "-p", "\(port)", "-t",
                transport, "-nostdin", "-trace_err",
                "-error_file", errors,
            ] + more, in: cluster)
    }

    /// A scenario with its words replaced.
    static func file(
        _ scenario: String, _ values: [String: String] = [:], named name: String, in cluster: TestCluster
    ) throws -> String {
        var text = String(decoding: try Files.read(TestCluster.scenario(scenario), limit: 1 << 20), as: UTF8.self)
        for (word, value) in usual.merging(values, uniquingKeysWith: { $1 }) {
            text = text.replacing(word, with: value)
        }
        let file = cluster.directory + "/" + name + ".xml"
        try Files.writeAtomically(Array(text.utf8), to: file)
        return file
    }

    private static let usual = ["HOPS": "70", "TALK": "0", "SILENCE": "0"]

    /// Waits until all of its calls have gone as the scenario has them.
    func expectSuccess(seconds: UInt64 = 60) throws {
        let code = try program.end(seconds: seconds)
        let problems = (try? Files.read(errors, limit: 1 << 20)) ?? []
        #expect(
            code == 0,
            "\(program.name): \(String(decoding: problems.prefix(4000), as: UTF8.self))\(program.output.suffix(500))")
    }

    func stop() throws { try program.stop() }
}

extension TestCluster {
    /// As `twoNodes`, with TCP besides UDP at both nodes.
    static func twoNodesWithStreams(_ directory: String) -> String {
        [5071, 5072].reduce(twoNodes(directory)) { topology, port in
            topology.replacing(
                "[ \"udp:127.0.0.1:\(port)\" ]", with: "[ \"udp:127.0.0.1:\(port)\", \"tcp:127.0.0.1:\(port)\" ]")
        }
    }

    /// Runs a Python program that has the phones of `phones.py`; its exceptions fail the test.
    func python(_ program: String, seconds: UInt64 = 60) throws {
        let scenarios = Self.scenario("phones").split(separator: "/").dropLast().reduce("") { $0 + "/" + $1 }
        let prelude = "import sys; sys.path.insert(0, \(pythonText(scenarios))); sys.dont_write_bytecode = True\n"
        let result = try sandbox.run(
            ["/usr/bin/python3", "-c", prelude + "from phones import *\n" + program], seconds: seconds)
        #expect(result.code == 0, "\(result.output)")
    }

    private func pythonText(_ text: String) -> String { "\"" + text.replacing("\"", with: "\\\"") + "\"" }

    /// Registers phones at ports of 127.0.0.1 over UDP, and waits until both nodes know of them.
    func register(_ phones: [(dn: String, port: Int, node: Int)]) throws {
        let list = phones.map { "(\"\($0.dn)\", \($0.port), \($0.node))" }.joined(separator: ", ")
        try python(
            """
            for dn, port, node in [\(list)]:
                Phone(dn, node).register(contact=f"<sip:{dn}@127.0.0.1:{port}>")
            """)
    }
}
