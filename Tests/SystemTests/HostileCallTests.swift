import Orchestration
import Testing

/// What strangers send to a proxy, and phones that are not what they say.
@Suite(.serialized) struct HostileCallTests {
    private func expectUnharmed(_ cluster: TestCluster) throws {
        let status = try cluster.status()
        #expect(status.isHealthy && status.nodes.allSatisfy { $0.restarts == 0 })
    }

    @Test func `ACKs, CANCELs and responses that nobody waits for go nowhere`() throws {
        let cluster = try TestCluster(TestCluster.twoNodesWithStreams)
        try cluster.python(
            #"""
            caller, callee = Phone("1000").register(), Phone("1001", EAST).register()
            out, incoming = connect(caller, callee)
            stranger = Phone("1050", WEST, host="127.0.0.2")
            call = Call.to(stranger, "1001")
            call.hears(403)
            for method in ("ACK", "CANCEL"):
                for routes in ([], ["<sip:127.0.0.1:5071;lr>"], ["<sip:1@192.0.2.1;lr>"]):
                    for uri in (f"sip:1001@{DOMAIN}", "sip:1001@192.0.2.1", f"sip:1001@127.0.0.1:{callee.port}"):
                        call.routes, call.target = routes, uri
                        call.send(method)
                        if method == "CANCEL":
                            call.hears(481, "CANCEL")
            # With the branch of a node, of a phone and of nobody, and without a Via.
            vias = incoming.invite.all("Via")
            for way in (vias, vias[1:], vias[-1:], [vias[0].replace("=z9hG4bK", "=z9hG4bKx")], []):
                for status in (100, 180, 200, 487, 603):
                    for method in ("INVITE", "BYE", "CANCEL"):
                        for node in (WEST, EAST):
                            stranger.send(text(
                                f"SIP/2.0 {status} Nothing", *[f"Via: {via}" for via in way], f"From: {out.local}",
                                f"To: <sip:1001@{DOMAIN}>;tag=stranger", f"Call-ID: {out.call_id}", f"CSeq: 1 {method}",
                                f"Contact: {stranger.contact}"), node)
            # Who has seen the branch may say 200 as long as others that were asked could; nobody hears anything else.
            callee.hears_nothing()
            caller.options()
            assert all(m.status in (100, 200) and m.method == "INVITE" for m in caller.inbox), [m.first for m in caller.inbox]
            caller.inbox.clear()
            incoming.ends(out)
            """#)
        try expectUnharmed(cluster)
    }

    @Test func `Routes lead only where this node has said that they lead`() throws {
        let cluster = try TestCluster(TestCluster.twoNodesWithStreams)
        try cluster.python(
            #"""
            caller, callee = Phone("1000").register(), Phone("1001", EAST).register()
            out, incoming = connect(caller, callee)
            victim = Phone("1050", host="127.0.0.3")
            abroad = f"<sip:{victim.host}:{victim.port};lr>"

            # No way through the node to somewhere else, at the beginning of a call or within one.
            for routes in ([abroad], ["<sip:127.0.0.1:5071;lr>", abroad], [abroad, *out.routes]):
                caller.invite("1001", routes=routes).hears(403)
                good, out.routes = out.routes, routes
                out.send("BYE").hears(403, "BYE")
                out.ack()
                out.routes = good
            caller.invite("1001", uri=f"sip:1001@{victim.host}:{victim.port}").hears(404)

            # A token with another letter, at each place of it; and in a call's first request.
            good = out.routes
            token = re.match("<sip:([^@]+)@", good[0]).group(1)
            for position, letter in enumerate(token):
                other = "A" if letter != "A" else "B"
                changed = token[:position] + other + token[position + 1:]
                out.routes = [good[0].replace(token, changed)]
                out.send("BYE").hears(403, "BYE")
            for other in (token[:-1], token + "A", token + token, token.swapcase(), "A", "A" * 400, "%41" + token[1:]):
                out.routes = [good[0].replace(token, other)]
                out.send("BYE").hears(403, "BYE")
            caller.invite("1001", routes=good).hears(403)

            # Tokens of the other node, as this one's.
            theirs = [route.replace("5072", "5071") for route in good if "5072" in route]
            for routes in ([theirs[0]], [theirs[-1]], theirs, theirs[::-1]):
                out.routes = routes
                out.send("BYE").hears(403, "BYE")

            # A phone that says it is elsewhere is called where it was heard.
            liar = Phone("1002")
            liar.register(contact=f"<sip:1002@{victim.host}:{victim.port}>")
            out = caller.invite("1002")
            liar.rings().answer(486)
            out.hears(486)
            victim.hears_nothing()
            # ACKs of what was refused have the tokens too.
            callee.hears_nothing(lambda message: message.method != "ACK")
            """#)
        try expectUnharmed(cluster)
    }

    @Test func `answers go to who has asked, whatever his Vias say`() throws {
        let cluster = try TestCluster(TestCluster.twoNodesWithStreams)
        try cluster.python(
            #"""
            caller, callee = Phone("1000").register(), Phone("1001", EAST).register()
            victim = Phone("1050", host="127.0.0.3")
            place = f"{victim.host}:{victim.port}"
            for via in (f"{place};rport", f"{place};maddr={victim.host};rport", f"{place};received={victim.host};rport",
                        f"127.0.0.1:5071;rport", f"127.0.0.1:5072;received={victim.host};rport={victim.port}"):
                number = next(numbers)
                caller.send(text(
                    f"INVITE sip:1001@{DOMAIN} SIP/2.0", f"Via: SIP/2.0/UDP {via};branch=z9hG4bK{number}",
                    f"Via: SIP/2.0/UDP {place};branch=z9hG4bKbelow{number}", "Max-Forwards: 70",
                    f"From: <sip:1000@{DOMAIN}>;tag=1", f"To: <sip:1001@{DOMAIN}>", f"Call-ID: via{number}",
                    "CSeq: 1 INVITE", f"Contact: {caller.contact}"))
                incoming = callee.rings()
                incoming.answer(486)
                incoming.gets("ACK")
            victim.hears_nothing()
            callee.hears_nothing()
            caller.options()
            """#)
        try expectUnharmed(cluster)
    }

    @Test func `messages with mistakes of every kind harm no call`() throws {
        let cluster = try TestCluster(TestCluster.twoNodesWithStreams)
        try cluster.python(
            #"""
            import random
            seed = random.randrange(1 << 32)
            print("seed", seed)
            chance = random.Random(seed)
            caller, callee = Phone("1000").register(), Phone("1001", EAST).register()
            out, incoming = connect(caller, callee, "Supported: 100rel, timer", "Session-Expires: 1800;refresher=uac")
            noise = Phone("1000", host="127.0.0.1")
            originals = [
                out.requests["sent INVITE"].text, incoming.invite.text, out.requests["sent ACK"].text, incoming.answered,
                incoming.requests["ACK"].text,
            ]
            words = ["", "\r\n", "\n ", ";", ",", "<", ">", "\"", "\0", "%", "-1", "99999999999999999999", "z" * 300, ";lr", ":"]
            for turn in range(3000):
                message = chance.choice(originals)
                for _ in range(chance.randrange(1, 4)):
                    position = chance.randrange(len(message))
                    length = chance.choice([0, 1, 1, 2, 10, 100])
                    message = message[:position] + chance.choice(words) + message[position + length:]
                # Another call each time, so that some of it is a new one.
                noise.send(message.replace(out.call_id, f"noise{turn}").replace("branch=z9hG4bK", f"branch=z9hG4bK{turn}"),
                           chance.choice([WEST, EAST]))
                if turn % 50 == 0:
                    noise.options()
                    noise.inbox.clear()
            for call in (out, incoming):
                call.phone.options()
                call.phone.inbox.clear()
            out.send("INFO")
            incoming.gets("INFO")
            incoming.answer(200, "INFO")
            out.hears(200, "INFO")
            # As large as a datagram can be, and larger with what the node adds.
            noise.send(text(
                f"INVITE sip:1001@{DOMAIN} SIP/2.0", noise.via(), "Max-Forwards: 70", f"From: <sip:1000@{DOMAIN}>;tag=1",
                f"To: <sip:1001@{DOMAIN}>", "Call-ID: large", "CSeq: 1 INVITE", f"Contact: {noise.contact}", body="x" * 65000))
            callee.options()
            callee.inbox.clear()
            incoming.ends(out)
            """#)
        try expectUnharmed(cluster)
    }
}
