import ClusterModel
import LinuxSystem
import Testing

/// The pages as people have them who see little, or nothing, or work by keyboard alone.
@Suite(.serialized) struct AccessibilityTests {
    /// One workspace, and agents' lines that need no telephone.
    static func topology(_ directory: String) -> String {
        _ = try? Files.writeAtomically(Array(Account.file().utf8), to: directory + "/credentials.yaml", mode: 0o600)
        let policy = "workspace: { agents: credentials.yaml, reasons: [ break, lunch ] }\n"
        let line = "  - { number: 7002, agentType: pstn-phone, dial: \"+15551230002\" }\n"
        return TestCluster.agents("desktopGrace: 2s")(directory)
            .replacing("dataCenters:\n", with: policy + "dataCenters:\n")
            .replacing("  dc1:\n", with: "  dc1:\n    workspaces: { desk1: { http: \"127.0.0.1:8081\" } }\n")
            .replacing("    nodes:\n", with: "    statServers: { stat1: {} }\n    nodes:\n")
            .replacing("timing:", with: line + "timing:")
    }

    @Test func `an agent signs in, is ready and takes a break by keyboard, and hears each thing once`() throws {
        let cluster = try TestCluster(Self.topology)
        let page = try Browser(cluster)
        try page.open(Workspace.west.url)
        try page.wait("the page asks who is there", "signInButton", .enabled)
        try page.expectUsable("signing in")

        // The focus is where one begins to write.
        try page.press(Account.ann.agent.map(String.init))
        #expect(try page.tabStops(1) == ["password"])
        try page.press(Account.ann.password.map(String.init) + ["Enter"])
        try page.wait("it asks for a line", "lineButton", .enabled)
        try page.expectUsable("choosing a line")
        #expect(try page.tabStops(1) == ["7001"])
        try page.press("Down")
        #expect(try page.tabStops(1) == ["lineButton"])
        try page.press("Enter")
        try page.wait("a SIP phone has to be there", "alarm", .contains("not registered"))
        try page.expectUsable("a refusal")
        // Whatever was refused, the focus is where it was.
        #expect(try page.evaluate("return document.activeElement.id") as? String == "lineButton")
        try chooseByKeyboard(page)
        try becomeReady(page)
        try takeABreak(page)
        #expect(try page.consoleMessages().allSatisfy { !$0.contains("Content Security Policy") })
    }

    private func chooseByKeyboard(_ page: Browser) throws {
        try page.evaluate("document.querySelector('#lines :checked').focus()")
        try page.press("Up", "Enter")
        try page.wait("her line is there", "lineName", .text("Line 7001"))
        try page.wait("the desk is there", "stateWord", .text("Not ready"))
        try page.expectUsable("not ready")
        let stops = try page.tabStops(7).filter { $0 != "BODY" && $0 != "HTML" }
        #expect(stops.prefix(6) == ["ready", "notReady", "wrapUp", "changeLine", "keysOn", "signOut"])
    }

    private func becomeReady(_ page: Browser) throws {
        try page.record("spoken", "alarm", "health")
        try page.press("r")
        try page.wait("she is ready", "stateWord", .text("Ready"))
        try page.wait("it is said that the button is on", "#ready[aria-pressed=true]", .enabled)
        #expect(try page.evaluate("return document.activeElement.id") as? String == "ready")
        try page.expectUsable("ready")
        // Space on the button is another way, and changes nothing now.
        try page.press("Space")
        try page.wait(
            "both answers are there",
            script: "return performance.getEntries().filter(({ name }) => name.endsWith('/presence')).length === 2")
        let spoken = try #require(try page.recorded()).map { "\($0.element): \($0.text)" }
        #expect(
            spoken == [
                "spoken: Not ready. You get no calls.", "alarm: ", "health: Connected",
                "spoken: Ready. The next call can come to you.",
            ])
        // Whoever does not want single keys to do that turns them off.
        #expect(try page.tabStops(4).last == "keysOn")
        try page.press("Space", "n")
        #expect(try page.evaluate("return document.getElementById('reasonDialog').open") as? Bool == false)
        try page.press("Space")
    }

    private func takeABreak(_ page: Browser) throws {
        try page.evaluate("document.activeElement.blur()")
        try page.press("n")
        try page.wait("it asks why", "reasonHeading", .visible)
        try page.expectUsable("reasons")
        let names = try page.controls().filter { $0.role == "radio" || $0.role == "button" }.map(\.name)
        #expect(names.sorted() == ["Cancel", "No reason", "Not ready", "break", "lunch"])
        try page.press("Escape")
        try page.wait("it asks no more", "reasonHeading", .hidden)
        #expect(try page.evaluate("return document.activeElement.id") as? String == "notReady")
        try page.press("Enter", "Down", "Down", "Enter")
        try page.wait("she is not ready", "stateWord", .text("Not ready: lunch"))
        #expect(try page.evaluate("return document.title") as? String == "Not ready, Tandem")
    }
}

extension Browser {
    fileprivate func press(_ keys: [String]) throws {
        for key in keys { try press(key == " " ? "Space" : key) }
    }
}
