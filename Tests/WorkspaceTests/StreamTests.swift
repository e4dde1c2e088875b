import ClusterModel
import Testing
import WebServer
import Workspace
import WorkspaceCore

/// Server-Sent Events.
@Suite struct StreamTests {
    @Test func `events are told in order, and nothing after the end`() async throws {
        let (events, source) = AsyncStream.makeStream(of: StreamEvent.self)
        for event in [
            StreamEvent(id: "1-1", .notSeated), StreamEvent(.beat(now: 7)), StreamEvent(id: "1-2", .renew),
            StreamEvent(.end(.loggedOut)), StreamEvent(.beat(now: 8)),
        ] { source.yield(event) }
        let fixture = Fixture()
        fixture.desk.set(.success(OpenedStream(id: StreamID(rawValue: 5), events: events)))
        let endpoint = try #require(Endpoint.all.first { $0.operation == .events })
        var request = Fixture.request(endpoint)
        request.query["after"] = "1-0"
        let answer = try await fixture.answer(request)
        #expect(answer.status == 200 && answer.header("Content-Type") == "text/event-stream")
        guard case .stream(let parts, let closed) = answer.body else {
            Issue.record("it is no stream")
            return
        }
        var text = ""
        for await part in parts { text += String(decoding: part, as: UTF8.self) }
        #expect(
            text == """
                retry: 500

                id: 1-1
                event: state
                data: null

                event: beat
                data: {"now":7}

                id: 1-2
                event: renew
                data: {}

                event: end
                data: {"reason":"logged-out"}


                """)
        #expect(fixture.desk.closedStreams.isEmpty)
        closed()
        #expect(fixture.desk.closedStreams == [StreamID(rawValue: 5)])
        #expect(
            fixture.desk.opened
                == [StreamRequest(.session, proof: SessionProof(token: "token"), source: request.source, after: "1-0")])
    }

    @Test func `texts of callers cannot end an event`() throws {
        var view = Sample.state
        view.calls[0].other = "a\nevent: end\ndata: {}\n\n\u{2028}"
        let text = String(decoding: StreamText.bytes(StreamEvent(.state(view))), as: UTF8.self)
        #expect(text.split(separator: "\n", omittingEmptySubsequences: true).count == 2)
    }
}
