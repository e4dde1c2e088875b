import Foundation
import Testing

/// Sources/CTandemProto is what protoc-c makes of schemas/, and nothing else.
@Suite struct GeneratedCodeTests {
    /// Other versions write other code, and the code does not say which version wrote it.
    static let version = "1.4.1"

    private static func run(_ arguments: [String], in directory: URL) throws -> (code: Int32, output: String) {
        let process = Process()
        process.executableURL = URL(filePath: "/usr/bin/env")
        process.arguments = ["protoc-c"] + arguments
        process.currentDirectoryURL = directory
        let pipe = Pipe()
        process.standardOutput = pipe
        process.standardError = pipe
        try process.run()
        let output = pipe.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        return (process.terminationStatus, String(decoding: output, as: UTF8.self))
    }

    @Test func `regenerating the messages changes nothing`() throws {
        let schemas = Repository.root.appending(path: "schemas")
        let found = try Self.run(["--version"], in: schemas)
        guard found.code == 0 else {
            Issue.record("protoc-c cannot be run: \(found.output); `make deps` installs it")
            return
        }
        let first = found.output.split(separator: "\n").first ?? ""
        guard first == "protobuf-c \(Self.version)" else {
            Issue.record("this protoc-c is \"\(first)\", and the sources are from \(Self.version), which Debian 12 has")
            return
        }
        let directory = FileManager.default.temporaryDirectory.appending(path: "tandem-generated-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: directory) }
        let names = try FileManager.default.contentsOfDirectory(atPath: schemas.path(percentEncoded: false))
            .filter { $0.hasSuffix(".proto") }.sorted()
        let result = try Self.run(["--c_out=\(directory.path(percentEncoded: false))"] + names, in: schemas)
        #expect(result.code == 0, "\(result.output)")
        var expected: Set<String> = []
        for name in names.map({ $0.dropLast(".proto".count) }) {
            for (made, kept) in [("\(name).pb-c.c", "\(name).pb-c.c"), ("\(name).pb-c.h", "include/\(name).pb-c.h")] {
                let path = House.generated + kept
                expected.insert(path)
                let fresh = try Data(contentsOf: directory.appending(path: made))
                let committed = try? Data(contentsOf: Repository.root.appending(path: path))
                guard fresh != committed else { continue }
                Issue.record("\(path):1: is not what protoc-c makes of schemas/\(name).proto; run `make generate`")
            }
        }
        for file in try Repository.cSources()
        where file.path.hasPrefix(House.generated) && !expected.contains(file.path) {
            Issue.record("\(file.path):1: no schema makes this file; remove it")
        }
    }
}
