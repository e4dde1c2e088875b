import Foundation
import Testing

/// Something that is not as the house wants it.
struct Finding: CustomStringConvertible, Equatable {
    /// Relative to the repository.
    var file: String
    /// From 1.
    var line: Int
    /// What it is, and what to do.
    var sentence: String

    var description: String { "\(file):\(line): \(sentence)" }
}

/// Reports findings one by one, as an editor can jump to them.
func expectNone(_ findings: [Finding]) {
    for finding in findings { Issue.record(Comment(rawValue: finding.description)) }
}

/// A text file of the repository.
struct RepositoryFile: Sendable {
    /// Relative to the repository.
    let path: String
    let text: String

    var lines: [Substring] { text.split(separator: "\n", omittingEmptySubsequences: false) }

    /// The target whose source this is: `Sources/<room>/…`.
    var room: String {
        let parts = path.split(separator: "/")
        return parts.count > 2 ? String(parts[1]) : ""
    }

    /// A finding for every line that the condition names a fault of.
    func findings(in text: String? = nil, _ fault: (String) -> String?) -> [Finding] {
        (text ?? self.text).split(separator: "\n", omittingEmptySubsequences: false).enumerated().compactMap {
            number, line in
            fault(String(line)).map { Finding(file: path, line: number + 1, sentence: $0) }
        }
    }
}

enum Repository {
    static let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent()

    /// All text files below a directory, sorted by path. What git does not keep is not ours.
    static func files(below directory: String, endings: [String]) throws -> [RepositoryFile] {
        let base = root.appending(path: directory)
        let paths = FileManager.default.enumerator(atPath: base.path(percentEncoded: false)) ?? .init()
        return try paths.compactMap { $0 as? String }
            .filter { path in endings.contains { path.hasSuffix($0) } }
            .sorted()
            .map { try file("\(directory)/\($0)") }
    }

    static func file(_ path: String) throws -> RepositoryFile {
        let data = try Data(contentsOf: root.appending(path: path))
        return RepositoryFile(path: path, text: String(decoding: data, as: UTF8.self))
    }

    static func exists(_ path: String) -> Bool {
        FileManager.default.fileExists(atPath: root.appending(path: path).path(percentEncoded: false))
    }

    static func swiftSources() throws -> [RepositoryFile] { try files(below: "Sources", endings: [".swift"]) }
    static func cSources() throws -> [RepositoryFile] { try files(below: "Sources", endings: [".c", ".h"]) }

    /// What people read: Markdown at the top and below docs/.
    static func documents() throws -> [RepositoryFile] {
        let names = try FileManager.default.contentsOfDirectory(atPath: root.path(percentEncoded: false)).sorted()
        let top = try names.filter { $0.hasSuffix(".md") }.map { try file($0) }
        return try top + (exists("docs") ? files(below: "docs", endings: [".md"]) : [])
    }

    /// What else people read besides sources: files that build, install and describe.
    static func plainFiles() throws -> [RepositoryFile] {
        let single = ["Makefile", ".ci/run", "Package.swift", ".gitignore", ".swift-format"].filter(exists)
        return try single.map { try file($0) } + files(below: "clusters", endings: [".yaml", ".expected"])
            + files(below: "schemas", endings: [".proto", ".json"]) + files(below: "systemd", endings: [".service"])
    }
}
