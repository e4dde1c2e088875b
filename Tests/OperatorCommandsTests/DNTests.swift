import ClusterModel
import OperatorCommands
import Orchestration
import Testing

struct DNTests {
    private var since: String { Wording.localTime(milliseconds: claimed.milliseconds) }

    @Test
    func dnInService() {
        let expected = """
            DN 1000: InSrv
            agent type   sip-phone (sip)
            homes        dc1, dc2
            owner        dc1/sip1, since \(since), 4m 05s ago (stamp 1769860555000.7)
            bindings     sip:1000@192.0.2.1:5060 from 192.0.2.1:5060, expires in 4m 59s
            agent        -
            calls        -

            NODE      SHOWS  OWNER IT KNOWS  STAMP
            dc1/sip1  InSrv  dc1/sip1        1769860555000.7
            dc2/sip1  InSrv  dc1/sip1        1769860555000.7

            """
        #expect(DNScreen.rendered(details(.inService), now: now, .plain) == expected)
    }

    @Test
    func dnThatNobodyClaimed() {
        let expected = """
            DN 1000: OOS never-registered
            agent type   sip-phone (sip)
            homes        dc1, dc2
            owner        -
            bindings     -
            agent        -
            calls        -

            NODE      SHOWS                 OWNER IT KNOWS  STAMP
            dc1/sip1  OOS never-registered  -               -
            dc2/sip1  OOS never-registered  -               -

            """
        #expect(DNScreen.rendered(details(.neverRegistered), now: now, .plain) == expected)
    }

    @Test
    func silentOwnerIsNotTakenForInService() {
        let silent = details(.inService, shownElsewhere: .ownerUnreachable, ownerAnswers: false)
        let screen = DNScreen.rendered(silent, now: now, .plain)
        #expect(screen.hasPrefix("DN 1000: OOS everywhere, because its owner, who said InSrv last, cannot be heard\n"))
        #expect(screen.contains("bindings     not known: dc1/sip1 did not answer\n"))
        #expect(screen.contains("dc1/sip1  unknown (ready)        -               -\n"))
    }

    @Test
    func jsonOfADNInService() {
        let expected = """
            {"agent":null,"agentType":"sip-phone","bindings":[{"contact":"sip:1000@192.0.2.1:5060",\
            "expiresInSeconds":299,"source":"192.0.2.1:5060"}],"calls":[],"dn":"1000","expectation":null,"homes":["dc1","dc2"],\
            "owner":"dc1/sip1","phone":"sip","reason":null,"service":"in-service","stamp":"1769860555000.7","views":{\
            "dc1/sip1":{"reason":null,"service":"in-service"},\
            "dc2/sip1":{"reason":"owner-unreachable","service":"out-of-service"}}}

            """
        let cut = details(.inService, shownElsewhere: .ownerUnreachable)
        #expect(JSONOutput.compact(DNDetailsJSON(cut)) == expected)
    }

    @Test
    func jsonOfADNThatNobodyClaimed() {
        let json = JSONOutput.compact(DNDetailsJSON(details(.neverRegistered)))
        #expect(json.contains("\"owner\":null,"))
        #expect(json.contains("\"stamp\":null,"))
        #expect(json.contains("\"reason\":\"never-registered\",\"service\":\"out-of-service\",\"stamp\""))
    }

    @Test
    func jsonOfASilentOwner() {
        let silent = details(.inService, shownElsewhere: .ownerUnreachable, ownerAnswers: false)
        let json = JSONOutput.compact(DNDetailsJSON(silent))
        #expect(json.contains("\"bindings\":[],"))
        #expect(json.contains("\"reason\":null,\"service\":\"in-service\",\"stamp\""))
        #expect(json.contains("\"dc1/sip1\":{\"reason\":null,\"service\":\"unknown\"}"))
    }

    /// During a cut both sides have an owner; the greater claim is the one that will stay.
    @Test
    func greatestClaimCounts() {
        var cut = details(.inService)
        cut.answers[0].report?.owner = "dc2/sip1"
        cut.answers[0].report?.isOwnedHere = true
        cut.answers[0].report?.stamp = Stamp(milliseconds: now, counter: 0)
        cut.answers[0].report?.lastWord = .expired
        let json = JSONOutput.compact(DNDetailsJSON(cut))
        #expect(json.contains("\"owner\":\"dc2/sip1\""))
        #expect(json.contains("\"reason\":\"expired\",\"service\":\"out-of-service\",\"stamp\":\"1769860800000.0\""))
    }

    @Test
    func list() {
        let entries = [
            DNListEntry(
                dn: "1000", owner: "dc1/sip1", stamp: claimed, lastWord: .inService, shown: .inService,
                isOwnedHere: true,
                agentType: "sip-phone"),
            DNListEntry(
                dn: "7001", owner: "", stamp: .zero, lastWord: .neverRegistered, shown: .neverRegistered,
                isOwnedHere: false, agentType: "pstn-phone"),
        ]
        let expected = """
            DN    SERVICE               OWNER     STAMP            AGENT TYPE
            1000  InSrv                 dc1/sip1  1769860555000.7  sip-phone
            7001  OOS never-registered  -         -                pstn-phone

            """
        var widths: [Int] = []
        #expect(DNScreen.list(entries, .plain, widths: &widths) == expected)
        let more = DNScreen.list([entries[1]], .plain, widths: &widths)
        #expect(
            more == "7001  OOS never-registered  -         -                pstn-phone\n", "a later page is aligned")
        let json = """
            {"dns":[
            {"agentType":"sip-phone","dn":"1000","owner":"dc1/sip1","reason":null,"service":"in-service",\
            "stamp":"1769860555000.7"},
            {"agentType":"pstn-phone","dn":"7001","owner":null,"reason":"never-registered",\
            "service":"out-of-service","stamp":null}
            ],"more":true,"after":"7001"}

            """
        let elements = entries.map { DNListJSON.element($0) }.joined(separator: ",\n")
        #expect(DNListJSON.opening + elements + DNListJSON.closing(after: "7001") == json)
        #expect(
            DNListJSON.opening + DNListJSON.closing(after: nil) == "{\"dns\":[\n\n],\"more\":false,\"after\":null}\n")
    }

    @Test
    func listDoesNotTakeASilentOwnersWord() {
        let entry = DNListEntry(
            dn: "1000", owner: "dc1/sip1", stamp: claimed, lastWord: .inService, shown: .ownerUnreachable,
            isOwnedHere: false, agentType: "sip-phone")
        var widths: [Int] = []
        #expect(DNScreen.list([entry], .plain, widths: &widths).contains("1000  OOS owner-unreachable  dc1/sip1"))
        #expect(DNListJSON.element(entry).contains("\"reason\":\"owner-unreachable\",\"service\":\"out-of-service\""))
    }
}

/// A controller with DNs 0 to 9 of which every other one fits, and which looks at three of them for a page.
private struct PagingController {
    var asked: [UInt32] = []

    mutating func list(_ filter: DNFilter) -> DNList {
        asked.append(filter.from)
        var list = DNList()
        let end = min(10, filter.from + 3)
        for position in filter.from..<end where position % 2 == 0 {
            if list.entries.count == Int(filter.limit) {
                list.next = position
                return list
            }
            list.entries.append(
                DNListEntry(
                    dn: "\(position)", owner: "", stamp: .zero, lastWord: .neverRegistered, shown: .neverRegistered,
                    isOwnedHere: false, agentType: "sip-phone", position: position))
        }
        list.next = end < 10 ? end : nil
        return list
    }
}

struct PagingTests {
    private func pages(_ limit: Int?) throws -> (dns: [String], hasMore: Bool) {
        var controller = PagingController()
        var pages = DNPages(filter: DNFilter(), limit: limit)
        var dns: [String] = []
        while let page = try pages.next({ filter in controller.list(filter) }) { dns += page.map(\.dn) }
        return (dns, pages.hasMore)
    }

    @Test
    func allPagesAreRead() throws {
        #expect(try pages(nil) == (["0", "2", "4", "6", "8"], false))
    }

    @Test
    func theLimitHoldsAndIsNotTakenForTheEnd() throws {
        #expect(try pages(1) == (["0"], true))
        #expect(try pages(3) == (["0", "2", "4"], true))
    }

    /// There are DNs after the last one that fits, and none of them fits.
    @Test
    func nothingMoreIsPromisedThatIsNotThere() throws {
        #expect(try pages(5) == (["0", "2", "4", "6", "8"], false))
        #expect(try pages(9) == (["0", "2", "4", "6", "8"], false))
    }
}
