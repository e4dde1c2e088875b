import ClusterModel
import DNOwnership
import NodeCore
import Testing

/// REGISTERs that have waited in the socket of a node that did not run, while their phones may have gone elsewhere.
@Suite struct BelatedTests {
    private func isOK(_ answer: String) -> Bool { answer.hasPrefix("SIP/2.0 200") }

    private func stamp(_ pair: TwoNodes, _ dn: String, at node: Int) throws -> Stamp {
        let index = try #require(DN(dn).flatMap { pair.topology.directory.index(of: $0) })
        return pair.cores[node].ownership.view(of: index).stamp
    }

    private func waited(since came: Double, until read: Double) -> NodeCore.Arrival {
        NodeCore.Arrival(came: at(came).wallMilliseconds, read: at(read).wallMilliseconds)
    }

    @Test func `what nobody else has is taken, with the stamp of when it came`() throws {
        let pair = TwoNodes()
        pair.advance(seconds: 10)
        #expect(isOK(pair.register("1001", at: 0, waited: 3_000)))
        #expect(pair.services("1001") == [.inService, .inService])
        #expect(try stamp(pair, "1001", at: 1).milliseconds == pair.now.wallMilliseconds - 3_000)
        // Others are of now, and greater than all.
        #expect(isOK(pair.register("1002", at: 0, waited: 200)))
        #expect(try stamp(pair, "1002", at: 1).milliseconds == pair.now.wallMilliseconds)
    }

    @Test func `what a node has that can be heard stays there, until the phone asks again`() {
        let pair = TwoNodes()
        pair.register("1001", at: 1)
        pair.advance(seconds: 10)
        #expect(pair.register("1001", at: 0, waited: 3_000).isEmpty)
        #expect(pair.register("1001", at: 0, expires: "Expires: 0", waited: 3_000).isEmpty)
        #expect(pair.register("1001", at: 0, contact: "Contact: *", expires: "Expires: 0", waited: 3_000).isEmpty)
        #expect(!pair.cores[0].hasSIPMessages(for: NodeIndex(1)), "nor is the owner asked")
        #expect(pair.bindings("1001") == [0, 1])
        // Nor does it come back where it was left.
        pair.register("1001", at: 1, contact: "Contact: *", expires: "Expires: 0")
        #expect(pair.register("1001", at: 0, waited: 3_000).isEmpty)
        #expect(pair.services("1001") == [.unregistered, .unregistered])
        #expect(isOK(pair.register("1001", at: 0)))
        #expect(pair.bindings("1001") == [1, 0])
    }

    @Test
    func `what was claimed since by a node that cannot be heard stays there, and what was claimed before does not`() {
        let pair = TwoNodes()
        pair.advance(seconds: 10)
        pair.register("1001", at: 1)
        pair.advance(seconds: 10)
        pair.cut()
        #expect(pair.register("1001", at: 0, waited: 12_000).isEmpty)
        #expect(pair.services("1001") == [.ownerUnreachable, .inService])
        #expect(isOK(pair.register("1001", at: 0, waited: 8_000)))
        #expect(pair.services("1001") == [.inService, .inService])
        // And that is the later one for the other node, too.
        pair.connect()
        #expect(pair.bindings("1001") == [1, 0])
    }

    @Test func `a later refresh elsewhere wins when the nodes hear each other again`() {
        let pair = TwoNodes()
        pair.register("1001", at: 1)
        pair.advance(seconds: 10)
        pair.cut()
        pair.register("1001", at: 1)
        #expect(isOK(pair.register("1001", at: 0, waited: 3_000)))
        pair.connect()
        #expect(pair.bindings("1001") == [0, 1])
        #expect(pair.services("1001") == [.inService, .inService])
    }

    @Test func `a phone that has left since stays away when the nodes hear each other again`() {
        let pair = TwoNodes()
        pair.register("1001", at: 1)
        pair.advance(seconds: 10)
        pair.cut()
        pair.register("1001", at: 1, contact: "Contact: *", expires: "Expires: 0")
        #expect(isOK(pair.register("1001", at: 0, waited: 3_000)))
        pair.connect()
        #expect(pair.services("1001") == [.unregistered, .unregistered])
        #expect(pair.bindings("1001") == [0, 0])
    }

    @Test func `it is written down with the stamp of when it came`() throws {
        var node = Remembering()
        var answers = DatagramBatch()
        let text = Array(register("1000").utf8)
        node.core.datagramReceived(
            text.span, from: phone, arrival: waited(since: 7, until: 10), now: at(10), answers: &answers)
        let row = try #require(node.write(10).first?.row)
        #expect(row.claim.milliseconds == at(7).wallMilliseconds && row.registered == row.claim)
        #expect(node.commit(10) == ["200 OK"])
        // A refresh of its own that came before changes nothing of when it was registered last.
        node.core.datagramReceived(
            Array(register("1000", cseq: 2).utf8).span, from: NetworkAddress(ipv4: 0x0A00_0002, port: 5066),
            arrival: waited(since: 5, until: 10), now: at(10), answers: &answers)
        let refreshed = try #require(node.write(10).first?.row)
        #expect(refreshed.registered == row.registered)
        #expect(node.commit(10) == ["200 OK"])
        #expect(node.write(10).isEmpty)
    }

    @Test func `who asks what is registered is answered, however late`() {
        let pair = TwoNodes()
        pair.register("1001", at: 1)
        pair.advance(seconds: 10)
        #expect(pair.register("1001", at: 0, contact: "", waited: 5_000).isEmpty)
        #expect(pair.cores[0].hasSIPMessages(for: NodeIndex(1)), "the owner is asked")
        pair.cut()
        #expect(pair.register("1001", at: 0, contact: "", waited: 11_000).hasPrefix("SIP/2.0 504"))
    }

    @Test func `what nobody waits for any more does nothing`() {
        let pair = TwoNodes()
        pair.advance(seconds: 60)
        #expect(pair.register("1001", at: 0, waited: 33_000).isEmpty)
        #expect(pair.services("1001") == [.neverRegistered, .neverRegistered])
    }
}
