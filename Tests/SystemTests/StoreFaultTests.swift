import ClusterModel
import Glibc
import LinuxSystem
import Orchestration
import Testing

/// What nodes remember, on disks that are full, damaged, read-only or written by another build.
@Suite(.serialized) struct StoreFaultTests {
    private func mounted(_ preparation: @escaping (NetworkSandbox, String) throws -> Void = { _, _ in })
        -> TestCluster.Options
    {
        var options = TestCluster.Options()
        options.survives = true
        options.hasMounts = true
        options.preparation = preparation
        return options
    }

    private func run(_ command: String, in cluster: TestCluster) throws {
        let result = try cluster.sandbox.run(["/bin/sh", "-ec", command])
        try #require(result.code == 0, "\(command): \(result.output)")
    }

    /// What a phone is answered by a server that is given one request.
    private func answer(_ dn: String, at port: Int, in cluster: TestCluster) throws -> String {
        let script = """
            import socket, sys
            phone = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            phone.bind(("127.0.0.1", 0))
            phone.settimeout(5)
            lines = ["REGISTER sip:cc.example.com SIP/2.0",
                "Via: SIP/2.0/UDP 127.0.0.1:%d;branch=z9hG4bK%d;rport" % (phone.getsockname()[1], phone.getsockname()[1]),
                "From: <sip:\(dn)@cc.example.com>;tag=1", "To: <sip:\(dn)@cc.example.com>",
                "Call-ID: %d" % phone.getsockname()[1], "CSeq: 1 REGISTER", "Max-Forwards: 70",
                "Contact: <sip:\(dn)@127.0.0.1:%d>" % phone.getsockname()[1], "Expires: 300", "Content-Length: 0", "", ""]
            phone.sendto("\\r\\n".join(lines).encode(), ("127.0.0.1", \(port)))
            print(phone.recv(4096).decode())
            """
        return try cluster.sandbox.run(["/usr/bin/python3", "-c", script]).output
    }

    private func conditions(_ cluster: TestCluster) throws -> [String] {
        try cluster.status().conditions.map { "\($0.subject) \($0.kind)" }
    }

    @Test func `a full disk: new registrations get 503, what is registered stays, and it goes on when there is room`()
        throws
    {
        let cluster = try TestCluster(
            TestCluster.twoNodes,
            options: mounted { sandbox, directory in
                let made = try sandbox.run([
                    "/bin/sh", "-ec",
                    "mkdir -m 700 -p \(directory)/state/test/nodes; mount -t tmpfs -o size=1m,mode=700 none \(directory)/state/test/nodes",
                ])
                try #require(made.code == 0, "\(made.output)")
            })
        let nodes = cluster.directory + "/state/test/nodes"
        try cluster.register("1001", at: "127.0.0.1:5071")
        try run("! cat /dev/zero >\(nodes)/filler 2>/dev/null", in: cluster)
        // What the file has room for already may go well a few times.
        var refusal = ""
        for dn in 1010..<1090 where refusal.isEmpty {
            let answer = try answer("\(dn)", at: 5071, in: cluster)
            if answer.hasPrefix("SIP/2.0 200") { continue }
            refusal = answer
            #expect(try cluster.details("\(dn)").authority == nil, "nothing has happened")
        }
        #expect(refusal.hasPrefix("SIP/2.0 503 Service Unavailable"), "\(refusal)")
        #expect(refusal.contains("Retry-After: 5"))
        try cluster.waitUntil("the condition is there") { _ in try conditions(cluster) == ["dc1/sip1 store-failing"] }
        #expect(try cluster.status().conditions[0].message.contains("the disk is full"))
        #expect(try cluster.details("1001").answers.allSatisfy { $0.report?.shown == .inService })

        try run("rm \(nodes)/filler", in: cluster)
        try cluster.register("1099", at: "127.0.0.1:5071", localPort: 6061)
        try cluster.waitUntil("the condition is gone") { $0.conditions.isEmpty }
        let pid = try #require(try cluster.status().nodes.first?.pid)
        kill(Int32(pid), SIGKILL)
        try cluster.waitUntil("the node is back") { $0.isHealthy && $0.nodes.first?.restarts == 1 }
        for dn in ["1001", "1099"] { #expect(try cluster.details(dn).authority?.lastWord == .inService) }
    }

    @Test func `a flipped byte: the file is put aside with a condition, and the node begins without it`() throws {
        let cluster = try TestCluster(TestCluster.twoNodes, options: mounted())
        for dn in 1001...1009 { try cluster.register("\(dn)", at: "127.0.0.1:5071", localPort: 5_000 + dn) }
        try cluster.stopController()
        let path = cluster.directory + "/state/test/nodes/dc1.sip1.sqlite"
        var bytes = try Files.read(path, limit: 1 << 20)
        // In the text of a contact.
        let contact = Array("sip:1005@127.0.0.1".utf8)
        let position = try #require(bytes.indices.first { bytes[$0...].starts(with: contact) })
        bytes[position + 5] ^= 1
        try Files.writeAtomically(bytes, to: path)

        try cluster.startController()
        try cluster.waitUntil("the cluster is healthy") { $0.isHealthy }
        let status = try cluster.status()
        let condition = try #require(status.conditions.first { $0.kind == "store-set-aside" })
        #expect(condition.subject == "dc1/sip1" && condition.message.contains(path + ".damaged-"))
        #expect(try Files.names(in: cluster.directory + "/state/test/nodes").contains { $0.contains(".damaged-") })
        #expect(try cluster.details("1001").authority?.lastWord != .inService)
        // And a new one is kept.
        try cluster.register("1001", at: "127.0.0.1:5071")
        kill(Int32(try #require(status.nodes.first?.pid)), SIGKILL)
        try cluster.waitUntil("the node is back") { $0.isHealthy && $0.nodes.first?.restarts == 1 }
        #expect(try cluster.details("1001").authority?.lastWord == .inService)
        #expect(try cluster.status().conditions.map(\.kind) == ["node-restarted"])
    }

    @Test func `a read-only directory: the node serves without a store and says so`() throws {
        let cluster = try TestCluster(TestCluster.twoNodes, options: mounted())
        try cluster.register("1001", at: "127.0.0.1:5071")
        try cluster.stopController()
        let nodes = cluster.directory + "/state/test/nodes"
        try run("mount --bind \(nodes) \(nodes); mount -o remount,bind,ro \(nodes)", in: cluster)
        try cluster.startController()
        try cluster.waitUntil("the conditions are there, and nothing else is wrong") { _ in
            try conditions(cluster) == ["dc1/sip1 store-missing", "dc2/sip1 store-missing"]
        }
        let message = try #require(try cluster.status().conditions.first?.message)
        #expect(message.contains("its directory cannot be written: Read-only file system"), "\(message)")
        try cluster.register("1002", at: "127.0.0.1:5071")
        #expect(try cluster.details("1002").answers.allSatisfy { $0.report?.shown == .inService })

        // Once it can be written, the next life has what was kept before.
        try cluster.stopController()
        try run("umount \(nodes)", in: cluster)
        try cluster.startController()
        try cluster.waitUntil("the cluster is healthy") { $0.isHealthy }
        #expect(try cluster.status().conditions.isEmpty)
        #expect(try cluster.details("1001").authority?.lastWord == .inService)
    }

    @Test func `a file of a newer build: the node does not begin, and says why`() throws {
        let cluster = try TestCluster(TestCluster.twoNodes, options: mounted())
        try cluster.stopController()
        let path = cluster.directory + "/state/test/nodes/dc1.sip1.sqlite"
        let script = """
            import sqlite3
            store = sqlite3.connect("\(path)")
            store.execute("INSERT INTO grdb_migrations (identifier) VALUES ('999')")
            store.commit()
            """
        let result = try Program.run(["/usr/bin/python3", "-c", script])
        try #require(result.code == 0, "\(result.output)")
        try cluster.startController()
        try cluster.waitUntil("the node gives up") { status in
            status.conditions.contains {
                $0.kind == "node-down" && $0.message.contains("\(path) was written by a newer build")
            }
        }
        #expect(try cluster.status().nodes.last?.state == .ready)
    }
}
