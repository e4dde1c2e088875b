import ClusterModel
import Foundation
import LinuxSystem
import Testing

/// Completions as bash asks for them, and manual pages as man reads them.
@Suite(.serialized) struct CompletionTests {
    private let tandem = Executables.companion("tandem")

    /// What bash would offer for the last word of each line.
    private func offered(_ lines: [String], socket: String) throws -> [[String]] {
        let script = """
            PATH=\(tandem.split(separator: "/").dropLast().reduce("") { $0 + "/" + $1 }):$PATH
            source <(tandem completion bash)
            function=$(complete -p tandem | sed 's/.*-F \\([^ ]*\\).*/\\1/')
            offer() {
                COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); COMP_LINE="$*"; COMP_POINT=${#COMP_LINE}; COMP_TYPE=9
                COMPREPLY=()
                $function tandem "${COMP_WORDS[$COMP_CWORD]}" "${COMP_WORDS[$COMP_CWORD - 1]}"
                echo "${COMPREPLY[@]}"
            }
            \(lines.map { "offer \($0)" }.joined(separator: "\n"))
            """
        let result = try Program.run(
            ["/bin/bash", "-c", script], environment: Executables.environment + ["TANDEM_SOCKET=\(socket)"])
        try #require(result.code == 0, "\(result.output)")
        return result.output.components(separatedBy: "\n").dropLast().map { line in
            line.split(separator: " ").map(String.init)
        }
    }

    @Test func `bash completes commands, nodes, DNs and data centers from what the controller says`() throws {
        let cluster = try TestCluster(TestCluster.twoNodes)
        let words = try offered(
            [
                "tandem mon", "tandem monitor d", "tandem monitor dc2/", "tandem dn show 109", "tandem dn show 42",
                "tandem dn list --dc ''", "tandem dn list --owner dc1", "tandem dn list --state owner",
                "tandem explain T01", "tandem completion ''",
                "tandem monitor --socket \(cluster.directory)/nowhere d",
            ], socket: cluster.socketPath)
        #expect(words[0] == ["monitor"])
        #expect(words[1] == ["dc1/sip1", "dc2/sip1"])
        #expect(words[2] == ["dc2/sip1"])
        #expect(words[3] == (1090...1099).map { "\($0)" })
        #expect(words[4] == [])
        #expect(words[5] == ["dc1", "dc2"])
        #expect(words[6] == ["dc1/sip1"])
        #expect(words[7] == ["owner-unreachable"])
        #expect(words[8].contains("T012"))
        #expect(words[9] == ["bash", "zsh", "fish"])
        #expect(words[10] == [], "the socket on the line counts")
    }

    @Test func `routing points are completed, and where calls come from`() throws {
        let cluster = try TestCluster(TestCluster.routed())
        let words = try offered(
            [
                "tandem route 8", "tandem route 9", "tandem calls --routing-point 80", "tandem route 8000 --from dc1",
                "tandem calls --state w", "tandem stats groups --by l", "tandem what-if --lose dc2",
                "tandem stats points 80",
            ], socket: cluster.socketPath)
        #expect(
            words == [
                ["8000"], [], ["8000"], ["dc1", "dc1/sip1"], ["waiting"], ["location"], ["dc2", "dc2/sip1"], ["8000"],
            ])
    }

    @Test func `without a controller nothing is offered and nothing is said`() throws {
        let words = try offered(["tandem monitor d", "tandem dn show 1", "tandem stat"], socket: "/tmp/nowhere.sock")
        #expect(words == [[], [], ["status", "stats"]])
    }

    @Test(
        arguments: [
            ("tandem", 1), ("tandemd", 8), ("tandem-worker", 8), ("tandem-workspace", 8), ("tandem-load", 1),
            ("tandem-sim", 1),
        ])
    func `the manual page has no fault that man knows of`(program: String, section: Int) throws {
        let help = try Program.run([Executables.companion(program), "--experimental-dump-help"])
        try #require(help.code == 0)
        let page = "/tmp/tandem-test-\(SystemRandom.word()).\(section)"
        let errors = page + ".errors"
        defer { for path in [page, errors] { _ = try? Files.remove(path) } }
        let made = try Program.run([
            "/bin/sh", "-c",
            "'\(Executables.companion(program))' --experimental-dump-help | "
                + "'\(tandem)' manual --date 2026-01-31 tandem tandemd >\(page) && MANWIDTH=80 LC_ALL=C.UTF-8 man --warnings "
                + "-l \(page) 2>\(errors)",
        ])
        #expect(made.code == 0)
        #expect(made.output.contains("NAME\n"), "\(made.output)")
        #expect(made.output.contains("\(program.uppercased())(\(section))"))
        #expect(try Files.read(errors, limit: 65_536).isEmpty)
    }
}
