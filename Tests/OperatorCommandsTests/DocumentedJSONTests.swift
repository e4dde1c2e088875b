import ClusterModel
import Glibc
import OperatorCommands
import Orchestration
import Testing

/// Scripts rely on `schemas/cli.md`.
struct DocumentedJSONTests {
    private static let documentation: String = {
        let root = #filePath.split(separator: "/").dropLast(3).reduce("") { $0 + "/" + $1 }
        guard let file = fopen(root + "/schemas/cli.md", "r") else { return "" }
        defer { fclose(file) }
        var bytes = [UInt8](repeating: 0, count: 1 << 16)
        return String(decoding: bytes.prefix(fread(&bytes, 1, bytes.count, file)), as: UTF8.self)
    }()

    private func check(_ json: String) {
        for key in Set(json.matches(of: /"(\w+)":/).map(\.output.1)).sorted() {
            #expect(Self.documentation.contains("`\(key)`"), "schemas/cli.md does not say what `\(key)` is")
        }
    }

    @Test
    func everyKeyIsDocumented() throws {
        check(JSONOutput.compact(StatusJSON(degradedStatus())))
        check(JSONOutput.compact(DNDetailsJSON(details(.inService))))
        check(JSONOutput.compact(DNExplanation(details(.inService), status: healthyStatus()).json))
        let entry = DNListEntry(
            dn: "1", owner: "", stamp: .zero, lastWord: .inService, shown: .inService, isOwnedHere: true, agentType: "x")
        check(DNListJSON.opening + DNListJSON.element(entry) + DNListJSON.closing(after: "1"))
        let event = ClusterEvent(time: 0, kind: .nodeReady, message: "ready")
        check(JSONOutput.compact(EventJSON(event, stream: 1)))
    }

    @Test
    func everyKindOfEventIsDocumented() {
        for kind in ClusterEvent.Kind.all {
            #expect(Self.documentation.contains("`\(kind.rawValue)`"), "schemas/cli.md does not name \(kind.rawValue)")
        }
    }
}
