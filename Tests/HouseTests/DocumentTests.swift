import Testing

/// Documents say what is so: what they name exists.
@Suite struct DocumentTests {
    /// Directories at the root of any Debian system. Another absolute path would be one machine's own.
    private static let systemRoots: Set<Substring> = [
        "bin", "dev", "etc", "lib", "lib64", "opt", "proc", "run", "sbin", "sys", "tmp", "usr", "var",
    ]
    /// Where the paths of the workspace's HTTP interface begin.
    private static let interfaceRoot: Substring = "api"
    /// Hosts that may be named; software is named, not where a machine gets it from.
    private static let hosts: Set<String> = [
        "github.com", "json-schema.org", "www.apache.org", "keepachangelog.com", "semver.org", "swift.org",
        "www.swift.org",
    ]
    /// Words about how something came to be written instead of what it is.
    private static var asides: Regex<Substring> {
        /(?i)\bas discussed\b|\b(?:issue|pull request|PR) #?\d+\b/
    }

    // MARK: Paths and hosts

    static func foreignPaths(in file: RepositoryFile, text: String? = nil) -> [Finding] {
        file.findings(in: text) { line in
            for match in line.matches(of: /(?:^|[\s`"'(=:|])\/([a-z][a-z0-9_-]*)\//)
            where !systemRoots.contains(match.1) && match.1 != interfaceRoot {
                return "/\(match.1)/ is a place on one machine; name paths from the repository's root"
            }
            if line.firstMatch(of: /(?:^|[\s`"'(])\.\.\/\.\.\//) != nil {
                return "leaves the repository; say what is needed here"
            }
            return nil
        }
    }

    static func foreignHosts(in file: RepositoryFile) -> [Finding] {
        file.findings { line in
            for match in line.matches(of: /\b((?:[a-z0-9-]+\.)+(?:com|org|io|net|dev))\b/) {
                let host = String(match.1)
                guard !hosts.contains(host), host != "example.com", !host.hasSuffix(".example.com") else { continue }
                return "\(host) is no host to name here; name the software"
            }
            return nil
        }
    }

    @Test func `documents name no place or host that others do not have`() throws {
        for file in try Repository.documents() + Repository.plainFiles() {
            expectNone(Self.foreignPaths(in: file) + Self.foreignHosts(in: file))
        }
    }

    @Test func `comments name no place that others do not have`() throws {
        let files =
            try Repository.swiftSources() + Repository.cSources()
            + Repository.files(below: "Tests", endings: [".swift"])
        for file in files where !file.path.hasPrefix("Tests/HouseTests/") {
            let comments = file.lines.map { Self.comment(of: $0) }
            expectNone(Self.foreignPaths(in: file, text: comments.joined(separator: "\n")))
        }
    }

    /// From the first `//` on. Not a regular expression: there are more than a hundred thousand lines.
    private static func comment(of line: Substring) -> String {
        let bytes = Array(line.utf8)
        let slash = UInt8(ascii: "/")
        let start = bytes.indices.dropLast().first { bytes[$0] == slash && bytes[$0 + 1] == slash }
        return start.map { String(decoding: bytes[$0...], as: UTF8.self) } ?? ""
    }

    @Test func `documents say what is, not how they came about`() throws {
        for file in try Repository.documents() + Repository.plainFiles() + Repository.swiftSources() {
            expectNone(
                file.findings { line in
                    line.firstMatch(of: Self.asides).map { "\"\($0.0)\" tells readers nothing; say what is so" }
                })
        }
    }

    // MARK: Commands and files

    /// The code in a Markdown text: fenced blocks and spans, line by line; everything else is blank.
    static func code(ofMarkdown text: String) -> String {
        var isFenced = false
        return text.split(separator: "\n", omittingEmptySubsequences: false).map { line in
            if line.trimmingPrefix(while: \.isWhitespace).hasPrefix("```") {
                isFenced.toggle()
                return ""
            }
            if isFenced { return String(line) }
            return line.matches(of: /`([^`]+)`/).map { String($0.1) }.joined(separator: " ; ")
        }.joined(separator: "\n")
    }

    static func makeTargets(in makefile: String) -> Set<String> {
        Set(makefile.matches(of: /(?m)^([a-z][a-z-]*):(?!=)/).map { String($0.1) })
    }

    @Test func `every make target that is named exists, and help lists it`() throws {
        let makefile = try Repository.file("Makefile")
        let targets = Self.makeTargets(in: makefile.text)
        let listed = Set(makefile.text.matches(of: #/(?m)^([a-z][a-z-]*):.*## /#).map { String($0.1) })
        #expect(targets.subtracting(listed).isEmpty, "Makefile: give these a `##` line: \(targets.subtracting(listed))")
        let texts =
            try Repository.documents().map { ($0, Self.code(ofMarkdown: $0.text)) }
            + [".ci/run"].map { try Repository.file($0) }.map { ($0, $0.text) }
        for (file, text) in texts {
            expectNone(
                file.findings(in: text) { line in
                    for match in line.matches(of: /\bmake ([a-z][a-z-]*)/) where !targets.contains(String(match.1)) {
                        return "there is no `make \(match.1)`; `make help` lists what there is"
                    }
                    return nil
                })
        }
    }

    @Test func `every command of tandem that a document shows exists`() throws {
        let sources = try Repository.files(below: "Sources/OperatorCommands", endings: [".swift"])
        let names = Set(sources.flatMap { $0.text.matches(of: /commandName: "([a-z-]+)"/).map { String($0.1) } })
        try #require(names.contains("up"))
        for file in try Repository.documents() {
            expectNone(
                file.findings(in: Self.code(ofMarkdown: file.text)) { line in
                    let commands = line.matches(of: /(?:^|[ ;$\/])tandem ([a-z][a-z-]*)/)
                    for match in commands where !names.contains(String(match.1)) && match.1 != "help" {
                        return "there is no `tandem \(match.1)`; `tandem help` lists what there is"
                    }
                    return nil
                })
        }
    }

    @Test func `every file of the repository that a document names exists`() throws {
        let path =
            /(?:^|[\s`(]|\.\.\/)((?:Sources|Tests|clusters|schemas|systemd|docs|\.ci)\/[A-Za-z0-9_.+\/-]*|[A-Z]+\.md|Makefile|Package\.swift)(?=[\s`),:;]|$)/
        for file in try Repository.documents() {
            expectNone(
                file.findings { line in
                    for match in line.matches(of: path) where !Repository.exists(String(match.1)) {
                        return "there is no \(match.1)"
                    }
                    return nil
                })
        }
    }

    @Test func `the programs that are installed are those that are built`() throws {
        let makefile = try Repository.file("Makefile").text
        let manifest = try Repository.file("Package.swift").text
        let programs = makefile.firstMatch(of: /(?m)^PROGRAMS := (.*)$/)?.1.split(separator: " ").map(String.init) ?? []
        let products = manifest.matches(of: /\.executable\(name: "([^"]+)"/).map { String($0.1) }
        #expect(
            programs.sorted() == products.sorted(), "PROGRAMS in the Makefile against the products in Package.swift")
    }

    @Test func `the checks above see what they are for`() {
        let file = RepositoryFile(
            path: "x.md",
            text: "see `/home/me/x`\nin /etc/tandem/\nat cc.example.com\nget it from files.pythonhosted.org\n")
        #expect(Self.foreignPaths(in: file).map(\.line) == [1])
        #expect(Self.foreignHosts(in: file).map(\.line) == [4])
        #expect(Self.code(ofMarkdown: "make sure\n`make x` and `y`\n```\nmake z\n```") == "\nmake x ; y\n\nmake z\n")
        #expect(Self.makeTargets(in: "BIN := x\nrun: build\n.PHONY: run\n") == ["run"])
        #expect("see issue 12".firstMatch(of: Self.asides) != nil)
        #expect("an agent session of 12 hours".firstMatch(of: Self.asides) == nil)
    }
}
