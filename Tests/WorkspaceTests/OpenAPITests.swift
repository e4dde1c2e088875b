import Foundation
import Testing
import WebServer
import Workspace
import WorkspaceCore

/// schemas/workspace.openapi.json is written by hand, so it is compared.
@Suite struct OpenAPITests {
    static let file = Repository.root.appending(path: "schemas/workspace.openapi.json")
    private let document: [String: Any]

    init() throws {
        let data = try Data(contentsOf: Self.file)
        document = try #require(try JSONSerialization.jsonObject(with: data) as? [String: Any])
    }

    private func operations() throws -> [String: [String: Any]] {
        var found: [String: [String: Any]] = [:]
        for (path, item) in try #require(document["paths"] as? [String: [String: Any]]) {
            for (method, operation) in item {
                found["\(method.uppercased()) \(path)"] = try #require(operation as? [String: Any])
            }
        }
        return found
    }

    @Test func `both have the same endpoints`() throws {
        let written = try operations().mapValues { $0["operationId"] as? String ?? "" }
        let served = Dictionary(
            uniqueKeysWithValues: Endpoint.all.map { ("\($0.method) \($0.path)", $0.operation.rawValue) })
        #expect(written == served)
        #expect(Set(Endpoint.all.map(\.operation)) == Set(Endpoint.Operation.allCases))
        let routes = Fixture().site.routes.map { "\($0.method) \($0.path)" }
        #expect(Set(routes) == Set(served.keys).union(PageFiles.all.map { "GET \($0.path)" }))
    }

    @Test func `every refusal is in the schema with its code`() throws {
        let schemas = try #require((document["components"] as? [String: Any])?["schemas"] as? [String: [String: Any]])
        let properties = try #require(schemas["Problem"]?["properties"] as? [String: [String: Any]])
        let written = Set(try #require(properties["code"]?["enum"] as? [String]))
        let known = WorkspaceProblem.allCases.map(\.rawValue) + RequestProblem.allCases.map(\.rawValue)
        #expect(written == Set(known))
        #expect(Set(known).count == known.count)
        let codes = Dictionary(
            WorkspaceProblem.allCases.map { ($0.rawValue, $0.statusCode) }
                + RequestProblem.allCases.map { ($0.rawValue, $0.statusCode) }, uniquingKeysWith: { first, _ in first })
        for (name, operation) in try operations() where name != "GET /healthz" {
            for (status, response) in try #require(operation["responses"] as? [String: [String: Any]]) {
                guard let number = Int(status), number >= 400 else { continue }
                for code in (response["description"] as? String ?? "").split(separator: ", ") {
                    #expect(codes[String(code)] == number, "\(name): \(code)")
                }
            }
        }
    }

    @Test func `what is answered is what the schema says`() async throws {
        var samples: [(String, String)] = []
        for (operation, schema, reply) in [
            (Endpoint.Operation.gateway, "Gateway", WorkspaceReply.gateway(Sample.gateway)),
            (.session, "Session", .session(Sample.session, cookie: nil)),
            (.choose, "State", .state(Sample.state, cookie: nil)),
            (.setPresence, "State", .state(Sample.lost, cookie: nil)),
            (.agents, "Agents", .agents(Sample.page)),
            (.explain, "Explanation", .explained(Sample.explanation)),
        ] {
            let endpoint = try #require(Endpoint.all.first { $0.operation == operation })
            samples.append((schema, try await Fixture(reply).answer(Fixture.request(endpoint)).text))
        }
        for problem in WorkspaceProblem.allCases {
            let fixture = Fixture(.refused(WorkspaceRefusal(problem, retryAfter: 5)))
            let endpoint = try #require(Endpoint.all.first { $0.operation == .session })
            samples.append(("Problem", try await fixture.answer(Fixture.request(endpoint)).text))
        }
        for fault in WebSite.Fault.allCases { samples.append(("Problem", Fixture().site.refuse(fault).text)) }
        let events: [(String, StreamEvent.Content)] =
            [
                ("State", .state(Sample.state)), ("Beat", .beat(now: 1)),
                ("Rows", .agentsSnapshot([Sample.row], isFirst: true, isLast: false)), ("Rows", .agents([Sample.row])),
            ] + StreamNotice.allCases.map { ("Notice", .notice($0)) } + StreamEnd.allCases.map { ("End", .end($0)) }
        for (schema, content) in events {
            let text = String(decoding: StreamText.bytes(StreamEvent(content)), as: UTF8.self)
            let data = try #require(text.split(separator: "\n").last { $0.hasPrefix("data: ") })
            samples.append((schema, String(data.dropFirst(6))))
        }
        // One that is wrong shows that the check finds something.
        samples.append(("Beat", #"{"now":"late"}"#))
        let lines = samples.map { #"{"schema":"\#($0.0)","value":\#($0.1)}"# }.joined(separator: "\n")
        let found = try Self.check(lines)
        #expect(found.split(separator: "\n").count == 1 && found.hasPrefix("Beat: $.now"), "\(found)")
    }

    private static func check(_ lines: String) throws -> String {
        let process = Process()
        process.executableURL = URL(filePath: "/usr/bin/env")
        let script = Repository.root.appending(path: "Tests/WorkspaceTests/OpenAPI/check.py")
        process.arguments = ["python3", script.path(percentEncoded: false), file.path(percentEncoded: false)]
        let (input, output) = (Pipe(), Pipe())
        process.standardInput = input
        process.standardOutput = output
        process.standardError = output
        try process.run()
        // Fewer bytes than a pipe holds would need no care; these are more, but the script reads as it goes.
        try input.fileHandleForWriting.write(contentsOf: Data(lines.utf8))
        try input.fileHandleForWriting.close()
        let text = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        process.waitUntilExit()
        return text
    }
}
