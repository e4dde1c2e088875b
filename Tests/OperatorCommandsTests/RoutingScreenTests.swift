import ClusterModel
import OperatorCommands
import Orchestration
import Testing

/// Routing points and routers' choices on the screens.
@Suite struct RoutingScreenTests {
    private func status() -> ClusterStatus {
        var status = healthyStatus()
        for position in status.nodes.indices {
            var sales = PointReport("8000")
            (sales.present, sales.arrived, sales.routed, sales.answered) = (1, 9, 8, 5)
            (sales.abandoned, sales.defaulted, sales.refused, sales.routers) = (2, 3, 1, 2)
            status.nodes[position].report?.points = [sales, PointReport("900")]
        }
        return status
    }

    @Test func `the status has a row for each routing point with calls, and a line for the others`() {
        let screen = StatusScreen.rendered(status(), .plain)
        let expected = """
            DNs: 1 InSrv, 9 OOS

            ROUTING POINT  PRESENT  ARRIVED  ROUTED  ANSWERED  ABANDONED  DEFAULTED  REFUSED  ROUTERS
            8000                 2       18      16        10          4          6        2        4
            Routing point without calls: 900 (0 routers)

            """
        #expect(screen.hasSuffix(expected), "\(screen)")
        #expect(!StatusScreen.rendered(healthyStatus(), .plain).contains("outing point"))
    }

    @Test func `where calls overflow there is a column for it`() {
        var point = PointReport("8000")
        (point.arrived, point.overflowed, point.defaulted) = (9, 5, 4)
        let lines = PointScreen.rendered([point], .plain).split(separator: "\n").map { $0.split(separator: " ") }
        #expect(lines[0].suffix(5) == ["ABANDONED", "OVERFLOWED", "DEFAULTED", "REFUSED", "ROUTERS"])
        #expect(lines[1] == ["8000", "0", "9", "0", "0", "0", "5", "4", "0", "0"])
    }

    @Test func `of many routing points those with callers are shown`() {
        let points = (0..<20).map { number in
            var point = PointReport("80\(10 + number)")
            (point.arrived, point.present) = (1, number == 19 ? 1 : 0)
            return point
        }
        let screen = PointScreen.rendered(points, .plain)
        #expect(screen.split(separator: "\n").count == 14)
        #expect(screen.contains("8029") && screen.contains("and 8 more; `tandem status --json` has all"))
        let idle = (0..<20).map { PointReport("80\(10 + $0)") }
        #expect(PointScreen.rendered(idle, .plain).hasSuffix("8021 (0 routers) and 8 more\n"))
    }

    @Test func `JSON has all routing points, sorted`() {
        let json = JSONOutput.compact(StatusJSON(status()))
        let expected = """
            "routingPoints":[{"abandoned":0,"answered":0,"arrived":0,"defaulted":0,"number":"900","overflowed":0,"present":0,"refused":0,\
            "routed":0,"routers":0},{"abandoned":4,"answered":10,"arrived":18,"defaulted":6,"number":"8000",\
            "overflowed":0,"present":2,"refused":2,"routed":16,"routers":4}]
            """
        #expect(json.contains(expected), "\(json)")
        #expect(JSONOutput.compact(StatusJSON(healthyStatus())).contains(#""routingPoints":[]"#))
    }

    private func candidate(_ agent: String, _ state: String, _ whyNot: String) -> RouteCandidate {
        var candidate = RouteCandidate()
        (candidate.agent, candidate.dn, candidate.state, candidate.whyNot) = (agent, "1001", state, whyNot)
        (candidate.location, candidate.since) = ("west", now - 12_000)
        return candidate
    }

    private func answers() -> RouteAnswers {
        var first = RouteAnswer()
        (first.router, first.dataCenter, first.location) = ("dc1/router1", "dc1", "west")
        first.chosen = candidate("ann", "ready", "")
        first.others = [candidate("bob\u{1B}[31m", "not-ready", "not-ready")]
        first.others[0].since = 0
        var second = RouteAnswer()
        (second.router, second.dataCenter) = ("dc2/router1", "dc2")
        var third = RouteAnswer()
        third.dataCenter = "dc3"
        var answers = RouteAnswers()
        answers.routingPoint = "8000"
        answers.answers = [first, second, third]
        return answers
    }

    @Test func `whom routers would choose is a sentence and a table for each data center`() {
        let expected = """
            A call to 8000 at dc1 (west) would go to ann on 1001, as dc1/router1 has it.
            AGENT     DN    STATE      FOR  LOCATION  WHY NOT
            ann       1001  ready      12s  west      -
            bob\u{FFFD}[31m  1001  not-ready    -  west      not-ready

            A call to 8000 at dc2 would wait for an agent, as dc2/router1 has it.
            No agent is known to it.

            A call to 8000 at dc3 is not told of, as no router of it answers.

            """
        #expect(RouteScreen.rendered(answers(), now: now, .plain) == expected)
        var near = answers()
        near.answers[0].afterOverflow = near.answers[0].chosen
        near.answers[0].chosen = nil
        let later = "would wait for an agent of its location, and after the overflow time go to ann on 1001"
        #expect(RouteScreen.rendered(near, now: now, .plain).contains(later))
    }

    @Test func `JSON has the same`() {
        let json = JSONOutput.compact(RoutesJSON(answers()))
        let expected = """
            {"afterOverflow":null,"chosen":{"agent":"ann","dn":"1001","lacks":null,"location":"west",\
            "since":"2026-01-31T11:59:48.000Z","state":"ready","whyNot":null},"dataCenter":"dc1","location":"west","others":[
            """
        #expect(json.hasPrefix(#"{"answers":["# + expected), "\(json)")
        #expect(json.contains(#""since":null,"state":"not-ready","whyNot":"not-ready""#))
        var unskilled = answers()
        unskilled.answers[0].others[0].whyNot = "unskilled"
        unskilled.answers[0].others[0].lacks = "english:5"
        #expect(RouteScreen.rendered(unskilled, now: now, .plain).contains("west      lacks english:5\n"))
        let other = JSONOutput.compact(RoutesJSON(unskilled))
        #expect(other.contains(#""lacks":"english:5""#) && other.contains(#""whyNot":"unskilled""#))
        #expect(json.hasSuffix(#""others":[],"router":null}],"routingPoint":"8000"}"# + "\n"))
    }

    private func reach(_ details: DNDetails) -> String { DNExplanation(details, status: healthyStatus()).reachPart }

    @Test func `a DN's explanation ends in the nodes that calls can come from`() {
        #expect(reach(details(.inService)) == "Can take calls from: dc1/sip1, dc2/sip1")
        let cut = details(.inService, shownElsewhere: .ownerUnreachable)
        #expect(reach(cut) == "Can take calls from: dc1/sip1")
        #expect(reach(details(.expired)) == "Can take calls from: nobody, as it is out of service (expired)")
        let silent = details(.inService, shownElsewhere: .ownerUnreachable, ownerAnswers: false)
        #expect(
            reach(silent)
                == "Can take calls from: nobody, as no node that answers has a live link to its owner dc1/sip1")
        var nobody = details(.inService)
        for position in nobody.answers.indices { nobody.answers[position].report = nil }
        #expect(reach(nobody) == "Can take calls from: not known, as no node answered")
    }

    @Test func `present calls stand in a DN's explanation and on its screen`() {
        var busy = details(.inService)
        let call = DNCall(
            connection: CallConnection(rawValue: 0xAB), phase: .established, since: now - 12_000, other: "+15551230001",
            routingPoint: DN("8000"))
        for position in busy.answers.indices { busy.answers[position].report?.calls = [call] }
        let explanation = DNExplanation(busy, status: healthyStatus())
        let sentence = "In a call with +15551230001, established for 12s, by way of 8000."
        #expect(explanation.callPart(now: now) == [sentence])
        #expect(explanation.rendered(now: now, .plain).contains("\n\(sentence)\nNo agent is logged in"))
        let screen = DNScreen.rendered(busy, now: now, .plain)
        #expect(screen.contains("\ncalls        in a call with +15551230001, established for 12s, by way of 8000\n"))
        let json = JSONOutput.compact(DNDetailsJSON(busy))
        let expected = """
            "calls":[{"connection":"00000000000000ab","isCaller":false,"other":"+15551230001","routingPoint":"8000",\
            "since":"2026-01-31T11:59:48.000Z","state":"established"}]
            """
        #expect(json.contains(expected), "\(json)")
    }
}
