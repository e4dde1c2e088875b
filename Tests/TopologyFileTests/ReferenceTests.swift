import ClusterModel
import Testing
import TopologyFile

/// docs/topology.md says what the loader knows.
struct ReferenceTests {
    private struct Row {
        var key: String
        var isMandatory: Bool
    }

    private func text(_ path: String) throws -> String {
        String(decoding: try TopologyFile.read(path: "\(Repository.root)/\(path)").text, as: UTF8.self)
    }

    /// The first column of each table, by the name in the comment before it.
    private func tables() throws -> [String: [Row]] {
        var tables: [String: [Row]] = [:]
        var name: String?
        for line in try text("docs/topology.md").split(separator: "\n") {
            if let match = line.wholeMatch(of: /<!-- keys: (\w+) -->/) {
                name = String(match.1)
                tables[String(match.1)] = []
            } else if let match = line.firstMatch(of: /^\| `(\w+)`/), let name {
                tables[name]?.append(Row(key: String(match.1), isMandatory: line.contains("| mandatory |")))
            } else if !line.hasPrefix("|") {
                name = nil
            }
        }
        return tables
    }

    @Test func `the reference has exactly the keys of the loader, and knows which are mandatory`() throws {
        let tables = try tables()
        #expect(tables.keys.sorted() == Shape.all.map(\.name).sorted())
        for shape in Shape.all {
            let rows = tables[shape.name] ?? []
            #expect(rows.map(\.key).sorted() == shape.keys.sorted(), "\(shape.name)")
            let mandatory = rows.filter(\.isMandatory).map(\.key).sorted()
            #expect(mandatory == shape.required.map(\.key).sorted(), "\(shape.name)")
        }
    }

    @Test func `the reference has the loader's limits and defaults`() throws {
        let reference = try text("docs/topology.md")
        let timing = Timing()
        let limits = RegistrationLimits()
        let words = [
            "\(TopologyFile.maximumBytes >> 20) MiB, \(grouped(YAMLReader.maximumNodes)) values, "
                + "\(YAMLReader.maximumDepth) levels |",
            "| one text | \(grouped(YAMLReader.maximumScalarBytes)) bytes |",
            "| values that aliases repeat | \(grouped(YAMLReader.maximumAliasedNodes)) |",
            "| DNs | \(grouped(DNDirectory.maximumCount)) |", "| nodes | \(TopologyDecoder.maximumNodes) |",
            "| names of a kind in one place | \(grouped(TopologyDecoder.maximumNames)) |",
            "| faults that are shown | \(FaultList.maximumCount);",
            "| 60s | \(TopologyDecoder.words(timing.keepalive)) |",
            "| 5m | \(TopologyDecoder.words(timing.linkTimeout)) |",
            "| 24h | \(TopologyDecoder.words(timing.clockSkewLimit)) |",
            "| 24h | \(TopologyDecoder.words(timing.desktopGrace)) |",
            "| 100ms | 1h | \(TopologyDecoder.words(timing.reservation)) |",
            "| 0s | 10s | \(TopologyDecoder.words(timing.reservationWindow)) |",
            "| 0s | 1h | \(TopologyDecoder.words(timing.afterCallWork)) |",
            "| 168h | \(TopologyDecoder.words(timing.maximumCall)) |",
            "| 24h | \(TopologyDecoder.words(timing.sessionExpires)) |",
            "1 to 64 | \(limits.contacts) |", "with 423 | \(limits.minimumExpires)s |",
            "| what a phone gets that asks for nothing | \(limits.defaultExpires / 60)m |",
            "| a phone that asks for more gets this | \(limits.maximumExpires / 3600)h |",
        ]
        for word in words { #expect(reference.contains(word), "\(word)") }
    }

    /// 1,024, as in the reference.
    private func grouped(_ number: Int) -> String {
        let digits = Array(String(number))
        return digits.indices.map { ($0 > 0 && (digits.count - $0) % 3 == 0 ? "," : "") + String(digits[$0]) }.joined()
    }

    @Test(arguments: ["docs/topology.md", "README.md"])
    func `every topology that a document shows loads, and is formatted`(path: String) throws {
        let blocks = try text(path).matches(of: /(?s)```yaml\n(.*?)```/).map { String($0.1) }
        #expect(!blocks.isEmpty)
        for block in blocks {
            let source = TopologySource(name: path, text: block.utf8)
            #expect(rendered(TopologyFile.load(source), source) == "")
            #expect(String(decoding: try TopologyFormat.formatted(source), as: UTF8.self) == block)
        }
    }
}
