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
            "expiresInSeconds":299,"source":"192.0.2.1:5060"}],"dn":"1000","homes":["dc1","dc2"],"owner":"dc1/sip1",\
            "phone":"sip","reason":null,"service":"in-service","stamp":"1769860555000.7","views":{\
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
        #expect(DNScreen.list(entries, .plain) == expected)
        let json = """
            {"dns":[{"agentType":"sip-phone","dn":"1000","owner":"dc1/sip1","reason":null,"service":"in-service",\
            "stamp":"1769860555000.7"},{"agentType":"pstn-phone","dn":"7001","owner":null,"reason":"never-registered",\
            "service":"out-of-service","stamp":null}],"more":true}

            """
        #expect(JSONOutput.compact(DNListJSON(entries, more: true)) == json)
    }
}
