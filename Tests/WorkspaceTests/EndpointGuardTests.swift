import Testing
import WebServer
import Workspace
import WorkspaceCore

/// Other sites' pages get nothing done, and the desk never hears of it.
@Suite struct EndpointGuardTests {
    static let unsafe = Endpoint.all.filter(\.isUnsafe)
    static let guarded = Endpoint.all.filter { $0.operation != .health }

    @Test(arguments: Self.unsafe.map(\.operation))
    func `what changes something comes from our own page`(_ operation: Endpoint.Operation) async throws {
        let endpoint = try #require(Endpoint.all.first { $0.operation == operation })
        let fixture = Fixture()
        let changes: [(inout WebRequest) -> Void] = [
            { $0.headers["origin"] = nil },
            { $0.headers["origin"] = "null" },
            { $0.headers["origin"] = "https://desk2.example.com" },
            { $0.headers["origin"] = "http://desk1.example.com" },
            { $0.headers["origin"] = "https://desk1.example.com.evil.example" },
            { $0.headers["sec-fetch-site"] = "cross-site" },
            { $0.headers["sec-fetch-site"] = "same-site" },
        ]
        for change in changes {
            var request = Fixture.request(endpoint)
            change(&request)
            let answer = try await fixture.answer(request)
            #expect(answer.status == 403 && answer.text.contains("bad-origin"))
        }
        #expect(fixture.desk.asked.isEmpty)
        #expect(fixture.audits.lines.count == changes.count)
        #expect(fixture.audits.lines.allSatisfy { $0.event == .originRefused })
    }

    @Test(arguments: Self.unsafe.map(\.operation))
    func `forms cannot send it`(_ operation: Endpoint.Operation) async throws {
        let endpoint = try #require(Endpoint.all.first { $0.operation == operation })
        let fixture = Fixture()
        for type in [nil, "text/plain", "application/x-www-form-urlencoded", "application/jsonp"] {
            var request = Fixture.request(endpoint)
            request.headers["content-type"] = type
            #expect(try await fixture.answer(request).status == 415)
        }
        #expect(fixture.desk.asked.isEmpty)
    }

    @Test(arguments: Self.guarded.map(\.operation))
    func `a name that is not ours gets nothing`(_ operation: Endpoint.Operation) async throws {
        let endpoint = try #require(Endpoint.all.first { $0.operation == operation })
        let fixture = Fixture()
        for host in [nil, "evil.example", "desk1.example.com:81", "desk1.example.com.evil.example"] {
            var request = Fixture.request(endpoint)
            request.headers["host"] = host
            #expect(try await fixture.answer(request).status == 421)
        }
        #expect(fixture.desk.asked.isEmpty && fixture.desk.opened.isEmpty)
    }

    @Test(arguments: Self.unsafe.map(\.operation))
    func `the desk sees the session's cookie and token`(_ operation: Endpoint.Operation) async throws {
        let endpoint = try #require(Endpoint.all.first { $0.operation == operation })
        let fixture = Fixture()
        #expect(try await fixture.answer(Fixture.request(endpoint)).status == 204)
        let proof = SessionProof(token: "token", csrf: "csrf")
        let expected: WorkspaceCommand? =
            switch operation {
            case .logIn: .logIn(agent: "ann", password: Array("secret".utf8))
            case .renew: .renew(proof)
            case .resume: .resume(ticket: "t", cookie: "token")
            case .logOut: .logOut(proof)
            case .choose: .choose(proof, dn: "7001", takeBack: false)
            case .leave: .leave(proof)
            case .setPresence: .setPresence(proof, PresenceWish(.notReady, reason: "lunch"))
            case .health, .gateway, .session, .events, .agents, .explain, .supervisorEvents: nil
            }
        #expect(fixture.desk.asked == [try #require(expected)])
    }

    @Test(arguments: ["", "[", "[]", "{}", "null", #"{"dn": 7001}"#, String(repeating: "[", count: 9_000)])
    func `a body that is something else is refused`(_ body: String) async throws {
        let endpoint = try #require(Endpoint.all.first { $0.operation == .choose })
        let fixture = Fixture()
        let answer = try await fixture.answer(Fixture.request(endpoint, body: body))
        #expect(answer.status == 400 && answer.text.contains("bad-json"))
        #expect(fixture.desk.asked.isEmpty)
    }

    @Test(arguments: ["limit=0", "limit=501", "limit=x", "after=a%b"])
    func `a query that is not possible is refused`(_ query: String) async throws {
        let endpoint = try #require(Endpoint.all.first { $0.operation == .agents })
        let fixture = Fixture()
        var request = Fixture.request(endpoint)
        let parts = query.split(separator: "=").map(String.init)
        request.query[parts[0]] = parts[1]
        #expect(try await fixture.answer(request).status == 400)
        #expect(fixture.desk.asked.isEmpty)
    }

    @Test func `whether anybody is here may be asked by everybody`() async throws {
        let health = try #require(Endpoint.all.first { $0.operation == .health })
        let fixture = Fixture(.healthy)
        var request = Fixture.request(health)
        request.headers = ["host": "10.9.9.9", "sec-fetch-site": "cross-site"]
        let answer = try await fixture.answer(request)
        #expect(answer.status == 200 && answer.header("Cross-Origin-Resource-Policy") == "cross-origin")
        fixture.desk.reply = .refused(WorkspaceRefusal(.noNode))
        #expect(try await fixture.answer(request).status == 503)
    }
}
