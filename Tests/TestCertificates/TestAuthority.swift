import Glibc
import LinuxSystem

/// A certificate authority of a test's own, in a directory that goes away with it. The `openssl` program does the work.
package final class TestAuthority {
    package let directory: String
    /// The authority's own certificate.
    package let certificate: String

    /// A certificate and its key, as paths.
    package struct Issued {
        package let certificate: String
        package let key: String

        package init(certificate: String, key: String) {
            self.certificate = certificate
            self.key = key
        }
    }

    package struct Failure: Error, CustomStringConvertible {
        package let description: String
    }

    /// - Parameter name: stands in the certificate.
    package init(_ name: String = "Test authority") throws {
        var template = Array("/tmp/tandem-tls-XXXXXX".utf8CString)
        guard mkdtemp(&template) != nil else { throw Failure(description: "cannot make a directory") }
        directory = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
        certificate = directory + "/authority.pem"
        try configure("authority", "basicConstraints = critical, CA:TRUE\nkeyUsage = critical, keyCertSign\n")
        try make("authority", subject: name, days: 2)
    }

    deinit {
        for name in (try? Files.names(in: directory)) ?? [] { _ = try? Files.remove(directory + "/" + name) }
        try? Files.removeDirectory(directory)
    }

    /// Makes a key and a certificate for it.
    ///
    /// - Parameters:
    ///   - name: of the files, and the subject's common name.
    ///   - names: as `openssl` writes alternative names: `DNS:a, URI:sip:b, IP:127.0.0.1`; nil for none.
    package func issue(_ name: String, names: String?, days: Int = 2) throws -> Issued {
        let lines = names.map { "subjectAltName = \($0)\n" } ?? ""
        try configure(name, "basicConstraints = CA:FALSE\n" + lines)
        return try make(name, subject: name, days: days, ["-CA", certificate, "-CAkey", directory + "/authority.key"])
    }

    /// The same with a certificate that ended yesterday.
    package func issueEnded(_ name: String, names: String) throws -> Issued {
        try configure(name, "basicConstraints = CA:FALSE\nsubjectAltName = \(names)\n")
        let issued = Issued(certificate: "\(directory)/\(name).pem", key: "\(directory)/\(name).key")
        let configuration = "\(directory)/\(name).cnf"
        let request = "\(directory)/\(name).csr"
        try openSSL([
            "req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-subj",
            "/CN=\(name)", "-config", configuration, "-keyout", issued.key, "-out", request,
        ])
        // It wants numbers of days that are greater than none, but for this.
        try openSSL([
            "x509", "-req", "-in", request, "-CA", certificate, "-CAkey", directory + "/authority.key", "-set_serial",
            "7", "-days", "-1", "-extfile", configuration, "-extensions", "made", "-out", issued.certificate,
        ])
        return issued
    }

    private func configure(_ name: String, _ extensions: String) throws {
        let text = "[req]\ndistinguished_name = name\nprompt = no\n[name]\n[made]\n" + extensions
        try Files.writeAtomically(Array(text.utf8), to: "\(directory)/\(name).cnf")
    }

    @discardableResult
    private func make(_ name: String, subject: String, days: Int, _ more: [String] = []) throws -> Issued {
        let issued = Issued(certificate: "\(directory)/\(name).pem", key: "\(directory)/\(name).key")
        try openSSL(
            [
                "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days",
                "\(days)", "-subj", "/CN=\(subject)", "-config", "\(directory)/\(name).cnf", "-extensions", "made",
                "-keyout", issued.key, "-out", issued.certificate,
            ] + more)
        return issued
    }

    /// Runs `openssl` to its end.
    package func openSSL(_ arguments: [String]) throws {
        let log = OwnedDescriptor(adopting: open(directory + "/log", O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o600))
        let process = try ChildProcess.spawn(
            "/usr/bin/openssl", arguments: arguments, environment: Executables.environment,
            inherited: [ChildProcess.Inheritance(log, as: 1), ChildProcess.Inheritance(log, as: 2)])
        let isOver = try process.descriptor.wait(forReading: true, nanoseconds: 30_000_000_000)
        guard isOver, try process.exitStatus() == .exited(code: 0) else {
            let text = (try? Files.read(directory + "/log", limit: 65_536)) ?? []
            throw Failure(description: "openssl \(arguments[0]): \(String(decoding: text, as: UTF8.self))")
        }
    }

    /// What a file of the directory, or any other, has in it.
    package func read(_ path: String) throws -> [UInt8] { try Files.read(path, limit: 1 << 20) }
}
