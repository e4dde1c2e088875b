import ClusterModel
import OperatorCommands
import Orchestration
import Testing

struct ExplanationTests {
    private func closing(_ details: DNDetails, _ status: ClusterStatus = healthyStatus()) -> String {
        DNExplanation(details, status: status).closing
    }

    @Test
    func inService() {
        #expect(closing(details(.inService)) == "DN 1000 can take a call now, whichever node the call arrives at.")
    }

    @Test
    func inServiceOnOneSideOfACut() {
        let expected =
            "DN 1000 can take a call now when it arrives at dc1/sip1, and not at dc2/sip1, which cannot hear the owner "
            + "dc1/sip1; `tandem links` shows why."
        #expect(closing(details(.inService, shownElsewhere: .ownerUnreachable)) == expected)
    }

    @Test
    func silentOwner() {
        let expected =
            "DN 1000 cannot take a call now: its owner dc1/sip1 cannot be heard by dc2/sip1; see `tandem nodes` and `tandem "
            + "links`, or let its phone register at sip:127.0.0.1:5072 (dc2/sip1) to give it another owner."
        let silent = details(.inService, shownElsewhere: .ownerUnreachable, ownerAnswers: false)
        #expect(closing(silent) == expected)
    }

    @Test
    func nobodyAnswers() {
        var silent = details(.inService)
        silent.answers = silent.answers.map { DNAnswer(node: $0.node, state: "starting", report: nil) }
        let expected =
            "Whether DN 1000 can take a call is not known, because no node answered; look at `tandem nodes`."
        #expect(closing(silent) == expected)
    }

    private static let register = "let its phone register at sip:127.0.0.1:5071 (dc1/sip1)"
    private static let logIn =
        "let its agent log in, which sends TRegisterAddress to a node such as dc1/sip1 (tcp:127.0.0.1:7101)"

    @Test(arguments: [
        (Service.neverRegistered, "no phone has registered for it yet; \(register)."),
        (.unregistered, "its phone has unregistered at dc1/sip1; \(register)."),
        (
            .expired,
            "the registration of its phone at dc1/sip1 ran out without a refresh; check that the phone is on and has a "
                + "network, and \(register)."
        ),
        (
            .flowLost,
            "the connection between its phone and dc1/sip1 broke; check the phone's network, and \(register)."
        ),
        (
            .restarted,
            "its owner dc1/sip1 restarted and no longer has the registration; wait for the phone's next refresh, or "
                + "\(register)."
        ),
        (
            .draining,
            "its owner dc1/sip1 is being drained; let its phone register at sip:127.0.0.1:5072 (dc2/sip1)."
        ),
        (
            .superseded,
            "it is moving to another owner than dc1/sip1 at this moment; ask again, and if it stays so, \(register)."
        ),
    ])
    func reasonsOfSIPPhones(reason: Service, cause: String) {
        #expect(closing(details(reason)) == "DN 1000 cannot take a call now: \(cause)")
    }

    @Test(arguments: [
        (Service.neverRegistered, "no agent has logged in with it yet; \(logIn)."),
        (.unregistered, "its agent has logged out at dc1/sip1; \(logIn)."),
        (.desktopGone, "the desktop that was connected to dc1/sip1 for it is gone; \(logIn)."),
    ])
    func reasonsOfPSTNPhones(reason: Service, cause: String) {
        #expect(closing(details(reason, phone: "pstn")) == "DN 1000 cannot take a call now: \(cause)")
    }

    @Test
    func adviceNamesANodeThatIsReadyInAHome() {
        var homeless = details(.neverRegistered)
        homeless.homes = ["dc2"]
        #expect(closing(homeless).hasSuffix("at sip:127.0.0.1:5072 (dc2/sip1)."))
        var anywhere = details(.neverRegistered)
        anywhere.homes = []
        #expect(closing(anywhere).hasSuffix("at sip:127.0.0.1:5071 (dc1/sip1)."))
        var status = healthyStatus()
        status.nodes[1].state = .backingOff
        #expect(closing(anywhere, status).hasSuffix("at sip:127.0.0.1:5072 (dc2/sip1)."))
    }

    @Test
    func screen() {
        let since = Wording.localTime(milliseconds: claimed.milliseconds)
        let expected = """
            DN 1000 is a sip phone of type sip-phone.
            dc1/sip1 owns it since \(since), 4m 05s ago.
            Its owner says InSrv, and has 1 binding:
              sip:1000@192.0.2.1:5060 from 192.0.2.1:5060, expires in 4m 59s

            NODE      SHOWS  OWNER IT KNOWS  STAMP
            dc1/sip1  InSrv  dc1/sip1        1769860555000.7
            dc2/sip1  InSrv  dc1/sip1        1769860555000.7

            DN 1000 can take a call now, whichever node the call arrives at.
            No agent is logged in on it, so no call is routed to it; a desktop logs an agent in with TAgentLogin, at any node's \
            T-Controller port.
            The topology lets it register in dc1 and dc2, the first one preferred.
            Can take calls from: dc1/sip1, dc2/sip1

            """
        let explanation = DNExplanation(details(.inService), status: healthyStatus())
        #expect(explanation.rendered(now: now, .plain) == expected)
        #expect(
            JSONOutput.compact(explanation.json(now: now)).contains(
                "\"canTakeCall\":true,\"canTakeCallsFrom\":[\"dc1/sip1\",\"dc2/sip1\"],\"details\":{\"agent\":null,")
        )
    }

    @Test
    func topologyLinksAndFindings() {
        var hidden = details(.inService, shownElsewhere: .ownerUnreachable)
        hidden.homes = ["dc1"]
        hidden.expectation = "in-service 08:00-18:00"
        hidden.generation = 4
        hidden.answers[0].report?.exceptions = [
            DNException(.ownerGone, DN("1000")!, node: "", detail: "owner dc1/sip1", milliseconds: 65_000),
            DNException(.ownerGone, DN("1000")!, node: "", detail: "again", milliseconds: 1),
        ]
        var status = healthyStatus()
        status.nodes[0].report!.generation = 3
        status.nodes[0].report!.links[0].state = "down"
        status.nodes[0].report!.links[0].lastProblem = "no word for 2 s"
        status.nodes[1].report!.generation = 4
        let explanation = DNExplanation(hidden, status: status)
        #expect(
            explanation.topologyPart
                == "The topology, generation 4, lets it register in dc1; it is expected in-service 08:00-18:00. dc2/sip1 "
                + "runs generation 3; `tandem plan` shows what is left to be done.")
        #expect(
            explanation.linkPart == [
                "The link from dc2/sip1 to dc1/sip1 is down, and was heard last 120ms ago: no word for 2 s."
            ])
        #expect(explanation.findings.map(\.kind.word) == ["dn-owner-gone"])
        #expect(
            explanation.rendered(now: now, .plain).hasSuffix(
                "\nwarning DN 1000 is out of service: its owner has been gone for longer than the grace [dn-owner-gone]: "
                    + "1000 at dc2/sip1, owner dc1/sip1, for 1m 05s. In service again when the phone registers at another "
                    + "node; bring the owner back, or remove it from the topology; `tandem nodes`\n"))
    }
}
