import ClusterModel
import LinuxSystem
import Orchestration
import TLibrary
import TLibraryPorts
import Testing
import Wire

/// Links that break for a moment, often, or in one direction: when each end notices, and how the link comes back.
@Suite(.serialized) struct BrokenLinkTests {
    private static let west = "127.0.0.1:5071"
    private static let east = "127.0.0.1:5072"

    @Test func `a short break with few changes is made up for without a snapshot`() throws {
        let cluster = try TestCluster(TestCluster.manyDNs(linkTimeout: 1_000))
        try cluster.registerMany(1_000, at: Self.west)
        #expect(try cluster.agreement() == 1_000)
        let before = try cluster.status()
        try cluster.sandbox.cutWithReset(port: 7302)
        try cluster.awaitLoss()
        try cluster.registerMany(200, first: 101_000, at: Self.west)
        try cluster.registerMany(300, first: 102_000, at: Self.east)
        try cluster.sandbox.heal()
        #expect(try cluster.agreement() == 1_500)
        let after = try cluster.status()
        for node in ["dc1/sip1", "dc2/sip1"] {
            let (now, then) = (try cluster.link(from: node, after), try cluster.link(from: node, before))
            #expect(now.snapshots == then.snapshots)
            #expect(now.resumptions == then.resumptions + 1)
            #expect(now.losses == then.losses + 1)
        }
    }

    @Test func `a link that flaps is dialled ever more rarely, and the views are right at each end and afterwards`()
        throws
    {
        let cluster = try TestCluster(TestCluster.manyDNs(linkTimeout: 1_000))
        try cluster.registerMany(100, at: Self.west)
        try cluster.registerMany(100, first: 101_000, at: Self.east)
        #expect(try cluster.agreement() == 200)
        let subscribers = [try Subscriber(cluster, "dc1/sip1"), try Subscriber(cluster, "dc2/sip1")]
        let before = try cluster.link(from: "dc1/sip1")
        let began = SystemClock.monotonicNanoseconds()
        for round in 0..<20 {
            try cluster.sandbox.cutWithReset(port: 7302)
            try cluster.awaitLoss()
            // Each side goes on with its own.
            if round % 5 == 0 { try cluster.registerMany(10, first: 103_000 + 10 * round, at: Self.west) }
            try cluster.sandbox.heal()
        }
        try cluster.waitUntil("the link is live") { $0.isHealthy }
        let seconds = Int((SystemClock.monotonicNanoseconds() - began) / 1_000_000_000)
        let after = try cluster.link(from: "dc1/sip1")
        let dials = Int(after.dials - before.dials)
        print("20 cuts in \(seconds) s: \(dials) dials, \(after.losses - before.losses) losses")
        // Six waits are shorter than 1.3 s; none after them is.
        #expect(dials <= 7 + seconds)
        #expect(after.snapshots == before.snapshots, "little was missed each time")
        #expect(try cluster.agreement() == 240)
        for (subscriber, node) in zip(subscribers, ["dc1/sip1", "dc2/sip1"]) {
            // A link that was cut again before it was live is lost at one end only.
            let losses = try cluster.link(from: node).losses
            try subscriber.expect("the other node is reachable for the last time") { event in
                event.privateInfo == .ownerReachable
                    && subscriber.events.count { $0.privateInfo == .ownerReachable } == losses
            }
            let turns = subscriber.events.map(\.privateInfo)
                .filter { [.ownerUnreachable, .ownerReachable].contains($0) }
            let pairs = stride(from: 0, to: turns.count, by: 2).map { Array(turns[$0..<min($0 + 2, turns.count)]) }
            #expect(pairs.allSatisfy { $0 == [.ownerUnreachable, .ownerReachable] }, "lost, back, lost, back")
        }
    }

    enum OneWay: String, CaseIterable {
        /// The accepting node hears nothing; the dialling node hears nothing.
        case deafAcceptor, deafDialer
        /// As `deafAcceptor`, and no end of the connection gets through the other way.
        case deafAcceptorWithoutEnds
        /// Neither hears anything, and neither is told.
        case vanished
    }

    @Test(arguments: OneWay.allCases)
    func `a link that is dead in one direction is lost at both ends, and stays so until it heals`(cut: OneWay) throws {
        let cluster = try TestCluster(TestCluster.manyDNs(linkTimeout: 1_000))
        try cluster.registerMany(10, at: Self.west)
        try cluster.registerMany(10, first: 101_000, at: Self.east)
        #expect(try cluster.agreement() == 20)
        let west = try Subscriber(cluster, "dc1/sip1")
        let east = try Subscriber(cluster, "dc2/sip1")
        let began = SystemClock.now().wallMilliseconds
        switch cut {
        case .deafAcceptor: try cluster.sandbox.cutOneWay(to: 7302)
        case .deafDialer: try cluster.sandbox.cutOneWay(from: 7302)
        case .deafAcceptorWithoutEnds: try cluster.sandbox.cutOneWay(to: 7302, keepingEndsFrom: 7302)
        case .vanished: try cluster.sandbox.cutSilently(port: 7302)
        }
        let atWest = try west.expect("dc2/sip1 unreachable") { $0.privateInfo == .ownerUnreachable }
        let atEast = try east.expect("dc1/sip1 unreachable") { $0.privateInfo == .ownerUnreachable }
        let times = [atWest, atEast].map { Int($0.timeMilliseconds) - Int(began) }
        print("\(cut): lost at the dialler after \(times[0]) ms, at the acceptor after \(times[1]) ms")
        // A link timeout of 1 s and a ping every 0.2 s; the rest is for a slow day.
        #expect(abs(times[0] - times[1]) < 3_000)
        try cluster.waitUntil("both say that the link is down") { status in
            status.nodes.allSatisfy { $0.report?.links.first?.state == "down" }
        }
        try cluster.sandbox.heal()
        try west.expect("dc2/sip1 reachable", seconds: 20) { $0.privateInfo == .ownerReachable }
        try east.expect("dc1/sip1 reachable", seconds: 20) { $0.privateInfo == .ownerReachable }
        #expect(try cluster.agreement() == 20)
        for statServer in [west, east] {
            let turns = statServer.events.count { [.ownerUnreachable, .ownerReachable].contains($0.privateInfo) }
            #expect(turns == 2, "lost once, back once")
        }
    }
}
