import ClusterModel
import Glibc
import LinuxSystem
import Orchestration
import TLibrary
import TLibraryPorts
import Testing
import Transport
import Wire

/// Workers die; the cluster says so and goes on.
@Suite(.serialized) struct CrashTests {
    @Test
    func `kill -9 of a worker: out of service at once, restarted, and back in service without a word of the phones`()
        throws
    {
        let cluster = try TestCluster(TestCluster.twoNodes)
        try cluster.register("1001", at: "127.0.0.1:5071")
        try cluster.waitUntil("the peer is told") { _ in
            try cluster.details("1001").answers.allSatisfy { $0.report?.shown == .inService }
        }
        let east = try Subscriber(cluster, "dc2/sip1")
        #expect(east.snapshot["1001"] == .inService)
        let before = try #require(try cluster.status().nodes.first { $0.name == "dc1/sip1" })
        let stamp = try #require(try cluster.details("1001").authority?.stamp)
        kill(Int32(before.pid), SIGKILL)
        try east.expect("dc1/sip1 unreachable") { $0.privateInfo == .ownerUnreachable && $0.owner == "dc1/sip1" }
        try cluster.waitUntil("the node is back") { status in
            status.isHealthy && status.nodes.first { $0.name == "dc1/sip1" }?.restarts == 1
        }
        let after = try #require(try cluster.status().nodes.first { $0.name == "dc1/sip1" })
        #expect(after.incarnation == before.incarnation + 1)
        #expect(after.pid != before.pid)
        #expect(after.lastProblem.contains("signal 9"))
        // It remembers the phone and its claim.
        try east.expect("dc1/sip1 reachable") { $0.privateInfo == .ownerReachable && $0.owner == "dc1/sip1" }
        let details = try cluster.details("1001")
        #expect(details.answers.allSatisfy { $0.report?.shown == .inService })
        #expect(details.authority?.owner == "dc1/sip1")
        #expect(details.authority?.stamp == stamp)
        #expect(details.authority?.bindings.count == 1)
        try cluster.register("1001", at: "127.0.0.1:5071", localPort: 6061)
        #expect(try cluster.details("1001").authority?.stamp == stamp)
    }

    @Test func `garbage harms nobody: a bad frame closes one connection, a bad datagram is counted`() throws {
        let cluster = try TestCluster(TestCluster.twoNodes)
        let good = try cluster.client("dc1/sip1")
        // A length beyond the limit, and a TRegisterAddress that is no protobuf message.
        for bytes in [[0xFF, 0xFF, 0xFF, 0xFF, 0, 3, 0, 0], [0, 0, 0, 2, 0, 3, 0, 0, 0xFF, 0xFF]] as [[UInt8]] {
            let bad = try cluster.connection("dc1/sip1")
            var hello: [UInt8] = []
            CommonCodec.encode(PortHello(name: "test"), to: &hello)
            try bad.send(raw: hello + bytes)
            #expect(throws: BlockingConnectionError.closed(bad.address)) { while true { _ = try bad.receive() } }
        }
        try cluster.sandbox.run(["/bin/bash", "-c", "printf 'hello\\r\\n\\r\\n' > /dev/udp/127.0.0.1/5071"])
        try cluster.sandbox.run(["/bin/bash", "-c", "head -c 3000 /dev/urandom > /dev/tcp/127.0.0.1/7301"])
        try cluster.waitUntil("the noise is counted") { ($0.nodes.first?.report?.notSIP ?? 0) > 0 }
        try good.send(.queryAddress(referenceID: 9, dn: "1001"))
        let answer = try #require(try good.nextEvent(timeout: .seconds(5)))
        #expect(answer.type == .eventAddressInfo)
        let status = try cluster.status()
        #expect(status.nodes.allSatisfy { $0.restarts == 0 && $0.state == .ready })
    }

    @Test func `sipsak as a second opinion: OPTIONS, REGISTER, wrong kinds of DN`() throws {
        let cluster = try TestCluster(TestCluster.twoNodes)
        let options = try cluster.sandbox.run(["/usr/bin/sipsak", "-s", "sip:127.0.0.1:5071"])
        #expect(options.code == 0, "\(options.output)")
        let registered = try cluster.sandbox.run([
            "/usr/bin/sipsak", "-U", "-x", "60", "-C", "sip:1001@127.0.0.1:6060", "-s", "sip:1001@127.0.0.1:5071",
        ])
        #expect(registered.code == 0, "\(registered.output)")
        #expect(try cluster.details("1001").authority?.lastWord == .inService)
        for (dn, answer) in [("4711", "404"), ("7001", "403")] {
            let result = try cluster.sandbox.run([
                "/usr/bin/sipsak", "-v", "-U", "-x", "60", "-C", "sip:\(dn)@127.0.0.1:6060", "-s",
                "sip:\(dn)@127.0.0.1:5071",
            ])
            #expect(result.code != 0)
            #expect(result.output.contains("SIP/2.0 \(answer)"), "\(result.output)")
        }
    }
}
