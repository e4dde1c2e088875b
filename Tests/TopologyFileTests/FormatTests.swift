import ClusterModel
import Testing
import TopologyFile

struct FormatTests {
    private func format(_ text: String) throws -> String {
        String(decoding: try TopologyFormat.formatted(TopologySource(name: "t.yaml", text: text.utf8)), as: UTF8.self)
    }

    // MARK: What it does

    @Test func `blocks are indented by two, also lists below their key`() throws {
        #expect(
            try format("a:\n    b: 1\n    c:\n    - 1\n    -   d:  2\n        e: 3\n")
                == "a:\n  b: 1\n  c:\n    - 1\n    - d: 2\n      e: 3\n")
    }

    @Test func `one space stands inside brackets and behind colons, commas and hyphens`() throws {
        #expect(
            try format("a:   {x: 1,y : [ ],z:  [p,q , r]}\nb: {  }\nc: [{a: 1}]\n")
                == "a: { x: 1, y: [], z: [ p, q, r ] }\nb: {}\nc: [ { a: 1 } ]\n")
    }

    @Test func `brackets over several lines stay so, indented beyond their block`() throws {
        #expect(
            try format("a: [ 1,\n 2, {\nb: 3 }\n]\n- x".replacing("\n- x", with: "\n"))
                == "a: [ 1,\n    2, {\n      b: 3 }\n  ]\n")
    }

    @Test func `blanks at the end of lines, further empty lines and other line ends go`() throws {
        #expect(try format("\n\na: 1  \r\n\r\n\r\n\r\nb: 2\t\n\n\n") == "a: 1\n\nb: 2\n")
        #expect(try format("a: 1") == "a: 1\n")
    }

    @Test func `a comment moves with what follows it, or ends the block that it stands in`() throws {
        let text = """
            a:
            # of b
                b: 1
                # end of a
            # of c
            c:
            - 1
            # of 2
            - 2
            d:
                # nothing in d
            e: 1
            """
        #expect(
            try format(text) == """
                a:
                  # of b
                  b: 1
                  # end of a
                # of c
                c:
                  - 1
                  # of 2
                  - 2
                d:
                  # nothing in d
                e: 1

                """
        )
    }

    /// Seed 2939 of the random documents below.
    @Test func `a comment between an anchor and a list in its key's column moves with the list`() throws {
        let formatted = "a: &x\n  # c\n  - 1\n"
        #expect(try format("a: &x\n   # c\n- 1\n") == formatted)
        #expect(try format(formatted) == formatted)
    }

    @Test func `comments behind text keep their column and move together where there is no room`() throws {
        #expect(
            try format(
                "a: 1      # one\nb:  2     # two\n\nc: {a: b} # long\nd: 1      # with it\n# own\ne: 1 # near\n")
                == "a: 1      # one\nb: 2      # two\n\nc: { a: b }  # long\nd: 1         # with it\n# own\ne: 1  # near\n"
        )
    }

    @Test func `texts of several lines keep their content`() throws {
        #expect(
            try format("a:\n    b: |\n        one\n          two\n\n\n\n    c: >+\n      x\n\n\nd: \"p\n  q\"\n")
                == "a:\n  b: |\n    one\n      two\n\n  c: >+\n    x\n\n\nd: \"p\n    q\"\n")
        #expect(try format("a: |2\n    x\n") == "a: |2\n    x\n")
        // A last line without a break is another text than one with it.
        #expect(try format("a: |\n    x") == "a: |\n  x")
    }

    @Test func `what is no YAML is refused with the diagnostic`() {
        let fault = #expect(throws: FormatFault.self) { try format("a: [ 1\nb: 2\n") }
        guard case .invalid(let diagnostic) = fault else {
            Issue.record("\(String(describing: fault))")
            return
        }
        #expect(diagnostic.code == "T001")
        #expect(diagnostic.line == 2)
    }

    // MARK: What it never does

    /// Formats, formats again, and compares what both say.
    private func check(_ source: TopologySource, _ comment: Comment) throws -> [UInt8]? {
        guard let tree = try? YAMLReader.read(source.text) else {
            #expect(throws: FormatFault.self, comment) { try TopologyFormat.formatted(source) }
            return nil
        }
        let once = try TopologyFormat.formatted(source)
        let again = try TopologyFormat.formatted(TopologySource(name: source.name, text: once))
        #expect(String(decoding: once, as: UTF8.self) == String(decoding: again, as: UTF8.self), comment)
        #expect(try YAMLReader.read(once).says(sameAs: tree), comment)
        let topology = TopologyFile.load(source).topology
        #expect(TopologyFile.load(TopologySource(name: source.name, text: once)).topology == topology, comment)
        return once
    }

    @Test(arguments: Repository.topologies(in: Repository.clusters))
    func `every cluster file is formatted`(path: String) throws {
        let source = try TopologyFile.read(path: path)
        let formatted = try check(source, "\(path)")
        #expect(formatted == source.text, "`tandem fmt \(path)` mends it")
    }

    @Test(arguments: Repository.topologies(in: Repository.invalidClusters))
    func `an invalid file stays as invalid as it was`(path: String) throws {
        let source = try TopologyFile.read(path: path)
        guard let formatted = try check(source, "\(path)") else { return }
        let codes = TopologyFile.load(TopologySource(name: source.name, text: formatted)).codes
        #expect(codes == TopologyFile.load(source).codes)
    }

    @Test(arguments: 1...1000)
    func `random documents keep their meaning and their comments`(seed: UInt64) throws {
        let document = RandomDocument(seed: seed)
        let source = TopologySource(name: "seed-\(seed).yaml", text: document.text.utf8)
        // The generator is to be right: a document that is no YAML would test nothing.
        #expect(throws: Never.self, "seed \(seed)\n\(document.text)") { try YAMLReader.read(source.text) }
        guard let formatted = try check(source, "seed \(seed)\n\(document.text)") else { return }
        let text = String(decoding: formatted, as: UTF8.self)
        #expect(text.matches(of: /#c\d+/).map { String($0.0) } == document.comments, "seed \(seed)\n\(text)")
        #expect(!text.contains("\r"), "seed \(seed)")
    }

    @Test(arguments: 1...40)
    func `a topology with other blanks comes back as it was`(seed: UInt64) throws {
        var generator = SeededGenerator(state: seed)
        let good = try TopologyFile.read(path: Repository.clusters + "/two-datacenters.yaml")
        let lines = String(decoding: good.text, as: UTF8.self).split(separator: "\n", omittingEmptySubsequences: false)
        let changed = lines.map { line in
            let indent = line.prefix { $0 == " " }.count
            let width = Int.random(in: 0...2, using: &generator)
            return String(repeating: " ", count: indent) + line.dropFirst(indent)
                + (line.contains("#") ? "" : String(repeating: " ", count: width))
        }
        // The same factor on all lines keeps the structure.
        let factor = Int.random(in: 1...3, using: &generator)
        let spread = changed.map { line in
            String(repeating: " ", count: line.prefix { $0 == " " }.count * (factor - 1)) + line
        }
        let formatted = try check(
            TopologySource(name: "seed-\(seed).yaml", text: spread.joined(separator: "\n").utf8), "seed \(seed)")
        let shape = { (text: [UInt8]) in
            String(decoding: text, as: UTF8.self).split(separator: "\n").map {
                $0.replacing(/\ +#.*/, with: "").trimmingSuffix { $0 == " " }
            }
        }
        #expect(try shape(#require(formatted)) == shape(good.text), "seed \(seed)")
    }
}

extension Substring {
    fileprivate func trimmingSuffix(while predicate: (Character) -> Bool) -> String {
        var text = self
        while let last = text.last, predicate(last) { text.removeLast() }
        return String(text)
    }
}

extension String {
    fileprivate func trimmingSuffix(while predicate: (Character) -> Bool) -> String {
        self[...].trimmingSuffix(while: predicate)
    }
}
