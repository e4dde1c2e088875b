import ClusterModel
import Testing
import TopologyFile

/// Whatever a file holds, the answer is a diagnostic.
struct HostileFileTests {
    /// Characters that mean something in YAML.
    private static let signs = Array("{}[]:-,&*#\n\t\"' 0".utf8)

    @Test(arguments: ["", "\n\n", "# only a comment\n", "---\n", "~\n", "null\n", "\u{FEFF}"])
    func `a file without content declares nothing`(text: String) {
        #expect(load(text).codes == ["T003"])
    }

    @Test(arguments: ["text", "[ 1, 2 ]", "- a\n- b\n"])
    func `a file that is no mapping says what it should be`(text: String) {
        #expect(load(text).codes == ["T010"])
    }

    @Test func `a byte order mark is no character of the file`() throws {
        #expect(load("\u{FEFF}" + goodText).codes == [])
        let fault = try #require(load("\u{FEFF}versio: 1\n").diagnostics.first { $0.code == "T008" })
        #expect(fault.column == 1)
    }

    @Test(arguments: ["[", "{a: ", "- ", "? "])
    func `deep nesting ends at a limit`(opening: String) {
        let text = String(repeating: opening, count: 100_000)
        #expect(load(text).codes == ["T005"])
    }

    @Test func `a cyclic alias is an error with both ends`() throws {
        let fault = try #require(load("a: &a\n  b: [ *a ]\n").diagnostics.first)
        #expect(fault.code == "T006")
        #expect(fault.secondary != nil)
    }

    @Test func `aliases of aliases end at a limit`() {
        var text = "a: &a [x, x, x, x, x, x, x, x, x, x]\n"
        for name in "bcdefghi".unicodeScalars {
            let before = String(Unicode.Scalar(name.value - 1) ?? name)
            text += "\(name): &\(name) [\(Array(repeating: "*\(before)", count: 10).joined(separator: ", "))]\n"
        }
        #expect(load(text).codes == ["T006"])
    }

    @Test func `a file with more values than fit into memory ends at a limit`() throws {
        let text = Array("a: [ \(String(repeating: "1,", count: 100)) ]\n".utf8)
        #expect(try YAMLReader.read(text, maximumNodes: 103).nodes.count == 103)
        let fault = #expect(throws: YAMLFault.self) { try YAMLReader.read(text, maximumNodes: 102) }
        #expect(fault?.diagnostic.code == "T020")
        #expect(fault?.diagnostic.hint != nil)
    }

    @Test func `a huge scalar is an error that does not repeat it`() throws {
        let text = goodText.replacing("west", with: String(repeating: "w", count: 1 << 20))
        let source = TopologySource(name: "test.yaml", text: text.utf8)
        let result = TopologyFile.load(source)
        #expect(result.codes == ["T020"])
        #expect(rendered(result, source).count < 1000)
    }

    @Test func `NUL bytes, control characters and other encodings are named by place`() throws {
        for bytes in [[0x00], [0x1B], [0xFF], [0xC3, 0x28], [0xED, 0xA0, 0x80], [0xE2, 0x82]] as [[UInt8]] {
            let fault = try #require(load(Array("version: 1\ncluster: te".utf8) + bytes).diagnostics.first)
            #expect(fault.code == "T002", "\(bytes)")
            #expect(fault.line == 2, "\(bytes)")
            #expect(fault.column == 12, "\(bytes)")
        }
        #expect(load(Array(repeating: 0, count: 4096)).codes == ["T002"])
    }

    @Test func `an escaped NUL in a value is a fault of that value`() {
        #expect(load(goodText.replacing("cluster: test", with: "cluster: \"te\\0st\"")).codes == ["T015"])
        let text = goodText.replacing("tcp:127.0.0.1:7101", with: "unix:/run/\\0x")
        #expect(load(text).codes == ["T014"])
    }

    @Test func `a message cannot steer the terminal`() {
        let source = TopologySource(name: "test.yaml", text: "\"\\e[31m\\u202E\": 1\n".utf8)
        let text = rendered(TopologyFile.load(source), source)
        #expect(!text.unicodeScalars.contains("\u{1B}"))
        #expect(!text.unicodeScalars.contains("\u{202E}"))
    }

    @Test func `a fault at the end of a file whose last line does not end is shown there`() throws {
        let source = TopologySource(name: "test.yaml", text: "version: 1\nclus".utf8)
        let fault = try #require(TopologyFile.load(source).diagnostics.first)
        #expect((fault.line, fault.column) == (2, 5))
        #expect(fault.rendered(source: source, color: false).contains("2 | clus\n"))
    }

    @Test func `a name in a sentence cannot turn the writing direction`() {
        let text = goodText.replacing("sip1:", with: "\"sip\\u202E\\u061C1\":").replacing("udp:", with: "xdp:")
        let shown = rendered(load(text), TopologySource(name: "test.yaml", text: text.utf8))
        #expect(!shown.unicodeScalars.contains { $0 == "\u{202E}" || $0 == "\u{61C}" })
        #expect(shown.contains("dc1/sip\u{FFFD}\u{FFFD}1") || shown.contains("sip\u{FFFD}\u{FFFD}1"))
    }

    @Test func `a hundred faults are shown and the rest is counted`() throws {
        let lines = (0..<5000).map { "  - { number: \(5000 + $0), agentType: nobody }\n" }
        let diagnostics = load(goodText + lines.joined()).diagnostics
        #expect(diagnostics.count == 101)
        #expect(diagnostics.last?.code == "T030")
        #expect(diagnostics.last?.message == "4900 more faults are not shown")
    }

    @Test func `more nodes than a cluster can have are an error`() throws {
        let node = { (number: Int) in
            "      n\(number): { sip: [ \"udp:127.0.0.1:\(10_000 + number)\" ], tcontroller: \"unix:/t\(number)\", "
                + "mesh: \"unix:/m\(number)\" }\n"
        }
        let most = goodText.replacing("dns:", with: (1...511).map(node).joined() + "dns:")
        #expect(try #require(load(most).topology).nodes.count == 512)
        let tooMany = goodText.replacing("dns:", with: (1...600).map(node).joined() + "dns:")
        #expect(load(tooMany).codes == ["T020"])
    }

    @Test func `more than a worker can be told in one message is an error`() {
        let dataCenters = (1...300).map { "  d\($0): { location: \(String(repeating: "w", count: 4000)) }\n" }
        #expect(load(goodText.replacing("dns:", with: dataCenters.joined() + "dns:")).codes == ["T020"])
        let lists = (1...900).map { number in
            let homes = (1...900).map { "d\(($0 + number) % 900)" }.joined(separator: ", ")
            return "  - { number: \(10_000 + number), agentType: sip-phone, homes: [\(homes)] }\n"
        }
        let names = (0..<900).map { "  d\($0): {}\n" }.joined()
        #expect(load(goodText.replacing("dns:", with: names + "dns:") + lists.joined()).codes == ["T020"])
    }

    @Test func `a fault elsewhere does not hide that there are no nodes`() {
        let codes = load("dataCenters: { dc1: {} }\ntiming: { keepalive: 1 }\n").codes
        #expect(codes.contains("T023"))
        #expect(codes.contains("T013"))
    }

    @Test func `every truncation of a good file gives an answer`() {
        let bytes = Array(goodText.utf8)
        for length in 0..<bytes.count {
            let result = load(Array(bytes.prefix(length)))
            #expect(result.isValid != result.diagnostics.contains { $0.severity == .error }, "length \(length)")
        }
    }

    @Test(arguments: 1...20)
    func `random bytes in a good file never stop the loader`(seed: UInt64) throws {
        let good = try TopologyFile.read(path: Repository.clusters + "/two-datacenters.yaml")
        var generator = SeededGenerator(state: seed)
        for _ in 0..<50 {
            var bytes = good.text
            for _ in 0..<Int.random(in: 1...8, using: &generator) {
                let position = Int.random(in: 0..<bytes.count, using: &generator)
                switch Int.random(in: 0..<4, using: &generator) {
                case 0: bytes[position] = UInt8.random(in: 0...255, using: &generator)
                case 1: bytes[position] ^= 1 << UInt8.random(in: 0..<8, using: &generator)
                case 2: bytes.remove(at: position)
                default: bytes.insert(Self.signs.randomElement(using: &generator) ?? 0, at: position)
                }
            }
            let source = TopologySource(name: "seed-\(seed).yaml", text: bytes)
            let result = TopologyFile.load(source)
            _ = rendered(result, source)
            #expect(result.isValid != result.diagnostics.contains { $0.severity == .error }, "seed \(seed)")
        }
    }

    @Test func `files that cannot be read say why`() throws {
        #expect(throws: TopologyFileError.noSuchFile(path: "/nowhere/x.yaml")) {
            try TopologyFile.read(path: "/nowhere/x.yaml")
        }
        let path = Repository.clusters + "/single-node.yaml"
        #expect(throws: TopologyFileError.tooLarge(path: path, maximumBytes: 64)) {
            try TopologyFile.read(path: path, maximumBytes: 64)
        }
        let directory = #expect(throws: TopologyFileError.self) { try TopologyFile.read(path: Repository.clusters) }
        #expect(directory?.description.contains("it is a directory") == true)
        #expect(TopologyFileError.noSuchFile(path: "x").exitCode == 66)
        #expect(throws: TopologyFileError.self) { try TopologyFile.read(path: "/dev/zero", maximumBytes: 1 << 20) }
    }
}
