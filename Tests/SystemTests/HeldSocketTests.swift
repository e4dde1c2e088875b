import ClusterModel
import Glibc
import LinuxSystem
import Orchestration
import Testing

/// The controller keeps the sockets of its workers: what comes while one is replaced waits.
@Suite(.serialized) struct HeldSocketTests {
    @Test func `a REGISTER and a connection that come while no process serves the node are answered by its next life`()
        throws
    {
        var options = TestCluster.Options()
        options.survives = true
        let cluster = try TestCluster(TestCluster.twoNodes, options: options)
        let node = try #require(try cluster.status().nodes.first)
        // Nobody starts the node again while the controller does not run.
        try cluster.controller.send(.stop)
        let worker = try ChildProcess.adopt(Int32(node.pid))
        try worker.send(.kill)
        try #require(try worker.descriptor.wait(forReading: true, nanoseconds: 5_000_000_000))
        let script = """
            import os, signal, socket
            phone = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            phone.bind(("127.0.0.1", 6060))
            phone.settimeout(10)
            lines = ["REGISTER sip:cc.example.com SIP/2.0", "Via: SIP/2.0/UDP 127.0.0.1:6060;branch=z9hG4bK1;rport",
                "From: <sip:1001@cc.example.com>;tag=1", "To: <sip:1001@cc.example.com>", "Call-ID: 1",
                "CSeq: 1 REGISTER", "Max-Forwards: 70", "Contact: <sip:1001@127.0.0.1:6060>", "Expires: 300",
                "Content-Length: 0", "", ""]
            phone.sendto("\\r\\n".join(lines).encode(), ("127.0.0.1", 5071))
            client = socket.socket(socket.AF_UNIX)
            client.connect("\(cluster.directory)/dc1-sip1")
            peer = socket.create_connection(("127.0.0.1", 7301))
            os.kill(\(cluster.controller.process), signal.SIGCONT)
            print(phone.recv(4096).decode().split("\\r\\n")[0])
            """
        let result = try cluster.sandbox.run(["/usr/bin/python3", "-c", script])
        #expect(result.output == "SIP/2.0 200 OK\n")
        try cluster.waitUntil("the node is back") { $0.isHealthy && $0.nodes.first?.restarts == 1 }
        #expect(try cluster.details("1001").authority?.lastWord == .inService)
    }

    enum Silence: String, CaseIterable {
        /// The process does not run, for less than the link timeout.
        case stopped
        /// It has died, and nobody starts another one for a while.
        case died
    }

    @Test(arguments: Silence.allCases)
    func `a REGISTER that has waited too long takes nothing from a node where its phone has registered since`(
        silence: Silence
    ) throws {
        var options = TestCluster.Options()
        options.survives = true
        let cluster = try TestCluster(
            { directory in
                TestCluster.manyDNs(linkTimeout: 4_000)(directory)
                    .replacing("\"udp:127.0.0.1:5071\"", with: "\"udp:127.0.0.1:5071\", \"tcp:127.0.0.1:5071\"")
            }, options: options)
        let worker = try cluster.worker("dc1/sip1")
        switch silence {
        case .stopped: try worker.send(.stop)
        case .died:
            try cluster.controller.send(.stop)
            try worker.send(.kill)
            try #require(try worker.descriptor.wait(forReading: true, nanoseconds: 5_000_000_000))
        }
        let script = """
            import os, signal, socket, time
            phone = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            phone.bind(("127.0.0.1", 6060))
            phone.settimeout(10)
            def text(dn, sequence, expires=300):
                lines = ["REGISTER sip:cc.example.com SIP/2.0",
                    f"Via: SIP/2.0/UDP 127.0.0.1:6060;branch=z9hG4bK{dn}{sequence};rport",
                    f"From: <sip:{dn}@cc.example.com>;tag=1", f"To: <sip:{dn}@cc.example.com>", f"Call-ID: {dn}",
                    f"CSeq: {sequence} REGISTER", "Max-Forwards: 70", f"Contact: <sip:{dn}@127.0.0.1:6060>",
                    f"Expires: {expires}", "Content-Length: 0", "", ""]
                return "\\r\\n".join(lines).encode()
            def register(dn, sequence, port, expires=300):
                phone.sendto(text(dn, sequence, expires), ("127.0.0.1", port))
            def answer():
                return phone.recv(4096).decode().split("\\r\\n")[0]
            for dn in 100001, 100002: register(dn, 1, 5071)
            with socket.create_connection(("127.0.0.1", 5071)) as stream: stream.sendall(text(100004, 1))
            # Longer than a REGISTER may wait and be news.
            time.sleep(1)
            # Nobody answers, so the one registers elsewhere; the other does so, too, and leaves again.
            for dn in 100001, 100002, 100004: register(dn, 2, 5072); print(answer())
            register(100002, 3, 5072, 0); print(answer())
            os.kill(\(silence == .stopped ? worker.process : cluster.controller.process), signal.SIGCONT)
            # Whoever still waits is served.
            register(100003, 1, 5071)
            while True:
                text = phone.recv(4096).decode()
                if "sip:100003@" in text: break
            print(text.split("\\r\\n")[0])
            """
        let result = try cluster.sandbox.run(["/usr/bin/python3", "-c", script])
        #expect(result.output == String(repeating: "SIP/2.0 200 OK\n", count: 5))
        try cluster.waitUntil("both nodes are well") { status in
            status.isHealthy && status.nodes.allSatisfy { $0.report?.links.allSatisfy { $0.state == "live" } == true }
        }
        #expect(try cluster.agreement() == 3)
        for (dn, service) in [("100001", Service.inService), ("100002", .unregistered), ("100004", .inService)] {
            let authority = try cluster.details(dn).authority
            #expect(authority?.owner == "dc2/sip1", "\(dn)")
            #expect(authority?.lastWord == service, "\(dn)")
        }
    }

    @Test func `the receive buffers are as large as they should be, and status says how large`() throws {
        let cluster = try TestCluster(TestCluster.twoNodes)
        for node in try cluster.status().nodes {
            // Root may have what it asks for.
            #expect(node.report?.receiveBufferBytes == 16 << 20)
        }
    }

    @Test func `a node that cannot start lets its ports go, so that whoever comes hears that nobody is there`() throws {
        let cluster = try TestCluster(TestCluster.twoNodes)
        let name = "dc1/sip1"
        // Each death makes the next start wait for longer.
        try cluster.waitUntil("the node backs off", seconds: 60) { status in
            let node = try #require(status.nodes.first { $0.name == name })
            if node.pid > 0, node.state != .backingOff { kill(Int32(node.pid), SIGKILL) }
            return node.state == .backingOff && node.restarts > 6
        }
        let script = """
            import socket, sys
            try: socket.create_connection(("127.0.0.1", 7301), 2)
            except ConnectionRefusedError: print("refused")
            """
        try cluster.waitUntil("nobody is there") { _ in
            try cluster.sandbox.run(["/usr/bin/python3", "-c", script]).output == "refused\n"
        }
        try cluster.waitUntil("the node is back", seconds: 30) { $0.isHealthy }
    }
}
