import ClusterModel
import Glibc
import LinuxSystem
import Orchestration
import Testing

/// DNs that are not as they should be: what is told of each, and how it ends. What has to last for a minute does so for all of them
/// at once.
@Suite(.serialized) struct DNDifferenceTests {
    /// A phone that is refused, and one that registers and keeps what it has said for the next time.
    private static let prelude = """
        def refused(dn, node):
            try:
                Phone(dn, node).register()
            except AssertionError as error:
                assert " 403 " in str(error), error
            else:
                raise AssertionError(f"{dn} is registered")

        """

    private static func dns(_ last: Int, homes: String, pstn: Bool = true, hours: [String]) -> [String] {
        [
            "range: 1000-\(last), agentType: sip-phone", "range: 2000-2009, agentType: sip-phone, homes: [ dc1, dc2 ]",
            "range: 2100-2109, agentType: sip-phone, homes: \(homes)",
        ]
            + hours.enumerated().map { place, hours in
                "number: 300\(place), agentType: sip-phone, homes: [ dc1, dc2 ], "
                    + "expect: { service: in-service, hours: \"\(hours)\" }"
            }
            + [
                pstn
                    ? "number: 7001, agentType: pstn-phone, dial: \"+15551230001\""
                    : "number: 7001, agentType: sip-phone"
            ]
    }

    /// Hours that are now, and hours that are over or still to come.
    private static func hours() -> [String] {
        let hour = Int(time(nil) / 3_600 % 24)
        func text(_ from: Int, _ to: Int) -> String {
            [from, to].map { "\(($0 + 24) % 24)" }.map { ($0.count < 2 ? "0" : "") + $0 + ":00" }.joined(separator: "-")
        }
        return [text(hour - 1, hour + 2), text(hour + 4, hour + 6)]
    }

    @Test func `each is told with what becomes of it and what somebody can do, and ends so`() throws {
        var options = TestCluster.Options()
        options.survives = true
        let hours = Self.hours()
        func text(_ directory: String, last: Int = 1099, homes: String, pstn: Bool = true) -> String {
            TestCluster.centers(
                directory, dns: Self.dns(last, homes: homes, pstn: pstn, hours: hours), timing: ", maxCall: 1m")
        }
        let cluster = try TestCluster({ text($0, homes: "[ dc1, dc2 ]") }, options: options)
        try cluster.python(
            """
            for dn, node in ("1001", 5073), ("1002", 5073), ("1050", 5072), ("2000", 5072), ("2100", 5072):
                Phone(dn, node).register(expires=3600)
            """)
        let homeless = try cluster.file("homes.yaml", text(cluster.directory, homes: "[ dc1 ]"))
        let applied = try cluster.tandem(["apply", homeless, "--wait"])
        try #require(applied.code == 0, "\(applied.output)")
        try forgetTopology(of: cluster, for: text(cluster.directory, last: 1049, homes: "[ dc1 ]"))
        try cluster.sandbox.cutSilently(port: 7303)
        try cluster.awaitLoss(of: "dc3/sip1")
        try makeDifferences(cluster)

        // What events tell is told at once; an owner is gone after half a minute, and a call is long after half of `maxCall`.
        let wrong = try cluster.awaitFinding("dn-wrong-phone", of: ["7001"])
        wrong.expect(
            "DN 7001 is registered by the wrong kind of phone",
            byItself: "refused each time; not told any more ten minutes after it tried last",
            remedy: "correct the agent type, or the number that the phone has", next: "tandem dn show 7001")
        #expect(wrong.details.first?.contains("refused once: the DN is a PSTN phone's") == true, "\(wrong.details)")
        let flapping = try cluster.awaitFinding("dn-flapping", of: ["1006"])
        flapping.expect(
            "DN 1006 goes back and forth between nodes",
            byItself: "over when fewer than four changes are less than two minutes old",
            remedy: "give one of the phones that share the number another one, or let them register at one node",
            next: "tandem history 1006")
        // Each side of the cut says so of the other one's.
        try cluster.awaitFinding("dn-owner-gone", of: ["1002", "1050", "2000", "2100"], seconds: 60).expect(
            "4 DNs are out of service: their owners have been gone for longer than the grace",
            byItself: "in service again when the phone registers at another node",
            remedy: "bring the owner back, or remove it from the topology", next: "tandem nodes")
        try cluster.awaitFinding("dn-endless-call", of: ["1008", "1009"], seconds: 60).expect(
            "2 DNs have calls without an end", byItself: "over after `maxCall`",
            remedy: "find out whether somebody still speaks", next: "tandem calls")
        #expect(try cluster.carryOut("tandem calls").contains("1008"))

        try expectWhatLasts(cluster)
        try expectStatus(cluster)
        // Nobody has hung up.
        try cluster.awaitNone(of: "dn-endless-call", seconds: 40)
        #expect(try cluster.carryOut("tandem calls").contains("No call fits."))
        try endDifferences(cluster)
        try endGenerations(cluster, text(cluster.directory, last: 1049, homes: "[ dc1 ]", pstn: false))
    }

    // MARK: How it comes to that

    /// A controller that knows an earlier topology than its workers run; of these one is new, and has the earlier one.
    private func forgetTopology(of cluster: TestCluster, for text: String) throws {
        try cluster.killController()
        try cluster.forgetTopologies()
        try cluster.write(topology: text)
        try cluster.startController()
        try cluster.awaitLinks()
        try cluster.worker("dc1/sip1").send(.kill)
        try cluster.waitUntil("the node is back") { $0.nodes.first?.report?.generation == 1 }
        try cluster.awaitLinks()
    }

    private func makeDifferences(_ cluster: TestCluster) throws {
        try cluster.register("1001", at: "127.0.0.1:5071", expires: 3600)
        try cluster.python(
            Self.prelude + """
                refused("7001", WEST)
                for node in 3 * [WEST, EAST]:
                    Phone("1006", node).register(expires=3600)
                alone = Phone("1007", WEST).register()
                caller, callee = Phone("1008", WEST).register(), Phone("1009", WEST).register()
                connect(caller, callee)
                tandem = ["\(Executables.companion("tandem"))", "agent", "login", "1007", "ann"]
                subprocess.run(tandem + ["--socket", "\(cluster.socketPath)"], check=True)
                alone.register(expires=0)
                """)
    }

    // MARK: What is told

    private func expectWhatLasts(_ cluster: TestCluster) throws {
        try cluster.awaitFinding("dn-forbidden-home", of: ["2100"], seconds: 120).expect(
            "DN 2100 is owned in a data center that its homes forbid",
            byItself: "the next registration there is refused, and the phone has to register elsewhere",
            remedy: "send the phone to a data center of its homes", next: "tandem dn show 2100")
        try cluster.awaitFinding("dn-away-from-home", of: ["2000"], seconds: 120).expect(
            "DN 2000 is away from the data center that it prefers",
            byItself: "goes home when the phone registers there again", next: "tandem explain 2000")
        try cluster.awaitFinding("dn-claimed-twice", of: ["1001"], seconds: 120).expect(
            "DN 1001 is claimed by two nodes",
            byItself: "the latest registration wins when the two nodes hear each other",
            remedy: "mend the link between them", next: "tandem links")
        try cluster.awaitFinding("dn-not-in-service", of: ["3000"], seconds: 120).expect(
            "DN 3000 is expected in service, and is not", byItself: "in service when the phone registers",
            remedy: "look at the phone", next: "tandem explain 3000")
        try cluster.awaitFinding("dn-agent-without-desktop", of: ["1007"], seconds: 120).expect(
            "DN 1007 has an agent and no desktop", remedy: "log the agent out, or connect the desktop",
            next: "tandem agent logout 1007")
        let unknown = try cluster.awaitFinding("dn-not-provisioned", of: ["1050"], seconds: 120)
        unknown.expect(
            "DN 1050 is owned, and the topology does not provision it",
            byItself: "dropped when the owner has the present topology",
            remedy: "if it stays, declare it under `dns`, or take the phone away", next: "tandem history 1050")
        #expect(unknown.details.first?.contains("owner dc2/sip1") == true, "\(unknown.details)")
    }

    /// `tandem status` has the same DNs, with the same commands.
    private func expectStatus(_ cluster: TestCluster) throws {
        let found = try cluster.findings().filter { $0.kind.hasPrefix("dn-") }
        #expect(Set(found.map(\.kind)).count >= 9, "\(found)")
        try cluster.waitUntil("the status has what the plan has") { status in
            found.allSatisfy { finding in
                status.conditions.contains {
                    $0.kind == finding.kind && $0.message == finding.sentence && $0.command == finding.command
                }
            }
        }
    }

    // MARK: How it ends

    private func endDifferences(_ cluster: TestCluster) throws {
        try cluster.python(
            Self.prelude + """
                refused("2100", EAST)
                for dn in "1002", "2000", "2100", "3000":
                    Phone(dn, WEST).register(expires=3600)
                """)
        try cluster.carryOut("tandem agent logout 1007")
        _ = try cluster.awaitFinding("dn-owner-gone", of: ["1050", "2000", "2100"])
        try cluster.awaitNone(
            of: "dn-away-from-home", "dn-forbidden-home", "dn-not-in-service", "dn-agent-without-desktop")
        try cluster.sandbox.heal()
        try cluster.awaitNone(of: "dn-claimed-twice", "dn-owner-gone", "links-down")
        let answers = try cluster.details("1001").answers
        #expect(answers.allSatisfy { $0.report?.owner == "dc1/sip1" && $0.report?.shown == .inService }, "\(answers)")
        try cluster.awaitNone(of: "dn-flapping", seconds: 120)
    }

    /// All get the present topology, in which 7001 is what registers it.
    private func endGenerations(_ cluster: TestCluster, _ text: String) throws {
        let later = try cluster.awaitFinding("later-generation", of: ["dc2/sip1"])
        later.expect(
            "dc2/sip1 runs generation 2, and 1 is the latest here",
            remedy: "apply the file again, which makes it a later one; until then the worker is left alone",
            next: "tandem apply FILE --wait")
        #expect(try cluster.findings().contains { $0.kind == "dn-not-provisioned" })
        let file = try cluster.file("present.yaml", text)
        let applied = try cluster.tandem(["apply", file, "--wait", "--yes", "--timeout", "60s"])
        #expect(applied.code == 0, "\(applied.output)\n\(cluster.logText)")
        #expect(applied.output.contains("generation 3"), "\(applied.output)")
        try cluster.python("Phone(\"7001\", WEST).register()")
        try cluster.awaitFindings("nothing is wrong") { $0.isEmpty }
        #expect(try cluster.tandem(["dn", "show", "1050"]).code != 0)
        // Whoever was in service and is provisioned still is.
        let served = try ["1001", "1002", "1006", "2000", "2100", "3000", "7001"].allSatisfy { dn in
            try cluster.details(dn).answers.allSatisfy { $0.report?.shown == .inService }
        }
        #expect(served)
    }
}

extension TestCluster {
    /// Waits until nobody hears a node any more.
    func awaitLoss(of node: String) throws {
        try waitUntil("\(node) is not heard") { status in
            status.nodes.allSatisfy { other in
                other.report?.links.allSatisfy { $0.state != "live" || other.name != node && $0.peer != node } == true
            }
        }
    }
}
