import Foundation
import Testing
import TopologyFile

/// schemas/topology.schema.json tells editors what the loader would say. It is written by hand, so it is compared.
struct SchemaTests {
    /// What a schema, which sees one value at a time, can say of a kind of fault.
    private enum Power {
        case rejects
        /// Everything but what these files show.
        case mostly(passes: Set<String>)
        case silent
        /// The file is no YAML, and the schema never sees it.
        case unseen
    }

    /// What variants of every-key.yaml are called here: those with T026 differ in what a DN has to dial.
    private static let variant = "variant"

    private static let powers: [String: Power] = [
        "T001": .unseen, "T002": .unseen, "T003": .unseen, "T004": .unseen,
        // Readers differ in how deep they go, and aliases are values when the schema sees them.
        "T005": .unseen, "T006": .unseen,
        // The reader has dropped one of the two; only in lists both are there.
        "T007": .mostly(passes: [
            "duplicate-key.yaml", "duplicate-names.yaml", "duplicate-node.yaml", "not-run-yet.yaml",
            "pasted-twice.yaml",
        ]),
        "T008": .rejects, "T009": .rejects, "T010": .rejects,
        // Words and whole numbers; the bounds of durations would need arithmetic.
        "T011": .mostly(passes: ["timing-out-of-bounds.yaml"]),
        // Values are not compared with each other: no overlaps, references, clashes of ports.
        "T012": .silent,
        "T013": .rejects, "T014": .rejects, "T015": .rejects,
        "T016": .silent, "T017": .silent,
        "T018": .rejects,
        // The form, and that both ends have the same length; not which end is greater.
        "T019": .mostly(passes: ["range-backwards.yaml"]),
        // Listeners of a node; DNs are not counted, since a range is one value.
        "T020": .mostly(passes: ["too-many-numbers.yaml"]),
        "T021": .rejects,
        // Keys that exclude each other; not the order of durations.
        "T022": .mostly(passes: ["expires-order.yaml", "link-timeout-order.yaml"]),
        "T023": .rejects, "T024": .rejects, "T025": .rejects,
        // Within an agent type; what the phone of a DN is stands elsewhere.
        "T026": .mostly(passes: ["dial-for-sip.yaml", variant]),
        // A warning.
        "T027": .silent,
        "T028": .rejects,
        // Tags are gone when the schema sees the value; merge keys are unknown keys.
        "T029": .mostly(passes: ["tags.yaml"]),
        "T030": .silent,
        // Programs of a data center are not compared with each other.
        "T031": .silent, "T032": .silent,
        // A warning.
        "T033": .silent, "T034": .silent,
        // The form of each; not that hours end when they begin.
        "T035": .mostly(passes: ["hours-of-nothing.yaml"]),
        // What an address means.
        "T036": .silent, "T037": .silent, "T038": .silent,
    ]

    private static let root = Repository.root
    private static let directory = root + "/Tests/TopologyFileTests/Schema"
    private static let schemaPath = root + "/schemas/topology.schema.json"

    // MARK: Keys

    private func schema() throws -> [String: Any] {
        let data = try Data(contentsOf: URL(filePath: Self.schemaPath))
        return try #require(try JSONSerialization.jsonObject(with: data) as? [String: Any])
    }

    @Test func `the schema has exactly the keys that the loader takes, and asks for the same`() throws {
        let schema = try schema()
        let definitions = try #require(schema["$defs"] as? [String: [String: Any]])
        var closed = definitions.filter { $0.value["properties"] != nil }
        closed["topology"] = schema
        #expect(closed.keys.sorted() == Shape.all.map(\.name).sorted())
        for shape in Shape.all {
            let definition = try #require(closed[shape.name])
            let properties = try #require(definition["properties"] as? [String: [String: Any]])
            #expect(properties.keys.sorted() == shape.keys.sorted(), "\(shape.name)")
            #expect((definition["required"] as? [String] ?? []).sorted() == shape.required.map(\.key).sorted())
            #expect(definition["additionalProperties"] as? Bool == false, "\(shape.name)")
            #expect(definition["description"] is String, "\(shape.name)")
            for (key, property) in properties {
                let reference = (property["$ref"] as? String)?.split(separator: "/").last.map(String.init)
                let description = property["description"] ?? reference.flatMap { definitions[$0]?["description"] }
                #expect(description is String, "\(shape.name).\(key) tells editors nothing")
            }
        }
    }

    // MARK: Files

    /// What the schema has to complain of in each file; nil for files that are no YAML.
    private func complaints(_ paths: [String]) throws -> [String: [String]?] {
        let python = Process()
        python.executableURL = URL(filePath: "/usr/bin/python3")
        python.arguments = [Self.directory + "/validate.py", Self.schemaPath] + paths
        let output = Pipe()
        python.standardOutput = output
        try python.run()
        let data = try output.fileHandleForReading.readToEnd() ?? Data()
        python.waitUntilExit()
        try #require(python.terminationStatus == 0, "`make deps` installs python3-jsonschema and python3-yaml")
        let result = try #require(try JSONSerialization.jsonObject(with: data) as? [String: Any])
        return result.mapValues { $0 as? [String] }
    }

    /// Whether the schema should reject a file with these faults; nil if it never sees it.
    private func isRejected(_ codes: [String], file: String) throws -> Bool? {
        var isRejected = false
        for code in codes {
            switch try #require(Self.powers[code], "\(code): say here what the schema can say of it") {
            case .rejects: isRejected = true
            case .mostly(let passes): isRejected = isRejected || !passes.contains(file)
            case .silent: break
            case .unseen: return nil
            }
        }
        return isRejected
    }

    @Test func `the schema takes every file that the loader takes`() throws {
        let paths = Repository.topologies(in: Repository.clusters) + [Self.directory + "/every-key.yaml"]
        for (path, complaints) in try complaints(paths) {
            #expect(complaints == [], "\(path)")
            #expect(TopologyFile.load(try TopologyFile.read(path: path)).isValid, "\(path)")
        }
    }

    @Test func `the schema rejects an invalid file exactly if one value tells the fault`() throws {
        var expected: [String: Bool] = [:]
        for path in Repository.topologies(in: Repository.invalidClusters) {
            let codes = TopologyFile.load(try TopologyFile.read(path: path)).codes
            expected[path] = try isRejected(codes, file: String(path.split(separator: "/").last ?? ""))
        }
        let complaints = try complaints(expected.keys.sorted())
        for (path, isRejected) in expected {
            let found = try #require(complaints[path] ?? nil, "\(path) is no YAML for PyYAML")
            #expect(!found.isEmpty == isRejected, "\(path): \(found)")
        }
        #expect(Set(Self.powers.keys) == Set(DiagnosticCatalog.allCodes))
    }

    @Test func `loader and schema agree on a file with any one value or key exchanged`() throws {
        let source = try TopologyFile.read(path: Self.directory + "/every-key.yaml")
        let variants = Variants(tree: try YAMLReader.read(source.text)).all
        try #require(variants.count > 500)
        let temporary = FileManager.default.temporaryDirectory.path + "/tandem-schema-\(UUID().uuidString.prefix(8))"
        try FileManager.default.createDirectory(atPath: temporary, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: temporary) }
        var files: [String: (text: String, codes: [String])] = [:]
        for (number, text) in variants.enumerated() {
            let path = "\(temporary)/\(number).yaml"
            try Data(text.utf8).write(to: URL(filePath: path))
            let errors = load(text).diagnostics.filter { $0.severity == .error }.map(\.code)
            files[path] = (text, errors)
        }
        let complaints = try complaints(files.keys.sorted())
        for (path, file) in files {
            let found = try #require(complaints[path] ?? nil, "\(file.text)")
            let isRejected = try isRejected(file.codes, file: Self.variant)
            #expect(!found.isEmpty == isRejected, "\(file.codes) \(found)\n\(file.text)")
        }
    }
}

/// A document again and again, each time with one thing changed.
private struct Variants {
    let tree: YAMLTree
    private(set) var all: [String] = []
    private var text = ""
    private var changed = 0
    private var change: String?
    private var hasChanged = false

    /// Nil takes an entry away.
    private static let changes: [String?] = [
        nil, "~", "[ [] ]", "{ zzz: 1 }", "\"? ?\"", "\"\"", "[]", "{}", "1000000",
    ]

    init(tree: YAMLTree) {
        self.tree = tree
        for node in 1..<tree.nodes.count {
            for change in Self.changes {
                (text, changed, self.change, hasChanged) = ("", node, change, false)
                write(0)
                if hasChanged { all.append(text + "\n") }
            }
        }
    }

    private mutating func write(_ node: Int) {
        if node == changed, let change {
            text += change
            hasChanged = true
            return
        }
        switch tree.kind(of: node) {
        case .scalar, .alias:
            text += tree.nodes[node].isPlain ? tree.text(of: node) : "\"\(tree.text(of: node))\""
        case .sequence:
            text += "[ "
            for item in tree.children(of: node) where item != changed || change != nil {
                write(item)
                text += ", "
            }
            if change == nil, tree.children(of: node).contains(changed) { hasChanged = true }
            text += "]"
        case .mapping:
            text += "{ "
            let children = Array(tree.children(of: node))
            for entry in stride(from: 0, to: children.count, by: 2) {
                let (key, value) = (children[entry], children[entry + 1])
                if value == changed && change == nil {
                    hasChanged = true
                    continue
                }
                // Keys stay: another key is an unknown one, which `{ zzz: 1 }` tries.
                text += tree.text(of: key) + ": "
                write(value)
                text += ", "
            }
            text += "}"
        }
    }
}
