import ClusterModel
import LinuxSystem
import Testing

/// baresip, a phone that others wrote, registered in a cluster's network until it is stopped. It knows MD5 only.
final class Baresip {
    private let process: ChildProcess
    private let directory: String
    private let output: OwnedDescriptor

    /// - Parameters:
    ///   - transport: `udp` or `tcp`.
    ///   - isOutbound: it asks to be reached over its connection (RFC 5626).
    init(
        _ dn: String, password: String = "secret", at address: String = "127.0.0.1:5071", _ transport: String,
        isOutbound: Bool = false, in cluster: TestCluster
    ) throws {
        directory = cluster.directory + "/baresip-\(dn)"
        try Files.makeDirectory(directory)
        // Nothing but what registering takes: no sound, no menu, no terminal.
        let config = """
            sip_listen 127.0.0.1:6080
            module_path /usr/lib/baresip/modules
            module_tmp uuid.so
            module_tmp account.so

            """
        let account =
            "<sip:\(dn)@cc.example.com>;auth_user=\(dn);auth_pass=\(password);regint=60"
            + ";outbound=\"sip:\(address);transport=\(transport)\"" + (isOutbound ? ";sipnat=outbound" : "") + "\n"
        try Files.writeAtomically(Array(config.utf8), to: directory + "/config")
        try Files.writeAtomically(Array(account.utf8), to: directory + "/accounts", mode: 0o600)
        // It looks for an address that is not loopback, and takes it wherever it is.
        try cluster.sandbox.run(["/bin/ip", "address", "replace", "192.0.2.10/32", "dev", "lo"])
        let (ours, theirs) = try Sockets.streamPair()
        output = ours
        let command = cluster.sandbox.inside(["/usr/bin/baresip", "-f", directory])
        process = try ChildProcess.spawn(
            command[0], arguments: Array(command.dropFirst()), environment: Executables.environment,
            inherited: [ChildProcess.Inheritance(theirs, as: 1), ChildProcess.Inheritance(theirs, as: 2)])
        theirs.close()
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
        for file in ["config", "accounts", "uuid"] { _ = try? Files.remove(directory + "/" + file) }
        _ = try? Files.removeDirectory(directory)
    }
}
