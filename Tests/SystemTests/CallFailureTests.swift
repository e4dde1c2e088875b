import ClusterModel
import LinuxSystem
import Orchestration
import Testing

/// Calls whose nodes, links and connections end, and more calls than a node takes.
@Suite(.serialized) struct CallFailureTests {
    /// Python's view of the nodes' processes, by their SIP ports.
    private func workers(_ cluster: TestCluster) throws -> String {
        let nodes = try cluster.status().nodes
        let pids = [("dc1/sip1", 5071), ("dc2/sip1", 5072)].map { name, port in
            "\(port): \(nodes.first { $0.name == name }?.pid ?? 0)"
        }
        return "import os, signal\nworkers = { \(pids.joined(separator: ", ")) }\n"
    }

    @Test func `when a node dies, callers of its phones are told at once, and phones that its callers rang are silent`()
        throws
    {
        let cluster = try TestCluster(TestCluster.twoNodesWithStreams)
        try cluster.python(
            workers(cluster) + #"""
                west, east = [Phone("1000").register(), Phone("1001").register()], [Phone("1002", EAST), Phone("1003", EAST)]
                for phone in east:
                    phone.register()
                out = west[0].invite("1002")
                incoming = east[0].rings()
                incoming.answer(180)
                out.hears(180)
                back = east[1].invite("1001")
                ringing = west[1].rings()
                ringing.answer(180)
                back.hears(180)
                os.kill(workers[EAST], signal.SIGKILL)
                out.hears(480)
                ringing.gets("CANCEL")
                ringing.answer(200, "CANCEL")
                ringing.answer(487)
                ringing.gets("ACK")
                # Its successor knows nothing of the calls, and takes others.
                for phone in east:
                    phone.register()
                incoming.answer(200)
                east[0].hears_nothing(lambda message: message.method == "ACK")
                for a, b in ((west[0], east[0]), (east[1], west[1])):
                    out, incoming = connect(a, b)
                    incoming.ends(out)
                """#)
        try cluster.waitUntil("the node is back") { status in
            status.isHealthy && status.nodes.map(\.restarts).reduce(0, +) == 1
        }
    }

    @Test func `while the link is cut, requests of calls across it are refused, and none of them comes late`() throws {
        let cluster = try TestCluster(TestCluster.twoNodesWithStreams)
        try cluster.python(
            #"""
            west = [Phone("1000").register(), Phone("1001").register(), Phone("1002").register()]
            east = [Phone("1010", EAST).register(), Phone("1011", EAST).register(), Phone("1012", EAST).register()]
            calls = [connect(a, b) for a, b in zip(west, east)]
            ringing = west[0].invite("1010")
            east[0].rings().answer(180)
            ringing.hears(180)
            cut_link()
            # Before the node knows of the cut, and after it.
            calls[0][0].send("BYE")
            ringing.hears(480)
            calls[0][0].hears(480, "BYE")
            calls[1][1].send("BYE")
            calls[1][1].hears(480, "BYE")
            calls[1][0].send("INFO")
            calls[1][0].hears(480, "INFO")
            west[0].invite("1011").hears(480)
            heal_link()
            for phone in west + east:
                phone.awaits_service()
            # A call that was there all the time goes on.
            calls[2][0].send("INFO")
            calls[2][1].gets("INFO")
            calls[2][1].answer(200, "INFO")
            calls[2][0].hears(200, "INFO")
            calls[2][1].ends(calls[2][0])
            for phone in (west[1], east[1]):
                phone.hears_nothing(lambda message: not message.status)
            connect(west[1], east[1])
            """#)
        try cluster.waitUntil("the cluster is healthy") { $0.isHealthy }
        #expect(try cluster.status().nodes.allSatisfy { $0.restarts == 0 })
    }

    @Test func `when a phone's connection ends, the other side of its call is told`() throws {
        let cluster = try TestCluster(TestCluster.twoNodesWithStreams)
        try cluster.python(
            #"""
            caller = Phone("1000").register()
            for node, dn in ((WEST, "1001"), (EAST, "1002")):
                # The one that rings.
                callee = Phone(dn, node, "TCP").register()
                out = caller.invite(dn)
                callee.rings().answer(180)
                out.hears(180)
                callee.close()
                out.hears(480)

                # The one that calls.
                callee = Phone(dn, node, "TCP").register()
                stream = Phone("1000", WEST, "TCP")
                out = stream.invite(dn)
                incoming = callee.rings()
                incoming.answer(180)
                out.hears(180)
                stream.close()
                incoming.gets("CANCEL")
                incoming.answer(200, "CANCEL")
                incoming.answer(487)
                incoming.gets("ACK")

                # One that talks.
                out, incoming = connect(caller, callee)
                callee.close()
                out.send("BYE")
                out.hears(480, "BYE")
            """#)
        #expect(try cluster.status().isHealthy)
    }

    @Test func `a phone that calls ten thousand times without an answer hinders nobody`() throws {
        let cluster = try TestCluster(TestCluster.twoNodesWithStreams)
        try cluster.python(
            workers(cluster) + #"""
                flooder, silent = Phone("1000").register(), Phone("1001", EAST).register()
                caller, callee = Phone("1002").register(), Phone("1003", EAST).register()
                out, incoming = connect(caller, callee)
                template = text(
                    f"INVITE sip:1001@{DOMAIN} SIP/2.0", flooder.via("z9hG4bKflood@"), "Max-Forwards: 70",
                    f"From: <sip:1000@{DOMAIN}>;tag=1", f"To: <sip:1001@{DOMAIN}>", "Call-ID: flood@", "CSeq: 1 INVITE",
                    f"Contact: {flooder.contact}")
                flooder.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 22)
                for number in range(0, 10000, 50):
                    for call in range(number, number + 50):
                        flooder.send(template.replace("flood@", f"flood{call}"))
                    # No faster than the node reads.
                    flooder.options()
                    flooder.inbox.clear()
                    flooder.seen.clear()
                Phone("1004").register()
                second, other = connect(caller, callee)
                other.ends(second)
                out.ends(incoming)
                size = int(re.search(r"VmRSS:\s+(\d+)", open(f"/proc/{workers[WEST]}/status").read()).group(1))
                assert size < 1 << 18, f"{size} KiB"
                """#, seconds: 120)
        #expect(try cluster.status().isHealthy)
    }
}
