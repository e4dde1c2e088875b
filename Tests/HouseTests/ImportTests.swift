import Testing

/// Imports only go down, and every outside thing has one door.
@Suite struct ImportTests {
    struct Import: Equatable {
        var module: String
        var line: Int
    }

    /// The modules that a source imports. Comments and strings do not count.
    static func imports(in text: String) -> [Import] {
        let pattern =
            /^\s*(?:@\w+(?:\([^)]*\))?\s+)*(?:(?:public|package|internal|fileprivate|private)\s+)?import\s+(?:(?:struct|class|enum|protocol|func|var|let|typealias)\s+)?(\w+)/
        return SwiftText.code(of: text).split(separator: "\n", omittingEmptySubsequences: false).enumerated()
            .compactMap { number, line in
                (try? pattern.firstMatch(in: line)).map { Import(module: String($0.1), line: number + 1) }
            }
    }

    /// What the room's sources import against the table.
    static func findings(in file: RepositoryFile) -> [Finding] {
        guard let room = House.room(named: file.room) else {
            return [
                Finding(file: file.path, line: 1, sentence: "\(file.room) is not in the table; add it to HouseTable")
            ]
        }
        return imports(in: file.text).filter { !room.imports.contains($0.module) }.map {
            Finding(
                file: file.path, line: $0.line,
                sentence:
                    "\(room.name) may not import \($0.module); move the code to a room that may, or pass a value in"
            )
        }
    }

    @Test func `every room imports only what the table allows`() throws {
        let findings = try Repository.swiftSources().flatMap(Self.findings)
        expectNone(findings)
    }

    @Test func `the manifest gives every target at most what the table allows`() throws {
        let manifest = try Repository.file("Package.swift")
        let targets = Manifest.targets(in: manifest.text)
        let names = Set(targets.map(\.name))
        for room in House.rooms where !names.contains(room.name) {
            Issue.record("Package.swift:1: there is no target \(room.name); take it out of the table")
        }
        let findings = targets.filter { !$0.isTest }.flatMap { target -> [Finding] in
            guard let room = House.room(named: target.name) else {
                return [Finding(file: manifest.path, line: target.line, sentence: "\(target.name) is not in the table")]
            }
            return target.dependencies.filter { !room.imports.contains($0) }.map {
                Finding(
                    file: manifest.path, line: target.line,
                    sentence: "target \(room.name) may not depend on \($0); the table in HouseTable says what it may"
                )
            }
        }
        expectNone(findings)
    }

    @Test func `the table has no cycle`() {
        var states: [String: Bool] = [:]  // False while a room's imports are followed, true when they have been.
        func follow(_ name: String, _ path: [String]) {
            if states[name] == false { Issue.record("\((path + [name]).joined(separator: " → ")) is a cycle") }
            guard states[name] == nil, let room = House.room(named: name) else { return }
            states[name] = false
            for next in room.imports { follow(next, path + [name]) }
            states[name] = true
        }
        for room in House.rooms { follow(room.name, []) }
    }

    @Test func `pure rooms build on pure rooms only`() {
        let pure = Set(House.pureRooms.map(\.name)).union(House.pureLibraries)
        for room in House.pureRooms {
            let others = room.imports.filter { !pure.contains($0) }
            #expect(others.isEmpty, "\(room.name) is pure and may not import \(others)")
        }
    }

    @Test func `every outside thing has one door`() throws {
        for file in try Repository.swiftSources() {
            for found in Self.imports(in: file.text) {
                guard let rule = House.soleImporters.first(where: { $0.module == found.module }) else { continue }
                guard !rule.importers.contains(file.room) else { continue }
                let sentence = "only \(rule.importers.sorted().joined(separator: ", ")) imports \(found.module); ask it"
                expectNone([Finding(file: file.path, line: found.line, sentence: sentence)])
            }
        }
        for file in try Repository.cSources() {
            expectNone(
                file.findings { line in
                    guard line.contains("#include") else { return nil }
                    let rule = House.soleIncluders.first {
                        line.contains("<\($0.header)") && !$0.includers.contains(file.room)
                    }
                    return rule.map { "only \($0.includers.sorted().joined(separator: ", ")) includes \($0.header)" }
                })
        }
    }

    @Test func `tests reach what they test without @testable`() throws {
        for file in try Repository.files(below: "Tests", endings: [".swift"]) {
            expectNone(
                file.findings(in: SwiftText.code(of: file.text)) {
                    $0.contains("@testable") ? "take @testable away and give what is tested `package` access" : nil
                })
        }
    }

    @Test func `the checks above see what they are for`() {
        let source = """
            // import Foundation
            @preconcurrency package import Glibc
            let text = "import CYAML"
            import struct Foundation.Date
              import Transport
            """
        #expect(Self.imports(in: source).map(\.module) == ["Glibc", "Foundation", "Transport"])
        let file = RepositoryFile(path: "Sources/Simulation/Clock.swift", text: source)
        #expect(Self.findings(in: file).map(\.line) == [2, 4, 5])
        let stranger = RepositoryFile(path: "Sources/Attic/Attic.swift", text: "")
        #expect(Self.findings(in: stranger).count == 1)
    }
}

/// The targets of a manifest, as far as the house needs them.
struct Manifest {
    struct Target {
        var name: String
        var line: Int
        var isTest: Bool
        /// Names of targets and of products.
        var dependencies: [String]
    }

    static func targets(in text: String) -> [Target] {
        let opening = /\.(target|executableTarget|testTarget|systemLibrary)\(/
        return text.matches(of: opening).compactMap { match in
            let body = balanced(text[match.range.upperBound...])
            guard let name = body.firstMatch(of: /name:\s*"([^"]+)"/)?.1 else { return nil }
            var dependencies: [String] = []
            if let list = body.firstMatch(of: /dependencies:\s*\[/) {
                let items = balanced(body[list.range.upperBound...])
                dependencies = items.matches(of: /"([^"]+)"|\bargumentParser\b/).map { item in
                    item.1.map(String.init) ?? "ArgumentParser"
                }
                let packages = Set(items.matches(of: /package:\s*"([^"]+)"/).map { String($0.1) })
                dependencies.removeAll { packages.contains($0) }
            }
            return Target(
                name: String(name), line: text[..<match.range.lowerBound].count(where: \.isNewline) + 1,
                isTest: match.1 == "testTarget", dependencies: dependencies
            )
        }
    }

    /// Up to the bracket that closes what was opened before.
    private static func balanced(_ text: Substring) -> Substring {
        var depth = 1
        for position in text.indices {
            if "([".contains(text[position]) { depth += 1 }
            if ")]".contains(text[position]) { depth -= 1 }
            if depth == 0 { return text[..<position] }
        }
        return text
    }
}
