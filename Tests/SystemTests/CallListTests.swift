import LinuxSystem
import Testing

/// `tandem calls` while two phones at two real nodes talk.
@Suite(.serialized) struct CallListTests {
    /// Both phones, and an operator who looks at what they have come to. When a message has arrived, all nodes on its way know.
    private static let program = #"""
        import json, re, socket, subprocess, sys, time

        tandem, control = sys.argv[1:]

        def run(*words):
            done = subprocess.run([tandem, *words, "--socket", control], capture_output=True, text=True, timeout=20)
            assert done.returncode == 0, done
            return done

        def calls(*words):
            answer = json.loads(run("calls", "--json", *words).stdout)
            assert answer["more"] is False, answer
            return answer["calls"]

        class Phone:
            def __init__(self, dn, port, node):
                self.dn, self.address, self.branch = dn, f"127.0.0.1:{port}", 0
                self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
                self.socket.settimeout(10)
                self.socket.bind(("127.0.0.1", port))
                self.socket.connect(("127.0.0.1", node))

            def send(self, first, headers, more=()):
                lines = [first, *headers, *more, f"Contact: <sip:{self.dn}@{self.address}>", "Max-Forwards: 70",
                         "Content-Length: 0", "", ""]
                self.socket.send("\r\n".join(lines).encode())

            def request(self, method, uri, sender, receiver, call, cseq, more=()):
                self.branch += 1
                self.send(f"{method} {uri} SIP/2.0",
                          [f"Via: SIP/2.0/UDP {self.address};branch=z9hG4bK{self.dn}{self.branch};rport",
                           f"From: {sender}", f"To: {receiver}", f"Call-ID: {call}", f"CSeq: {cseq} {method}"], more)

            def answer(self, request, status, tag=""):
                kept = [line for line in request if re.match("(Via|From|Call-ID|CSeq|Record-Route):", line)]
                to = next(line for line in request if line.startswith("To:"))
                self.send(f"SIP/2.0 {status}", kept + [to + tag])

            def receive(self, beginning):
                while True:
                    message = self.socket.recv(65536).decode().split("\r\n")
                    if message[0].startswith(beginning):
                        return message

            def register(self):
                own = f"<sip:{self.dn}@cc.example.com>"
                self.request("REGISTER", "sip:cc.example.com", own + ";tag=r", own, "register-" + self.dn, 1)
                self.receive("SIP/2.0 200")

        def values(name, message):
            lines = [line[len(name) + 2:] for line in message if line.startswith(name + ": ")]
            return [value for line in lines for value in line.split(", ")]

        caller, callee = Phone("1000", 6060, 5071), Phone("1001", 6061, 5072)
        caller.register()
        callee.register()
        deadline = time.monotonic() + 10
        def views():
            return [view["service"] for view in json.loads(run("dn", "show", "1001", "--json").stdout)["views"].values()]

        while views() != ["in-service"] * 2:
            assert time.monotonic() < deadline, "the caller's node has not heard of the callee"
        assert calls() == []
        assert "No call fits." in run("calls").stderr

        name = "a-call@127.0.0.1"
        own, other = "<sip:1000@cc.example.com>;tag=caller", "<sip:1001@cc.example.com>"
        caller.request("INVITE", "sip:1001@cc.example.com", own, other, name, 1)
        invite = callee.receive("INVITE ")
        callee.answer(invite, "180 Ringing", ";tag=callee")
        caller.receive("SIP/2.0 180")
        [ringing] = calls()
        since, connection = ringing.pop("since"), ringing.pop("connection")
        assert re.fullmatch("[0-9a-f]{16}", connection), connection
        assert ringing == {"callId": name, "caller": "1000", "callee": "1001", "state": "ringing",
                           "callerText": "1000", "dialledText": "1001", "routingPoint": None, "ringing": "1001",
                           "position": None, "tried": [], "nodes": ["dc1/sip1", "dc2/sip1"]}, ringing

        callee.answer(invite, "200 OK", ";tag=callee")
        success = caller.receive("SIP/2.0 200")
        [established] = calls()
        assert established.pop("since") >= since, established
        assert established.pop("connection") == connection, established
        assert established == {**ringing, "state": "established", "ringing": None}, established

        # One that nobody answers, and each of the filters. Nodes that are not asked for are told all the same.
        caller.request("INVITE", "sip:1001@cc.example.com", own, other, "another", 1)
        callee.receive("INVITE ")
        assert [call["callId"] for call in calls()] == [name, "another"]
        assert [call["callId"] for call in calls("--state", "calling")] == ["another"]
        assert calls("--state", "ringing") == []
        for node in ("dc1/sip1", "dc2/sip1"):
            found = calls("--node", node, "--state", "established")
            assert [call["callId"] for call in found] == [name] and found[0]["nodes"] == ringing["nodes"], found
        assert len(calls("--dn", "1000")) == 2 and len(calls("--dn", "1001")) == 2 and calls("--dn", "1002") == []
        first = run("calls", "--limit", "1", "--json")
        found = json.loads(first.stdout)
        assert found["more"] is True and found["calls"][0]["nodes"] == ringing["nodes"], found
        assert "There are more calls" in first.stderr, first
        table = run("calls", "--plain").stdout.splitlines()
        assert table[0].split("\t") == ["FROM", "TO", "STATE", "FOR", "NODES", "CONNID", "CALL-ID"], table
        assert table[1].split("\t")[:3] == ["1000", "1001", "established"], table
        nodes = json.loads(run("nodes", "--json").stdout)["nodes"]
        assert [node["calls"] for node in nodes] == [2, 2], nodes

        target = values("Contact", success)[0].strip("<>")
        routes = [f"Route: {route}" for route in reversed(values("Record-Route", success))]
        to = values("To", success)[0]
        caller.request("ACK", target, own, to, name, 1, routes)
        callee.receive("ACK ")
        caller.request("BYE", target, own, to, name, 2, routes)
        bye = callee.receive("BYE ")
        assert [call["callId"] for call in calls()] == ["another"], calls()
        callee.answer(bye, "200 OK")
        caller.receive("SIP/2.0 200")
        """#

    @Test func `an operator sees a call across two nodes ring, be answered, and end`() throws {
        let cluster = try TestCluster(TestCluster.twoNodes)
        let result = try cluster.sandbox.run(
            ["/usr/bin/python3", "-c", Self.program, Executables.companion("tandem"), cluster.socketPath], seconds: 60)
        #expect(result.code == 0, "\(result.output)\n\(cluster.logText)")
    }
}
