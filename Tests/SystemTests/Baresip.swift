import ClusterModel
import Glibc
import LinuxSystem
import Testing

/// baresip, a phone that others wrote, registered in a cluster's network until it is stopped. It knows MD5 only.
final class Baresip {
    private let process: ChildProcess
    private let directory: String

    /// - Parameters:
    ///   - transport: `udp`, `tcp` or `tls`.
    ///   - authority: whose word counts for a node's certificate, over TLS.
    ///   - isOutbound: it asks to be reached over its connection (RFC 5626).
    ///   - control: where it is told to call and to answer; without it, it only registers.
    init(
        _ dn: String, password: String = "secret", at address: String = "127.0.0.1:5071", _ transport: String,
        port: Int = 6080, control: Int? = nil, isOutbound: Bool = false, authority: String? = nil,
        in cluster: TestCluster
    ) throws {
        directory = cluster.directory + "/baresip-\(dn)"
        try Files.makeDirectory(directory)
        // Nothing but what registering takes: no sound, no menu, no terminal.
        let config = """
            sip_listen 127.0.0.1:\(port)
            module_path /usr/lib/baresip/modules
            module_tmp uuid.so
            module_tmp account.so

            """ + (authority.map { "sip_cafile \($0)\n" } ?? "") + (control.map(Self.calls) ?? "")
        let account =
            "<sip:\(dn)@cc.example.com>;auth_user=\(dn);auth_pass=\(password);regint=60"
            + ";outbound=\"sip:\(address);transport=\(transport)\"" + (isOutbound ? ";sipnat=outbound" : "") + "\n"
        try Files.writeAtomically(Array(config.utf8), to: directory + "/config")
        try Files.writeAtomically(Array(account.utf8), to: directory + "/accounts", mode: 0o600)
        // It looks for an address that is not loopback, and takes it wherever it is.
        try cluster.sandbox.run(["/bin/ip", "address", "replace", "192.0.2.10/32", "dev", "lo"])
        let output = OwnedDescriptor(adopting: open(directory + "/trace", O_WRONLY | O_CREAT | O_CLOEXEC, 0o600))
        defer { output.close() }
        let command = cluster.sandbox.inside(["/usr/bin/baresip", "-s", "-f", directory])
        process = try ChildProcess.spawn(
            command[0], arguments: Array(command.dropFirst()), environment: Executables.environment,
            inherited: [ChildProcess.Inheritance(output, as: 1), ChildProcess.Inheritance(output, as: 2)])
    }

    /// Sound that goes from itself to itself, and a port for commands.
    private static func calls(control: Int) -> String {
        """
        module g711.so
        module aubridge.so
        audio_player aubridge,loop
        audio_source aubridge,loop
        audio_alert aubridge,alert
        module_app menu.so
        module ctrl_tcp.so
        ctrl_tcp_listen 127.0.0.1:\(control)

        """
    }

    /// The messages that it sent and received, as it tells them.
    func trace() throws -> String {
        String(decoding: try Files.read(directory + "/trace", limit: 1 << 20), as: UTF8.self)
    }

    /// Lets it unregister and end.
    func quit() throws { try end(.terminate) }

    /// It is gone without a word.
    func kill() throws { try end(.kill) }

    private func end(_ signal: Signal) throws {
        try process.send(signal)
        _ = try process.descriptor.wait(forReading: true, nanoseconds: 10_000_000_000)
        _ = try process.exitStatus()
    }

    deinit {
        try? end(.kill)
        for file in ["config", "accounts", "uuid", "trace"] { _ = try? Files.remove(directory + "/" + file) }
        _ = try? Files.removeDirectory(directory)
    }
}
