import AgentSessions
import ClusterModel
import LinuxSystem
import TLibrary
import TLibraryPorts
import Testing
import Wire

/// What supervisors see: all agents of the cluster, live, and why a number is as it is.
@Suite(.serialized) struct SupervisorPageTests {
    /// Logs agents in: ann in the west, and in the east ben at a telephone and cleo at a desktop.
    ///
    /// - Returns: the desktop; without it cleo's line goes out of service.
    private func agents(_ cluster: TestCluster) throws -> TLibraryClient {
        try cluster.register("1001", at: "127.0.0.1:5071")
        try cluster.register("1002", at: "127.0.0.1:5072", localPort: 6061)
        let desktop = try cluster.client("dc2/sip1")
        _ = try desktop.registerAddress("7001")
        for (agent, dn) in [("ann", "1001"), ("ben", "1002"), ("cleo", "7001")] {
            try desktop.agent(.login(try #require(AgentID(agent)), .unknown, Reasons()), on: dn)
        }
        try desktop.agent(.ready(.autoIn, Reasons()), on: "1002")
        return desktop
    }

    private func row(_ dn: String) -> String { "tr[data-dn=\"\(dn)\"]" }

    @Test func `three agents in two data centers are shown live, also when nobody knows about them`() throws {
        let cluster = try TestCluster(AccessibilityTests.topology)
        var desktop: TLibraryClient? = try agents(cluster)
        let page = try Browser(cluster)
        try page.signIn(.sue, at: .west)
        try page.click("toSupervisor")
        try page.wait("all are there", "shown", .text("3 agents"))
        try page.wait("ann", row("1001"), .matches(#"^ann\s+1001\s+Not ready\s+[\d:]+\s+dc1, west$"#))
        try page.wait("ben", row("1002"), .matches(#"^ben\s+1002\s+Ready\s+[\d:]+\s+dc2, east$"#))
        try page.wait("cleo", row("7001"), .matches(#"^cleo\s+7001\s+Not ready\s+[\d:]+\s+dc2, east$"#))
        try page.wait("how many are what", "counts", .matches(#"^dc1\s+Not ready 1\s+dc2\s+Not ready 1\s+Ready 1$"#))
        try page.expectUsable("the supervisor's page")
        try page.screenshot("supervisor")

        try desktop?.agent(.ready(.autoIn, Reasons()), on: "1001")
        try page.wait("ann is ready by now", row("1001"), .contains("Ready"))
        try filter(page)
        try cut(page, cluster)

        // The desktop is closed for longer than it may be.
        desktop?.close()
        desktop = nil
        try page.wait("cleo's line", row("7001"), .contains("Out of service"))
        try page.wait("why", row("7001"), .contains("page was gone for too long."))
        try explain(page)
    }

    private func filter(_ page: Browser) throws {
        try page.evaluate(
            """
            const choice = document.getElementById("dataCenter");
            choice.value = "dc2";
            choice.dispatchEvent(new Event("input", { bubbles: true }));
            """)
        try page.wait("those of the east", "shown", .text("2 of 3 agents"))
        try page.wait("ann is not of them", row("1001"), .hidden)
        try page.type("cle", into: "text")
        try page.wait("cleo", "shown", .text("1 of 3 agents"))
        try page.type("nobody", into: "text")
        try page.wait("nobody", "shown", .text("Nobody fits."))
        try page.type("1002", into: "text")
        try page.wait("numbers count, too", row("1002"), .visible)
        try page.reload()
        try page.wait("a page that is loaded anew shows all", "shown", .text("3 agents"))
    }

    /// Between the data centers; the page is the west's.
    private func cut(_ page: Browser, _ cluster: TestCluster) throws {
        try cluster.sandbox.cutSilently(port: 7302)
        for dn in ["1002", "7001"] {
            try page.wait("nobody knows about \(dn)", row(dn), .contains("Unknown"))
            try page.wait("why", row(dn), .contains("node that has it cannot be reached."))
        }
        try page.wait("ann is known", row("1001"), .contains("Ready"))
        try page.screenshot("supervisor-cut")
        try cluster.sandbox.heal()
        try page.wait("ben is known again", row("1002"), .contains("Ready"))
        try page.wait("cleo, too", row("7001"), .contains("Not ready"))
    }

    private func explain(_ page: Browser) throws {
        try page.type("7001", into: "number")
        try page.click("explainButton")
        try page.wait(
            "7001", "explanation",
            .text(
                "7001 is out of service. Its desktop was gone for longer than it may be. Its node is dc2/sip1, in dc2.")
        )
        // Nobody has ever logged in there.
        try page.type("7002", into: "number")
        try page.click("explainButton")
        try page.wait(
            "7002", "explanation",
            .text("7002 is out of service. No phone and no desktop has registered for it yet."))
        try page.type("9999", into: "number")
        try page.click("explainButton")
        try page.wait("9999", "explanation", .text("There is no such number."))
    }

    @Test func `who is no supervisor is refused, by the page and by the interface`() throws {
        let cluster = try TestCluster(AccessibilityTests.topology)
        let page = try Browser(cluster)
        try page.signIn(.ann, at: .west)
        try page.wait("nothing leads there", "toSupervisor", .hidden)
        try page.open(Workspace.west.url + "/supervisor")
        try page.wait("it says why", "alarm", .text("This page is for supervisors."))
        try page.wait("no agents", "agentsView", .hidden)
        for path in ["agents", "events", "dns/1001"] {
            let code = try page.evaluate(
                "return fetch('/api/v1/supervisor/' + arguments[0]).then((answer) => answer.status)", [path])
            #expect(code as? Int == 403, "\(path)")
        }
        try page.click("toDesk")
        try page.wait("her own page is there", "lineHeading", .visible)
    }
}
