import ClusterModel
import LinuxSystem
import Orchestration
import TLibrary
import TLibraryPorts
import Testing
import Wire

// What the tests of links need besides: many DNs, phones by the thousand, and figures of a link.
extension TestCluster {
    /// Two nodes with 100,000 DNs.
    ///
    /// - Parameter linkTimeout: in milliseconds; pings go five times as often.
    static func manyDNs(linkTimeout: Int) -> (String) -> String {
        { directory in
            """
            version: 1
            cluster: test
            domain: cc.example.com
            agentTypes:
              sip-phone: { phone: sip }
            dataCenters:
              dc1:
                nodes:
                  sip1:
                    host: local
                    sip: [ "udp:127.0.0.1:5071" ]
                    tcontroller: "unix:\(directory)/dc1-sip1"
                    mesh: "tcp:127.0.0.1:7301"
              dc2:
                nodes:
                  sip1:
                    host: local
                    sip: [ "udp:127.0.0.1:5072" ]
                    tcontroller: "unix:\(directory)/dc2-sip1"
                    mesh: "tcp:127.0.0.1:7302"
            dns:
              - { range: 100000-199999, agentType: sip-phone }
            timing: { keepalive: \(linkTimeout / 5)ms, linkTimeout: \(linkTimeout)ms }
            """
        }
    }

    /// Registers a number of phones, each once, from the first DN on; `--leave` removes their contacts again.
    func registerMany(_ count: Int, first: Int = 100_000, at address: String, _ options: String...) throws {
        let result = try sandbox.run(
            [
                Executables.companion("tandem-load"), "register", "--target", address, "--first", "\(first)",
                "--count", "\(count)", "--once", "--seconds", "60",
            ] + options, seconds: 150)
        try #require(result.code == 0, "\(result.output)\n\(logText)")
    }

    func report(_ node: String, _ status: ClusterStatus? = nil) throws -> NodeReport {
        try #require((try status ?? self.status()).nodes.first { $0.name == node }?.report, "\(node) does not answer")
    }

    /// One direction of the link, as the node at its start sees it.
    func link(from node: String, _ status: ClusterStatus? = nil) throws -> LinkStatus {
        try #require(report(node, status).links.first)
    }

    func worker(_ node: String) throws -> ChildProcess {
        let pid = try #require(try status().nodes.first { $0.name == node }?.pid)
        return try ChildProcess.adopt(Int32(pid))
    }

    /// Every DN that was ever claimed, as a node shows it to its clients.
    func views(_ node: String) throws -> [DN: ReceivedEvent.Status] {
        let client = try client(node)
        try client.monitorAll(MonitorOptions(acceptsOwnerEvents: true))
        var views: [DN: ReceivedEvent.Status] = [:]
        while let event = try client.nextEvent(timeout: .seconds(10)) {
            for status in event.statuses { views[status.dn] = status }
            if event.privateInfo == .endOfSnapshot { return views }
        }
        throw Timeout(what: "the snapshot of \(node)")
    }

    /// Waits until all is told, and compares what the two nodes show of each DN.
    ///
    /// - Returns: how many DNs they show in service.
    func agreement() throws -> Int {
        try waitUntil("the cluster is healthy", seconds: 30) { $0.isHealthy }
        try waitUntil("everything is told", seconds: 30) { status in
            status.nodes.allSatisfy { node in
                node.report?.links.allSatisfy { $0.behindRevisions == 0 && $0.queuedBytes == 0 } == true
            }
        }
        var differences = 0
        var inService = 0
        // What was told last may still be on its way.
        try waitUntil("the nodes agree", seconds: 30) { _ in
            let (west, east) = (try views("dc1/sip1"), try views("dc2/sip1"))
            inService = west.values.count { $0.service.isInService }
            differences = Set(west.keys).union(east.keys).count { west[$0] != east[$0] }
            return differences == 0
        }
        return inService
    }
}

extension TestCluster {
    /// Has the link connect again with little room in the kernel, so that a slow peer is soon felt.
    func shrinkLink() throws {
        try sandbox.shrinkBuffers()
        try sandbox.cutWithReset(port: 7302)
        try awaitLoss()
        try sandbox.heal()
        try waitUntil("the link is live") { $0.isHealthy }
    }

    /// Waits until both nodes say that their link is down.
    func awaitLoss() throws {
        try waitUntil("the link is lost") { status in
            status.nodes.allSatisfy { $0.report?.links.first?.state == "down" }
        }
    }
}

extension NetworkSandbox {
    /// Drops what goes to a TCP port and lets its answers through.
    func cutOneWay(to port: Int) throws { try drop(["tcp dport \(port)"]) }

    /// Drops what comes from a TCP port and lets through what goes there.
    func cutOneWay(from port: Int) throws { try drop(["tcp sport \(port)"]) }

    /// Drops what goes to a TCP port, and of its answers those that end a connection.
    func cutOneWay(to port: Int, keepingEndsFrom source: Int) throws {
        try drop(["tcp dport \(port)", "tcp sport \(source) tcp flags & (fin | rst) != 0"])
    }

    /// Lets a hundred kilobytes a second through to a TCP port, and drops the rest.
    func throttle(to port: Int) throws {
        try drop(["tcp dport \(port) limit rate over 100 kbytes/second burst 100 kbytes"])
    }

    /// Drops datagrams by chance, whatever ports they are between.
    func loseDatagrams(oneIn number: Int) throws {
        try drop(["meta l4proto udp numgen random mod \(number) < 1 counter"])
    }

    /// How many were dropped since then.
    func lostDatagrams() throws -> Int {
        let list = try run(["/usr/sbin/nft", "list table inet cut"]).output
        let words = list.split(whereSeparator: \.isWhitespace)
        return words.firstIndex(of: "packets").flatMap { Int(words[$0 + 1]) } ?? 0
    }

    private func drop(_ packets: [String]) throws {
        let table = ["add table inet cut", "add chain inet cut input { type filter hook input priority 0 ; }"]
        let rules = table + packets.map { "add rule inet cut input \($0) drop" }
        let result = try run(["/usr/sbin/nft", rules.joined(separator: "\n")])
        try #require(result.code == 0, "\(result.output)")
    }

    /// Leaves the kernel little room for what new connections have sent and nobody has acknowledged.
    func shrinkBuffers() throws {
        let result = try run([
            "/bin/sh", "-c", "cd /proc/sys/net/ipv4 && echo 4096 16384 65536 | tee tcp_wmem >tcp_rmem",
        ])
        try #require(result.code == 0, "\(result.output)")
    }
}
