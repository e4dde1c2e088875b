import Foundation
import LinuxSystem
import Testing

/// `tandem fmt` as somebody types it.
struct FormatCommandTests {
    private let tandem = Executables.companion("tandem")
    private static let rough = "a:   1   # one\nb:\n- {x: 1}\n"
    private static let formatted = "a: 1     # one\nb:\n  - { x: 1 }\n"

    private func withFile(_ text: String, _ body: (_ path: String, _ directory: String) throws -> Void) throws {
        let directory = FileManager.default.temporaryDirectory.path + "/tandem-fmt-\(UUID().uuidString.prefix(8))"
        try Files.makeDirectory(directory)
        defer { try? FileManager.default.removeItem(atPath: directory) }
        try Files.writeAtomically(Array(text.utf8), to: directory + "/t.yaml")
        try body(directory + "/t.yaml", directory)
    }

    private func content(_ path: String) throws -> String {
        String(decoding: try Files.read(path, limit: 1 << 20), as: UTF8.self)
    }

    @Test func `a file is formatted in its place, with its permissions, and named once`() throws {
        try withFile(Self.rough) { path, directory in
            try FileManager.default.setAttributes([.posixPermissions: 0o640], ofItemAtPath: path)
            let first = try Program.run([tandem, "fmt", path])
            #expect(first.code == 0 && first.output == path + "\n")
            #expect(try content(path) == Self.formatted)
            #expect(try Files.permissions(of: path)?.mode == 0o640)
            #expect(try Files.names(in: directory) == ["t.yaml"])
            let second = try Program.run([tandem, "fmt", path])
            #expect(second.code == 0 && second.output == "")
        }
    }

    @Test func `a symbolic link stays one, and what it leads to is formatted`() throws {
        try withFile(Self.rough) { path, directory in
            let link = directory + "/link.yaml"
            try FileManager.default.createSymbolicLink(atPath: link, withDestinationPath: "t.yaml")
            #expect(try Program.run([tandem, "fmt", link]).code == 0)
            #expect(try content(path) == Self.formatted)
            #expect(try FileManager.default.destinationOfSymbolicLink(atPath: link) == "t.yaml")
        }
    }

    @Test func `--check changes nothing and exits with 1 for a file that is not formatted`() throws {
        try withFile(Self.rough) { path, _ in
            let rough = try Program.run([tandem, "fmt", "--check", path])
            #expect(rough.code == 1 && rough.output == path + "\n")
            #expect(try content(path) == Self.rough)
            _ = try Program.run([tandem, "fmt", path])
            let formatted = try Program.run([tandem, "fmt", "--check", path])
            #expect(formatted.code == 0 && formatted.output == "")
        }
    }

    @Test func `standard input goes to standard output, and so does a file with --stdout`() throws {
        try withFile(Self.rough) { path, _ in
            let piped = try Program.run(["/bin/sh", "-c", "cat '\(path)' | '\(tandem)' fmt -"])
            #expect(piped.code == 0 && piped.output == Self.formatted)
            let shown = try Program.run([tandem, "fmt", "--stdout", path])
            #expect(shown.code == 0 && shown.output == Self.formatted)
            #expect(try content(path) == Self.rough)
        }
    }

    @Test func `what is no YAML is left alone with the diagnostic, and the other files are formatted`() throws {
        try withFile("a: [ 1\nb: 2\n") { path, directory in
            let good = directory + "/good.yaml"
            try Files.writeAtomically(Array(Self.rough.utf8), to: good)
            let result = try Program.run([tandem, "fmt", path, directory + "/nowhere.yaml", good])
            #expect(result.code == 66)
            #expect(result.output.contains("error[T001]"))
            #expect(result.output.contains("\(path): left as it is"))
            #expect(result.output.contains("there is no file \(directory)/nowhere.yaml"))
            #expect(try content(path) == "a: [ 1\nb: 2\n")
            #expect(try content(good) == Self.formatted)
            #expect(try Program.run([tandem, "fmt", path]).code == 65)
        }
    }

    @Test func `explain tells what a code means, and guesses what a wrong one means`() throws {
        let known = try Program.run([tandem, "explain", "t012"])
        #expect(known.code == 0 && known.output.hasPrefix("T012\n"))
        let unknown = try Program.run([tandem, "explain", "T039"])
        #expect(unknown.code == 1)
        #expect(
            unknown.output.contains("there is no diagnostic T039: the codes go from T001 to T038; did you mean T038?"))
        let nowhere = "/tmp/tandem-nowhere.sock"
        let mistyped = try Program.run([tandem, "explain", "E012", "--socket", nowhere])
        #expect(mistyped.code == 69)
        #expect(mistyped.output.contains("try `tandem explain T012`"))
    }
}
