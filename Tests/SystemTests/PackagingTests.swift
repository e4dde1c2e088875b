import ClusterModel
import Foundation
import LinuxSystem
import Orchestration
import Testing

/// What is installed, and what the service manager thinks of the units. That they do what they say is for a host with a manager to tell.
@Suite(.serialized) struct PackagingTests {
    private static let repository = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().path(percentEncoded: false)
    private static let services = ["tandemd.service", "tandem-workers.service"]

    /// Of the programs that these tests run.
    private func make(_ target: String, _ variables: [String]) throws {
        let programs = URL(filePath: Executables.companion("tandem")).deletingLastPathComponent()
            .path(percentEncoded: false)
        let result = try Program.run(
            ["/usr/bin/make", "-C", Self.repository, target, "INSTALL_BIN=\(programs)"] + variables, seconds: 300)
        try #require(result.code == 0, "\(result.output)")
    }

    private func install(below root: String, prefix: String = "/usr") throws {
        try make("install", ["DESTDIR=\(root)", "PREFIX=\(prefix)"])
    }

    private func text(_ path: String) throws -> String {
        String(decoding: try Files.read(path, limit: 1 << 20), as: UTF8.self)
    }

    // MARK: Installation

    @Test func `everything that belongs to the programs is installed, with the paths of that place`() throws {
        let directory = try TemporaryDirectory()
        defer { directory.remove() }
        let root = directory.path
        try install(below: root, prefix: "/opt/tandem")
        let expected = [
            "bin/tandem", "bin/tandemd", "bin/tandem-worker", "bin/tandem-workspace",
            "lib/systemd/system/tandem.slice", "lib/systemd/system/tandem.target",
            "lib/systemd/system/tandem-workers.service", "lib/systemd/system/tandemd.service",
            "lib/sysusers.d/tandem.conf", "lib/tmpfiles.d/tandem.conf", "lib/sysctl.d/50-tandem.conf",
            "share/man/man1/tandem.1", "share/man/man8/tandemd.8", "share/man/man8/tandem-worker.8",
            "share/man/man8/tandem-workspace.8",
            "share/man/man5/tandem-topology.5", "share/man/man7/tandem-operating.7",
            "share/bash-completion/completions/tandem", "share/zsh/site-functions/_tandem",
            "share/fish/vendor_completions.d/tandem.fish", "share/tandem/topology.schema.json",
            "share/doc/tandem/operating.md", "share/doc/tandem/examples/two-datacenters.yaml",
        ]
        for path in expected { #expect(access("\(root)/opt/tandem/\(path)", R_OK) == 0, "there is no \(path)") }
        for path in ["clusters/cluster.yaml"] { #expect(access("\(root)/etc/tandem/\(path)", R_OK) == 0) }
        for unit in Self.services {
            let text = try text("\(root)/opt/tandem/lib/systemd/system/\(unit)")
            #expect(text.contains("=/opt/tandem/bin/tandemd") && !text.contains("/usr/bin/tandem"), "\(unit)")
        }
        let topology = "\(root)/etc/tandem/clusters/cluster.yaml"
        #expect(try text(topology).hasPrefix("# yaml-language-server: $schema=/opt/tandem/share/tandem/"))
        let validation = try Program.run(["\(root)/opt/tandem/bin/tandem", "validate", topology])
        #expect(validation.code == 0, "\(validation.output)")
    }

    @Test func `what the administrator has changed stays when it is installed again`() throws {
        let directory = try TemporaryDirectory()
        defer { directory.remove() }
        try install(below: directory.path)
        let files = ["/etc/tandem/clusters/cluster.yaml", "/etc/default/tandem"].map { directory.path + $0 }
        for file in files { try Files.writeAtomically(Array("mine\n".utf8), to: file) }
        try install(below: directory.path)
        for file in files { #expect(try text(file) == "mine\n") }
    }

    // MARK: Package

    @Test func `the Debian package has programs, units and scripts that a shell understands`() throws {
        let directory = try TemporaryDirectory()
        defer { directory.remove() }
        try make("deb", ["DEB_DIR=\(directory.path)", "DEB_REVISION=7", "DEB_COMPRESSION=none"])
        let names = try Files.names(in: directory.path).filter { $0.hasSuffix(".deb") }
        let package = "\(directory.path)/\(try #require(names.first))"
        #expect(names == ["tandem_\(TandemVersion.current)-7_\(package.split(separator: "_").last ?? "")"])
        let fields = try Program.run(["/usr/bin/dpkg-deb", "--field", package, "Version", "Depends"]).output
        #expect(fields.contains("Version: \(TandemVersion.current)-7\n"))
        for dependency in ["libyaml-0-2", "libprotobuf-c1", "libssl3", "libsqlite3-0", "systemd (>= 252)"] {
            #expect(fields.contains(dependency), "\(fields)")
        }
        let content = try Program.run(["/usr/bin/dpkg-deb", "--contents", package]).output
        for path in [
            "/usr/bin/tandemd", "/usr/bin/tandem-worker", "/lib/systemd/system/tandemd.service",
            "/usr/share/man/man5/tandem-topology.5.gz", "/usr/share/doc/tandem/copyright", "/etc/default/tandem",
        ] { #expect(content.contains(" .\(path)\n"), "there is no \(path)") }
        #expect(!content.contains("./etc/tandem/"), "topologies are not ours")
        for script in ["postinst", "prerm", "postrm"] {
            let check = try Program.run(["/bin/sh", "-n", "\(directory.path)/work/tandem/DEBIAN/\(script)"])
            #expect(check.code == 0, "\(check.output)")
        }
    }

    // MARK: Units

    @Test func `the service manager finds no fault with the units`() throws {
        let directory = try TemporaryDirectory()
        defer { directory.remove() }
        try install(below: directory.path)
        let units = directory.path + "/usr/lib/systemd/system"
        // It looks whether the programs are there.
        for unit in Self.services {
            let placed = try text("\(units)/\(unit)")
                .replacingOccurrences(of: "/usr/bin/tandem", with: "\(directory.path)/usr/bin/tandem")
            try Files.writeAtomically(Array(placed.utf8), to: "\(units)/\(unit)")
        }
        let paths = (Self.services + ["tandem.target", "tandem.slice"]).map { "\(units)/\($0)" }
        let result = try Program.run(["/usr/bin/systemd-analyze", "verify", "--man=no"] + paths)
        #expect(result.code == 0)
        #expect(result.output.isEmpty, "\(result.output)")
    }

    @Test(arguments: services)
    func `a service may do little more than it has to`(unit: String) throws {
        let result = try Program.run([
            "/usr/bin/systemd-analyze", "security", "--offline=true", "--threshold=20", "--no-pager",
            "\(Self.repository)/systemd/\(unit)",
        ])
        #expect(result.code == 0, "\(result.output)")
    }

    @Test func `to stop the controller stops no worker, and to stop the workers stops the controller first`() throws {
        let controller = try text("\(Self.repository)/systemd/tandemd.service")
        for line in [
            "KillMode=process", "Requires=tandem-workers.service", "After=tandem-workers.service",
            "PartOf=tandem.target", "RuntimeDirectoryPreserve=yes", "OOMPolicy=continue",
        ] { #expect(controller.contains("\n\(line)\n"), "\(line)") }
        let workers = try text("\(Self.repository)/systemd/tandem-workers.service")
        for line in ["Delegate=yes", "RemainAfterExit=yes", "PartOf=tandem.target", "RuntimeDirectoryPreserve=yes"] {
            #expect(workers.contains("\n\(line)\n"), "\(line)")
        }
        // Whoever asks that a process be moved into a unit has to be the unit's user.
        for line in ["User=tandem", "RuntimeDirectory=tandem"] {
            #expect(controller.contains("\n\(line)\n") && workers.contains("\n\(line)\n"), "\(line)")
        }
    }

    @Test(arguments: [("topology", "5"), ("operating", "7")])
    func `a document makes a manual page without a fault`(name: String, section: String) throws {
        let directory = try TemporaryDirectory()
        defer { directory.remove() }
        let page = "\(directory.path)/tandem-\(name).\(section)"
        let made = try Program.run([
            "/bin/sh", "-c",
            "\(Self.repository)/packaging/page tandem-\(name) \(section) 2026-01-31 0.1.0 'a document' 'tandem(1)' "
                + "<\(Self.repository)/docs/\(name).md >\(page) && MANWIDTH=100 LC_ALL=C.UTF-8 man --warnings -l \(page) "
                + "2>\(page).errors",
        ])
        #expect(made.code == 0)
        #expect(made.output.contains("TANDEM-\(name.uppercased())(\(section))"))
        #expect(try text("\(page).errors").isEmpty)
    }
}
