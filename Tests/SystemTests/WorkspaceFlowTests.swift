import AgentSessions
import ClusterModel
import LinuxSystem
import Orchestration
import TLibrary
import TLibraryPorts
import Testing
import Wire

/// A PSTN agent's day at a browser, with real parts: Chromium, two workspaces, four nodes, and SIPp as the telephone network.
@Suite(.serialized) struct WorkspaceFlowTests {
    /// The words that nobody who is signed in wants to see.
    private func expectUntroubled(_ page: Browser) throws {
        let seen = try #require(try page.recorded(), "the page was loaded anew")
        #expect(!seen.contains { $0.element == "signInHeading" && !$0.text.isEmpty }, "\(seen)")
        #expect(!seen.contains { $0.element == "alarm" && $0.text.contains("out of service") }, "\(seen)")
    }

    @Test func `an agent signs in, takes a call, loses her workspace twice, and goes on until she signs out`() throws {
        let cluster = try TestCluster.workspaces()
        let east = try AgentWatcher(cluster, "dc2/sip2")
        let page = try Browser(cluster)
        try page.open(Workspace.west.url)
        try page.wait("the page asks who is there", "signInHeading", .visible)
        try page.screenshot("1-sign-in")
        try page.signIn("ann", "not her password", fails: true)
        try page.signIn("ann", Account.ann.password)
        try page.wait("it asks for a line", "lineHeading", .text("Choose your line"))
        try page.screenshot("2-line")

        // Choosing the line is what puts it in service, in the other data center, too.
        try page.choose("7001")
        try east.waitUntil("7001 is in service") { east.statuses["7001"]?.service == .inService }
        try page.wait("she is not ready yet", "stateWord", .text("Not ready"))
        try page.click("ready")
        try page.wait("she is ready", "stateWord", .text("Ready"))
        try east.waitUntil("ann is ready") { east.isReady("7001") && "\(east.agent("7001")!.agentID)" == "ann" }
        try page.screenshot("3-ready")

        try takesCall(page, east, cluster)
        try losesWorkspaceThatComesBack(page, cluster)
        try losesWorkspaceForAnother(page, cluster)
        try goesAway(page, east, cluster)
    }

    private func takesCall(_ page: Browser, _ east: AgentWatcher, _ cluster: TestCluster) throws {
        try cluster.awaitAgents(1)
        try page.record("stateWord")
        let call = try cluster.routedCall(talk: 2_500)
        try page.wait("it rings", "stateWord", .text("Ringing"))
        try page.wait("who calls", "#calls .other", .text("+4930123"))
        #expect(try page.text(of: "calls")?.contains("for 8000") == true)
        try page.wait("it is said aloud", "alarm", .contains("Incoming call from +4930123"))
        try page.screenshot("4-ringing")
        try page.wait("she talks", "stateWord", .text("In a call"))
        try page.wait("the call is there", "#calls .other", .text("+4930123"))
        try page.screenshot("5-talking")
        try page.wait("her work after the call", "stateWord", .text("After-call work"))
        try page.wait("how long it is", "stateTimer", .matches("^ends in 0:0[0-3]$"))
        try page.wait("no call is left", "noCalls", .visible)
        try page.screenshot("6-after-call-work")
        try page.wait("it ends by itself", "stateWord", .text("Ready"))
        try call.end()
        let words = try #require(try page.recorded()).map(\.text)
        #expect(
            words.filter { $0 != "Call on its way" }
                == ["Ready", "Ringing", "In a call", "After-call work", "Ready"])
        try east.waitUntil("the same is known in the east") {
            east.heard.contains { $0.type == .eventReleased } && east.isReady("7001")
        }
        let heard = east.heard.filter { $0.call != nil }
        #expect(heard.map(\.type) == [.eventRinging, .eventEstablished, .eventReleased])
        #expect(heard.allSatisfy { $0.thisDN == "7001" && $0.call?.other == "+4930123" })
    }

    /// In the middle of a call, and it is back at the same address before anybody looks elsewhere.
    private func losesWorkspaceThatComesBack(_ page: Browser, _ cluster: TestCluster) throws {
        let call = try cluster.routedCall(ring: 500, talk: 6_000, caller: "+4930456")
        try page.wait("she talks", "stateWord", .text("In a call"))
        try page.record("health", "alarm", "signInHeading", "stateWord")
        try cluster.kill(.west)
        try page.waitUntilRecorded("it is looked for", "health", contains: "Reconnecting")
        try page.wait("it is back", "health", .text("Connected"))
        try page.wait("the call is still there", "#calls .other", .text("+4930456"))
        try expectUntroubled(page)
        try page.wait("the call ends as calls do", "stateWord", .text("After-call work"))
        try page.wait("she is ready", "stateWord", .text("Ready"))
        try call.end()
        #expect(try page.url == Workspace.west.url + "/")
    }

    /// Nobody answers at its address any more: the page goes on at the workspace of the other data center.
    private func losesWorkspaceForAnother(_ page: Browser, _ cluster: TestCluster) throws {
        try page.record("alarm", "signInHeading")
        try cluster.sandbox.refuse(port: Workspace.west.port)
        try cluster.kill(.west)
        try page.wait("how long there is", "left", .contains("Your line stays in service for"))
        try page.screenshot("7-reconnecting")
        try page.wait("it is elsewhere", seconds: 20, script: "return location.host === '127.0.0.2:8082'")
        try page.wait("she is connected", "health", .text("Connected"))
        try page.wait("she has her line", "lineName", .text("Line 7001"))
        try page.wait("she is ready", "stateWord", .text("Ready"))
        // No ticket is left in the address.
        #expect(try page.url == Workspace.east.url + "/")
        try page.screenshot("8-moved")
        try cluster.sandbox.heal()
        try cluster.waitUntil("the lost one is back") { $0.isHealthy }
    }

    private func goesAway(_ page: Browser, _ east: AgentWatcher, _ cluster: TestCluster) throws {
        // A call comes to her there as it did before.
        let call = try cluster.routedCall(ring: 500, talk: 500, caller: "+4930789")
        try page.wait("she talks", "#calls .other", .text("+4930789"))
        try page.wait("her work after the call", "stateWord", .text("After-call work"))
        try call.end()
        try page.becomeNotReady(because: "lunch")
        try page.screenshot("9-not-ready")
        try east.wait("why") { $0.type == .eventAgentNotReady && $0.reasons.contains { $0.value == "lunch" } }
        let agents = try cluster.tandem("agents")
        let row = try #require(agents.split(separator: "\n").first { $0.contains("7001") })
        #expect(row.contains("not-ready") && row.contains("reason=lunch"), "\(agents)")
        // With all that was lost, the line was in service all the time.
        east.expectNoLoss()

        try page.click("signOut")
        try page.wait("she is signed out", "signInHeading", .visible)
        try page.wait("it says so", "alarm", .text("You are signed out."))
        try cluster.awaitService("7001", .unregistered)
        try east.wait("it is out of service") { $0.type == .eventDNOutOfService && $0.thisDN == "7001" }
        // Who loads the page anew, at either workspace, is nobody.
        for workspace in [Workspace.east, .west] {
            try page.open(workspace.url)
            try page.wait("the page asks who is there", "signInHeading", .visible)
        }
        #expect(try cluster.status().isHealthy)
    }
}
