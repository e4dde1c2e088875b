import ClusterModel
import OperatorCommands
import TLibraryPorts
import Testing
import Wire

struct MonitorTests {
    private let time = Wording.localClock(milliseconds: now)

    /// As it comes out of the wire at the client of `dc2/sip1`.
    private func received(_ event: TEvent) throws -> ReceivedEvent {
        var bytes: [UInt8] = []
        let codec = TLibraryCodec(
            cluster: "pair", version: "1",
            nodes: ["dc1/sip1", "dc2/sip1"].map {
                TLibraryCodec.NodeLabel(
                    name: $0, address: .tcp(NetworkAddress(ipv4: 0x7F00_0001, port: 7101)), location: "west")
            })
        codec.encode(event, server: NodeIndex(1), now: Instant(monotonic: 0, wallMilliseconds: now), to: &bytes)
        let payload = Array(bytes.dropFirst(8))
        return try TLibraryCodec.decodeEvent(type: event.type.rawValue, payload.span.bytes)
    }

    private func status(_ dn: String, _ service: Service, owner: NodeIndex = .none) throws -> DNStatus {
        DNStatus(dn: try #require(DN(dn)), view: View(service: service, owner: owner, stamp: claimed))
    }

    private let end = TEvent.endOfSnapshot(FeedPosition(lineage: Incarnation(rawValue: 1), sequence: 4))

    @Test
    func snapshotIsCountedAndShowsWhatIsInService() throws {
        var lines = MonitorLines(showsAll: false)
        let piece = [
            try status("1000", .inService, owner: NodeIndex(0)), try status("1001", .neverRegistered),
        ]
        let entries = lines.lines(for: try received(.status(piece, sequence: nil)))
        #expect(entries.map(\.kind) == [.snapshotEntry])
        #expect(entries.first?.text == "\(time)  EventPrivateInfo       1000    InSrv                   owner dc1/sip1")
        let marker = lines.lines(for: try received(end))
        #expect(marker.map(\.kind) == [.endOfSnapshot])
        #expect(marker.first?.text == "\(time)  EventPrivateInfo       -       end of snapshot: 2 DNs, 1 InSrv  #4")
        lines.begin()
        let empty = lines.lines(for: try received(end))
        #expect(empty.first?.text.hasSuffix("0 DNs, 0 InSrv  #4") == true)
        let snapshot = try received(.status(piece, sequence: nil))
        var all = MonitorLines(showsAll: true)
        #expect(all.lines(for: snapshot).count == 2)
    }

    @Test
    func agentsAndWhatKeepsDNsFromCalls() throws {
        var lines = MonitorLines(showsAll: false)
        var reasons = Reasons()
        let isTaken = reasons.add("why", "lunch")
        let session = AgentSession(
            agent: try #require(AgentID("ann")), state: .notReady, workMode: .auxWork, reasons: reasons, login: claimed,
            stamp: claimed)
        let dn = try #require(DN("1000"))
        let event = AgentEvent(kind: .notReady, dn: dn, session: session, owner: NodeIndex(0))
        let told = lines.lines(for: try received(.agent(event, referenceID: nil, sequence: 6)))
        let text = "\(time)  EventAgentNotReady     1000    agent ann, aux-work, why=lunch, site=west  #6"
        #expect(isTaken && told.map(\.text) == [text])
        let json = JSONOutput.compact(try #require(told.first).json)
        #expect(json.contains(#""agent":"ann""#) && json.contains(#""reasons":{"site":"west","why":"lunch"}"#))
        let view = View(
            service: .inService, owner: NodeIndex(0), stamp: claimed, occupancy: [.busy, .reserved], agent: session)
        let status = lines.lines(for: try received(.serviceChanged(DNStatus(dn: dn, view: view), sequence: 7)))
        let words = "InSrv                   owner dc1/sip1, ann not ready, busy, reserved  #7"
        #expect(status.map(\.text) == ["\(time)  EventDNBackInService   1000    " + words])
        #expect(status.first?.json.agentState == "not-ready")
    }

    @Test func `calls at routing points are told with what has become of them`() throws {
        var lines = MonitorLines(showsAll: false)
        let point = try #require(DN("8000"))
        let call = CallConnection(rawValue: 0xAB)
        let waiting = PointEvent(.waiting, call, at: point, time: now - 12_000)
        let present = lines.lines(for: try received(.point(waiting, sequence: nil)))
        #expect(present.map(\.kind) == [.snapshotEntry])
        let words = "\(time)  EventQueued            8000    call 00000000000000ab waiting, after 12s"
        #expect(present.map(\.text) == [words])
        let answered = PointEvent(
            .answered, call, at: point, waited: 15_000, time: now, destination: DN("1001"))
        let taken = lines.lines(for: try received(.point(answered, sequence: 6)))
        #expect(
            taken.map(\.text) == [
                "\(time)  EventDiverted          8000    call 00000000000000ab answered by 1001, after 15s  #6"
            ])
        #expect(taken.map(\.kind) == [.change])
        let json = JSONOutput.compact(try #require(taken.first).json)
        #expect(json.contains(#""connection":"00000000000000ab""#) && json.contains(#""outcome":"answered""#))
        #expect(json.contains(#""destination":"1001""#) && json.contains(#""waitedMilliseconds":15000"#))
        let defaulted = PointEvent(.defaulted, call, at: point, waited: 20_000, time: now, destination: DN("1900"))
        #expect(
            lines.lines(for: try received(.point(defaulted, sequence: 7))).first?.text.hasSuffix(
                "call 00000000000000ab defaulted, to 1900, after 20s  #7") == true)
    }

    @Test
    func changes() throws {
        var lines = MonitorLines(showsAll: false)
        let gone = TEvent.serviceChanged(try status("1000", .expired, owner: NodeIndex(0)), sequence: 5)
        let changed = lines.lines(for: try received(gone))
        let text = "\(time)  EventDNOutOfService    1000    OOS expired             owner dc1/sip1  #5"
        #expect(changed.map(\.text) == [text])
        let json = """
            {"agent":null,"agentState":null,"connection":null,"destination":null,"dn":"1000","event":"EventDNOutOfService",\
            "info":null,"outcome":null,"owner":"dc1/sip1","reason":"expired","reasons":null,"sequence":5,"server":"dc2/sip1","service":"out-of-service",\
            "snapshotDNs":null,"snapshotInService":null,"stamp":"1769860555000.7","timeMilliseconds":1769860800000,\
            "waitedMilliseconds":null,"workMode":null}

            """
        #expect(changed.map { JSONOutput.compact($0.json) } == [json])
        let cut = lines.lines(for: try received(.linkDisconnected(NodeIndex(0))))
        #expect(cut.map(\.text) == ["\(time)  EventLinkDisconnected  -       link to dc1/sip1 disconnected"])
        let hint = lines.lines(for: try received(.ownerHint(dn: try #require(DN("7001")), owner: NodeIndex(0))))
        let hinted = "\(time)  EventPrivateInfo       7001    owner dc1/sip1 serves the DN at tcp:127.0.0.1:7101"
        #expect(hint.map(\.text) == [hinted])
        let lost = lines.lines(for: try received(.ownerUnreachable(NodeIndex(0), sequence: 6)))
        let lostText =
            "\(time)  EventPrivateInfo       -       owner dc1/sip1 unreachable: its DNs are OOS here  #6"
        #expect(lost.map(\.text) == [lostText])
        #expect(lost.map(\.kind) == [.change])
    }
}
