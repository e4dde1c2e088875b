import Orchestration
import Testing

/// What calls meet besides, told message by message.
@Suite(.serialized) struct CallTraceTests {
    @Test func `a call is refused as it has to be`() throws {
        let cluster = try TestCluster(TestCluster.twoNodesWithStreams)
        try cluster.python(
            #"""
            caller = Phone("1000").register()
            east = Phone("1001", EAST).register()
            caller.invite("4711").hears(404)
            caller.invite("7001").hears(480)
            caller.invite("1002").hears(480)
            caller.invite("1001", uri="sip:1001@example.net").hears(404)
            caller.invite("1001", uri="tel:1001").hears(416)
            caller.invite("1001", hops=0).hears(483)
            caller.invite("1001", "Proxy-Require: wings").hears(420)

            # From nobody, from a DN that has not registered, and from somebody else's host.
            caller.invite("1001", caller="4711").hears(403)
            Phone("1003").invite("1001").hears(403)
            Phone("1000", host="127.0.0.2").invite("1001").hears(403)
            Phone("1000", host="127.0.0.2").register()
            stranger = Phone("1000", EAST)
            stranger.invite("1001").hears(403)
            east.hears_nothing(lambda message: message.method == "INVITE")

            # One hop is enough on one node, and not to the other.
            near = Phone("1004").register()
            out = caller.invite("1004", hops=1)
            incoming = near.rings()
            assert incoming.invite["Max-Forwards"] == "0", incoming.invite.text
            incoming.answer(603)
            out.hears(603)
            caller.invite("1001", hops=1).hears(483)
            """#)
        #expect(try cluster.status().isHealthy)
    }

    @Test func `a phone may name the node in a Route, and what phones have put into Record-Route stays`() throws {
        let cluster = try TestCluster(TestCluster.twoNodesWithStreams)
        try cluster.python(
            #"""
            caller = Phone("1000").register()
            callee = Phone("1001", EAST, "TCP").register()
            for route in ("<sip:127.0.0.1:5071;lr>", "<sip:127.0.0.1:5071;transport=udp;lr>, <sip:127.0.0.1:5071;lr>"):
                out, incoming = connect(caller, callee, routes=[route], dn="1001")
                assert not incoming.invite.all("Route"), incoming.invite.text
                incoming.ends(out)
            # A proxy between the caller and the node, which takes its own Route off.
            out = caller.invite("1001", "Record-Route: <sip:before@192.0.2.1;lr>")
            incoming = callee.rings()
            assert incoming.invite.addresses("Record-Route")[-1] == "<sip:before@192.0.2.1;lr>", incoming.invite.text
            assert len(incoming.invite.addresses("Record-Route")) == 5
            assert incoming.invite["Session-Expires"] == "1800"
            incoming.answer(200)
            out.hears(200)
            assert out.routes.pop(0) == "<sip:before@192.0.2.1;lr>", out.routes
            out.ack()
            incoming.gets("ACK")
            incoming.ends(out)
            assert out.requests["BYE"].addresses("Route") == ["<sip:before@192.0.2.1;lr>"], out.requests["BYE"].text
            """#)
    }

    @Test func `a CANCEL that crosses the 200 changes nothing, nor does one of a stranger`() throws {
        let cluster = try TestCluster(TestCluster.twoNodesWithStreams)
        try cluster.python(
            #"""
            caller = Phone("1000").register()
            for callee in (Phone("1001").register(), Phone("1002", EAST).register()):
                out = caller.invite(callee.dn)
                incoming = callee.rings()
                incoming.answer(180)
                out.hears(180)

                # The same CANCEL from another host ends nothing.
                stranger = Phone("1000", host="127.0.0.2")
                call = Call(stranger, out.call_id, out.local, out.remote)
                call.requests = dict(out.requests)
                call.cancel()
                answer = stranger.receive("an answer", lambda message: message.status == 481)
                callee.hears_nothing(lambda message: message.method == "CANCEL")

                incoming.answer(200)
                out.hears(200)
                out.cancel()
                out.hears(200, "CANCEL")
                out.ack()
                incoming.gets("ACK")
                callee.hears_nothing(lambda message: message.method == "CANCEL")
                out.ends(incoming)

                # A second CANCEL, and one of a call that nobody has made.
                out = caller.invite(callee.dn)
                incoming = callee.rings()
                incoming.answer(180)
                out.hears(180)
                out.cancel()
                out.hears(200, "CANCEL")
                incoming.gets("CANCEL")
                out.cancel()
                incoming.answer(200, "CANCEL")
                incoming.answer(487)
                incoming.gets("ACK")
                out.hears(487)
                out.call_id = "nobody"
                out.requests["sent INVITE"].headers[0] = ("Via", "SIP/2.0/UDP 127.0.0.1:1;branch=z9hG4bKnobody;rport")
                out.cancel()
                out.hears(481, "CANCEL")
            """#)
    }

    @Test func `a 200 comes again until the ACK does, and an INVITE that comes again is the same call`() throws {
        let cluster = try TestCluster(TestCluster.twoNodesWithStreams)
        try cluster.python(
            #"""
            caller = Phone("1000").register()
            for callee in (Phone("1001").register(), Phone("1002", EAST).register()):
                out = caller.invite(callee.dn)
                incoming = callee.rings()
                incoming.answer(180)
                ringing = out.hears(180)
                out.again()
                caller.repetition(ringing)
                incoming.answer(200)
                answer = out.hears(200)
                for _ in range(3):
                    callee.send(incoming.answered)
                    caller.repetition(answer)
                out.again()
                callee.hears_nothing(lambda message: message.method == "INVITE")
                out.ack()
                first = incoming.gets("ACK")
                callee.send(incoming.answered)
                caller.repetition(answer)
                out.ack()
                assert incoming.gets("ACK")["Via"] != first["Via"]
                out.ends(incoming)
            """#)
    }

    @Test func `of several phones of a DN the first that answers has the call`() throws {
        let cluster = try TestCluster(TestCluster.twoNodesWithStreams)
        try cluster.python(
            #"""
            caller = Phone("1000").register()
            for node, dn in ((WEST, "1001"), (EAST, "1002")):
                phones = [Phone(dn, node).register(), Phone(dn, node, "TCP").register()]
                out = caller.invite(dn)
                calls = [phone.rings() for phone in phones]
                for call in calls:
                    call.answer(180)
                    out.hears(180)
                calls[1].answer(200)
                out.hears(200)
                out.ack()
                calls[1].gets("ACK")
                calls[0].gets("CANCEL")
                calls[0].answer(200, "CANCEL")
                calls[0].answer(487)
                calls[0].gets("ACK")
                out.ends(calls[1])

                # Both answer at once: the caller hears both, and ends one.
                out = caller.invite(dn)
                calls = [phone.rings() for phone in phones]
                for call in calls:
                    call.answer(200)
                for call in calls:
                    out.hears(200)
                    out.ack()
                for call in calls:
                    call.gets("ACK")
                out.ends(next(call for call in calls if call.local == out.remote))

                # The best of two refusals, when both are there.
                out = caller.invite(dn)
                calls = [phone.rings() for phone in phones]
                calls[0].answer(486)
                calls[0].gets("ACK")
                caller.hears_nothing(lambda message: message.method == "INVITE" and message.status != 100)
                calls[1].answer(404)
                calls[1].gets("ACK")
                out.hears(486)

                # Who will be called nowhere ends it everywhere.
                out = caller.invite(dn)
                calls = [phone.rings() for phone in phones]
                calls[0].answer(180)
                out.hears(180)
                calls[1].answer(603)
                calls[0].gets("CANCEL")
                calls[0].answer(200, "CANCEL")
                calls[0].answer(487)
                out.hears(603)
            """#)
    }

    @Test func `phones of lower preference ring when the others have refused`() throws {
        let cluster = try TestCluster(TestCluster.twoNodesWithStreams)
        try cluster.python(
            #"""
            caller = Phone("1000", EAST).register()
            first, second = Phone("1001"), Phone("1001")
            first.register(contact=first.contact + ";q=0.9")
            second.register(contact=second.contact + ";q=0.2")
            out = caller.invite("1001")
            incoming = first.rings()
            second.hears_nothing()
            incoming.answer(486)
            incoming.gets("ACK")
            incoming = second.rings()
            incoming.answer(200)
            out.hears(200)
            out.ack()
            incoming.gets("ACK")
            incoming.ends(out)

            # A caller who gives up is not passed on.
            out = caller.invite("1001")
            incoming = first.rings()
            incoming.answer(180)
            out.hears(180)
            out.cancel()
            out.hears(200, "CANCEL")
            incoming.gets("CANCEL")
            incoming.answer(200, "CANCEL")
            incoming.answer(487)
            out.hears(487)
            second.hears_nothing()
            """#)
    }

    @Test func `a call that would go round in circles ends`() throws {
        let cluster = try TestCluster(TestCluster.twoNodesWithStreams)
        try cluster.python(
            #"""
            caller = Phone("1000").register()
            # Phones whose contacts are the node, or each other's DN there; and one that has its calls sent back.
            Phone("1001").register(contact="<sip:1001@127.0.0.1:5071>")
            caller.invite("1001").hears(482)
            Phone("1002").register(contact="<sip:1003@127.0.0.1:5071>")
            Phone("1003").register(contact="<sip:1002@127.0.0.1:5071>")
            caller.invite("1002").hears(482)
            back = Phone("1004", EAST).register()
            out = caller.invite("1004")
            incoming = back.rings()
            rest = incoming.invite.text.partition("\r\n")[2]
            back.send(f"INVITE sip:1004@{DOMAIN} SIP/2.0\r\n{back.via()}\r\n{rest}", WEST)
            assert back.receive("a refusal", lambda m: m.status and m.status > 100).status == 482
            incoming.answer(480)
            out.hears(480)
            """#)
        #expect(try cluster.status().isHealthy)
    }
}
