import Testing
import WebServer
import Workspace
import WorkspaceCore

/// What browsers are told beside the answer.
@Suite struct HeaderTests {
    private func endpoint(_ operation: Endpoint.Operation) throws -> Endpoint {
        try #require(Endpoint.all.first { $0.operation == operation })
    }

    @Test func `nothing but our own files may run, and only our own gateways are asked`() {
        let headers = Dictionary(uniqueKeysWithValues: Fixture().site.baseHeaders())
        let policy = headers["Content-Security-Policy"] ?? ""
        #expect(policy.hasPrefix("default-src 'none'; script-src 'self'; style-src 'self'"))
        #expect(policy.contains("connect-src 'self' https://desk2.example.com;"))
        #expect(policy.contains("frame-ancestors 'none'") && policy.contains("require-trusted-types-for 'script'"))
        #expect(!policy.contains("unsafe") && !policy.contains("*"))
        #expect(headers["X-Content-Type-Options"] == "nosniff")
        #expect(headers["Strict-Transport-Security"] == "max-age=31536000")
        #expect(!headers.keys.contains { $0.hasPrefix("Access-Control") })
        let plain = Dictionary(uniqueKeysWithValues: Fixture(isSecure: false).site.baseHeaders())
        #expect(plain["Strict-Transport-Security"] == nil)
    }

    @Test func `the cookie is for this host, over TLS, and not for scripts`() async throws {
        let fixture = Fixture(.session(Sample.session, cookie: .set(token: "t", maximumAge: 60)))
        let request = Fixture.request(try endpoint(.logIn))
        let answer = try await fixture.answer(request)
        #expect(
            answer.header("Set-Cookie")
                == "__Host-tandem=t; Max-Age=60; Path=/; HttpOnly; SameSite=Strict; Secure")
        #expect(answer.header("Cache-Control") == "no-store")
        fixture.desk.reply = .done(cookie: .clear)
        let out = try await fixture.answer(Fixture.request(try endpoint(.logOut)))
        #expect(out.header("Set-Cookie")?.hasPrefix("__Host-tandem=; Max-Age=0; Path=/") == true)
    }

    @Test func `over plain HTTP it has another name`() async throws {
        let fixture = Fixture(.done(cookie: .set(token: "t", maximumAge: 60)), isSecure: false)
        var request = Fixture.request(try endpoint(.logOut))
        request.headers["host"] = "localhost:8081"
        request.headers["origin"] = "http://localhost:8081"
        request.cookies = ["tandem-desk": "plain", "__Host-tandem": "other"]
        let answer = try await fixture.answer(request)
        #expect(answer.header("Set-Cookie") == "tandem-desk=t; Max-Age=60; Path=/; HttpOnly; SameSite=Strict")
        #expect(fixture.desk.asked == [.logOut(SessionProof(token: "plain", csrf: "csrf"))])
    }

    @Test(arguments: WorkspaceProblem.allCases)
    func `a refusal says what it is`(_ problem: WorkspaceProblem) async throws {
        let refusal = WorkspaceRefusal(problem, retryAfter: 1_500, clearsCookie: true)
        let fixture = Fixture(.refused(refusal))
        let answer = try await fixture.answer(Fixture.request(try endpoint(.session)))
        #expect(answer.status == problem.statusCode)
        #expect(answer.header("Content-Type") == "application/problem+json")
        #expect(answer.header("Retry-After") == "2")
        #expect(answer.header("Set-Cookie")?.contains("Max-Age=0") == true)
        #expect(answer.text.contains(#""code":"\#(problem.rawValue)""#))
        #expect(answer.text.contains(#""retryAfterMs":1500"#))
    }

    @Test func `a file that the browser has is not sent again`() async throws {
        let fixture = Fixture()
        var request = WebRequest(
            method: "GET", path: "/desk.mjs",
            headers: ["host": "desk1.example.com", "sec-fetch-site": "same-origin"],
            source: Fixture.request(try endpoint(.session)).source)
        let first = try await fixture.answer(request)
        #expect(first.status == 200 && first.header("Cache-Control") == "no-cache")
        request.headers["if-none-match"] = "\"x\", \(try #require(first.header("ETag")))"
        let second = try await fixture.answer(request)
        #expect(second.status == 304 && second.text.isEmpty)
    }

    @Test func `links lead to the page, other sites' pages do not use its files`() async throws {
        let fixture = Fixture()
        let source = Fixture.request(try endpoint(.session)).source
        var request = WebRequest(
            method: "GET", path: "/", headers: ["host": "desk1.example.com", "sec-fetch-site": "cross-site"],
            source: source)
        #expect(try await fixture.answer(request).status == 403)
        request.headers["sec-fetch-mode"] = "navigate"
        #expect(try await fixture.answer(request).status == 200)
    }
}
