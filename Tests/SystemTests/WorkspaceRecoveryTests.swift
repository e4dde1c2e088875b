import AgentSessions
import ClusterModel
import LinuxSystem
import Orchestration
import TLibraryPorts
import Testing
import Wire

/// What agents at browsers notice of whatever is lost, restarted or changed: as little as can be, and nothing untrue.
@Suite(.serialized) struct WorkspaceRecoveryTests {

    /// An agent who sits at line 7001, ready, and a seat in the other data center that hears of it.
    private struct Desk {
        let cluster: TestCluster
        let page: Browser
        let east: AgentWatcher

        init(_ cluster: TestCluster) throws {
            self.cluster = cluster
            page = try Browser(cluster)
            try page.signIn(.ann, at: .west)
            try page.choose("7001")
            try page.click("ready")
            try page.wait("she is ready", "stateWord", .text("Ready"))
            east = try AgentWatcher(cluster, "dc2/sip2")
            try east.waitUntil("so it is known in the east") { east.isReady("7001") }
        }

        /// Keeps what is shown from now on.
        func record() throws { try page.record("stateWord", "health", "alarm", "signInHeading") }

        /// The texts of one of them since then.
        func texts(of element: String) throws -> [String] {
            try #require(try page.recorded(), "the page was loaded anew").filter { $0.element == element }.map(\.text)
        }

        /// She has remained ready and signed in, and nobody has said that she had not.
        func expectNoBlink() throws {
            #expect(try texts(of: "stateWord") == ["Ready"])
            #expect(try texts(of: "alarm") == [""])
            #expect(try texts(of: "signInHeading") == [""])
            try hearAll()
            east.expectNoLoss()
        }

        /// Reads on until something comes that is caused here.
        func hearAll() throws {
            let before = east.heard.count
            try page.becomeNotReady(because: "break")
            try east.waitUntil("she has a break") {
                east.heard.dropFirst(before).contains { $0.type == .eventAgentNotReady }
            }
            try page.click("ready")
            try page.wait("she is ready", "stateWord", .text("Ready"))
        }

        /// The node that has the line.
        var owner: String {
            get throws { try #require(try cluster.details("7001").authority).owner }
        }
    }

    // MARK: What people do

    @Test func `a page that is loaded anew in the middle of a call goes on`() throws {
        let desk = try Desk(TestCluster.workspaces())
        let page = desk.page
        try desk.cluster.awaitAgents(1)
        let call = try desk.cluster.routedCall(ring: 500, talk: 5_000)
        try page.wait("she talks", "stateWord", .text("In a call"))
        try page.wait("for more than a second", "#calls .timer", .matches("0:0[1-9]"))
        try page.reload()
        try page.wait("the call is there", "#calls .other", .text("+4930123"))
        try page.wait("since it began", "#calls .timer", .matches("0:0[1-9]"))
        #expect(try page.text(of: "stateWord") == "In a call")
        try page.wait("her work after the call", "stateWord", .text("After-call work"))
        try page.reload()
        try page.wait("it goes on", "stateTimer", .matches("^ends in 0:0[0-3]$"))
        try page.wait("and ends", "stateWord", .text("Ready"))
        try call.end()
        try desk.hearAll()
        desk.east.expectNoLoss()
    }

    @Test func `tabs show the same, whoever changes it, and the fifth sends the first one away`() throws {
        let desk = try Desk(TestCluster.workspaces())
        let page = desk.page
        var tabs = [try page.tab]
        func open() throws {
            tabs.append(try page.openTab())
            try page.open(Workspace.west.url)
            try page.wait("it has the line", "lineName", .text("Line 7001"))
            try page.wait("it is connected", "health", .text("Connected"))
        }
        func expectEverywhere(_ word: String) throws {
            for tab in tabs {
                try page.go(to: tab)
                try page.wait("so it is in each tab", "stateWord", .text(word))
            }
        }
        try open()
        try page.becomeNotReady(because: "meeting")
        try expectEverywhere("Not ready: meeting")
        try page.go(to: tabs[0])
        try page.click("wrapUp")
        try expectEverywhere("After-call work")
        try desk.cluster.tandem("agent", "ready", "7001")
        try expectEverywhere("Ready")
        for _ in 3...5 { try open() }
        let first = tabs.removeFirst()
        try page.go(to: first)
        try page.wait("it says why", "tabView", .contains("you have opened four others"))
        try page.wait("it can go on", "useTab", .enabled)
        try page.closeTab()
        for tab in tabs {
            try page.go(to: tab)
            #expect(try page.text(of: "health") == "Connected")
        }
        try page.becomeNotReady(because: "lunch")
        try expectEverywhere("Not ready: lunch")
        // Another line is one for all of them.
        try page.click("changeLine")
        try page.wait("it is left", "lineHeading", .visible)
        for tab in tabs {
            try page.go(to: tab)
            try page.wait("it asks for a line", "lineHeading", .visible)
        }
        try desk.cluster.awaitService("7001", .unregistered)
        try page.choose("7001")
        for tab in tabs {
            try page.go(to: tab)
            try page.wait("it has the line", "lineName", .text("Line 7001"))
        }
        try page.click("signOut")
        try page.wait("she has gone", "signInHeading", .visible)
        for tab in tabs {
            try page.go(to: tab)
            try page.wait("nobody is signed in", "signInHeading", .visible)
            try page.wait("it says so", "alarm", .text("You are signed out."))
        }
        try desk.cluster.awaitService("7001", .unregistered)
    }

    @Test func `an account that has another password is signed out`() throws {
        let desk = try Desk(TestCluster.workspaces())
        let page = desk.page
        var ann = Account.ann
        ann.password = Account.ben.password
        ann.hash = Account.ben.hash
        try Files.writeAtomically(
            Array(Account.file([ann, .ben]).utf8), to: desk.cluster.directory + "/credentials.yaml", mode: 0o600)
        try desk.cluster.controller.send(.hangup)
        try page.wait("she is signed out", "signInHeading", .visible)
        try page.wait("it says why", "alarm", .text("Your account has changed. Sign in again."))
        try desk.cluster.awaitService("7001", .unregistered)
        try page.signIn("ann", Account.ann.password, fails: true)
        try page.signIn("ann", ann.password)
        try page.choose("7001")
        try desk.cluster.awaitService("7001", .inService)
    }

    // MARK: What networks do

    private func cutWorkspaces(_ cluster: TestCluster) throws {
        for workspace in [Workspace.west, .east] { try cluster.sandbox.cutSilently(port: workspace.port) }
    }

    @Test func `a network that is away for a moment is not noticed, a longer while is counted down, and told as it is`()
        throws
    {
        let desk = try Desk(TestCluster.workspaces("desktopGrace: 8s"))
        let (cluster, page, east) = (desk.cluster, desk.page, desk.east)
        try desk.record()
        try cutWorkspaces(cluster)
        // Three seconds by the page's own clock, which goes on.
        try page.evaluate("setTimeout(() => { window.threeSecondsLater = true }, 3000)")
        try page.wait("3 s", script: "return window.threeSecondsLater")
        try cluster.sandbox.heal()
        try desk.expectNoBlink()

        try page.record("left", "alarm", "signInHeading")
        try cutWorkspaces(cluster)
        try page.wait("how long there is", "left", .matches("stays in service for [1-4] seconds? more"))
        try page.screenshot("network-lost")
        try page.wait("the page does not say more than it knows", "alarm", .contains("Your line is out of service."))
        let told = try desk.texts(of: "left").filter { !$0.isEmpty }
        #expect(told.count >= 2 && Set(told).count == told.count, "\(told)")
        try page.wait("nor of the agent", "stateWord", .text("Out of service"))
        // The cluster says it later than the page, never sooner.
        #expect(try cluster.details("7001").authority?.lastWord == .inService)
        try east.wait("the line is out of service", seconds: 20) { $0.type == .eventDNOutOfService }
        try page.screenshot("line-lost")
        try cluster.sandbox.heal()
        try page.wait("it is back", seconds: 20, "health", .text("Connected"))
        try page.wait("she is ready as she was", "stateWord", .text("Ready"))
        try east.wait("the line is back") { $0.type == .eventDNBackInService && $0.thisDN == "7001" }
        // Perhaps at the other workspace, which may have been there first; nobody has been asked to sign in.
        #expect(try page.text(of: "alarm") == "")
    }

    @Test func `from a workspace that is silent the page goes to the other, and the line stays in service`() throws {
        let desk = try Desk(TestCluster.workspaces())
        let page = desk.page
        try desk.cluster.sandbox.cutSilently(port: Workspace.west.port)
        try page.wait("it is elsewhere", seconds: 20, script: "return location.host === '127.0.0.2:8082'")
        try page.wait("she is ready", "stateWord", .text("Ready"))
        try page.wait("she is connected", "health", .text("Connected"))
        try desk.cluster.sandbox.heal()
        // The former workspace has no page any more; that it lets go of the line changes nothing.
        try desk.cluster.waitUntil("one of them holds it", seconds: 40) { _ in
            try desk.cluster.details("7001").answers.contains { $0.report?.desktops == 1 }
        }
        try desk.hearAll()
        desk.east.expectNoLoss()
    }

    // MARK: What nodes do

    @Test func `the owner of a line is lost, and the line is back without the agent`() throws {
        let desk = try Desk(TestCluster.workspaces())
        let (page, east) = (desk.page, desk.east)
        try page.record("signInHeading")
        try desk.cluster.worker(desk.owner).send(.kill)
        try east.wait("its link is lost") { $0.type == .eventLinkDisconnected }
        try east.waitUntil("the line is back") { east.statuses["7001"]?.service == .inService }
        try page.wait("she is ready", "stateWord", .text("Ready"))
        try page.wait("nothing is amiss", "alarm", .hidden)
        try page.wait("she is connected", "health", .text("Connected"))
        try desk.hearAll()
        #expect(!east.heard.contains { $0.type == .eventAgentLogout })
        #expect(try desk.texts(of: "signInHeading") == [""])
        try desk.cluster.awaitService("7001", .inService)
    }

    @Test func `a line leaves the nodes of a data center that are drained, and blinks neither then nor at a restart`()
        throws
    {
        let desk = try Desk(TestCluster.workspaces())
        let cluster = desk.cluster
        try desk.record()
        #expect(try desk.owner.hasPrefix("dc1/"))
        for node in ["dc1/sip1", "dc1/sip2"] { try cluster.tandem("drain", node, "--wait") }
        try desk.page.wait("it is in the other data center", "lineDetail", .contains("dc2"))
        #expect(try desk.owner.hasPrefix("dc2/"))
        try cluster.tandem("restart", "dc1/sip1", "dc1/sip2", "--wait")
        for node in ["dc1/sip1", "dc1/sip2"] { try cluster.tandem("undrain", node) }
        try desk.expectNoBlink()
        #expect(try desk.texts(of: "health") == ["Connected"])
    }

    @Test func `everything is restarted with a page open, and nothing blinks`() throws {
        let desk = try Desk(
            TestCluster.workspaces(
                more: "rollout: { maxUnavailable: 1, minHealthy: 100ms, deadline: 20s, onFailure: stop }"))
        try desk.record()
        let told = try desk.cluster.tandem("restart", "--rolling", "--wait")
        #expect(told.contains("10 of 10 restarted, DNs that blinked 0"), "\(told)")
        try desk.page.wait("she is connected", "health", .text("Connected"))
        try desk.expectNoBlink()
        // Her workspace was another process for a moment, and that is all that was seen.
        #expect(try desk.texts(of: "health").allSatisfy { ["Connected", "Reconnecting"].contains($0) })
        #expect(try desk.page.url == Workspace.west.url + "/")
    }
}
