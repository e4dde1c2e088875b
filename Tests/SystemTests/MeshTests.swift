import ClusterModel
import LinuxSystem
import Orchestration
import TLibrary
import TLibraryPorts
import Testing
import Wire

/// Peers that read slowly or not at all: what that costs the others, and how the link comes back.
@Suite(.serialized) struct MeshTests {
    private static let west = "127.0.0.1:5071"
    private static let east = "127.0.0.1:5072"

    enum Slowness: String, CaseIterable {
        /// The process does not run, for less than the link timeout.
        case stopped
        /// The network carries little.
        case throttled
    }

    @Test(arguments: Slowness.allCases)
    func `a slow peer costs the other node no memory, and both agree afterwards`(slowness: Slowness) throws {
        // What waits for a slow disk takes memory, too.
        var options = TestCluster.Options()
        options.arguments = ["--memory-only"]
        let cluster = try TestCluster(TestCluster.manyDNs(linkTimeout: 4_000), options: options)
        try cluster.shrinkLink()
        // Twice at full size, so that everything has been allocated that registrations need.
        for _ in 0..<2 { try cluster.registerMany(20_000, at: Self.west, "--leave") }
        #expect(try cluster.agreement() == 0)
        let before = try cluster.report("dc1/sip1")
        let peer = try cluster.worker("dc2/sip1")
        switch slowness {
        case .stopped: try peer.send(.stop)
        case .throttled: try cluster.sandbox.throttle(to: 7302)
        }
        let began = SystemClock.monotonicNanoseconds()
        try cluster.registerMany(20_000, at: Self.west, "--leave")
        let during = try cluster.report("dc1/sip1")
        let took = SystemClock.monotonicNanoseconds() - began
        let link = try #require(during.links.first)
        try peer.send(.continue)
        print(
            "\(slowness): \(link.behindRevisions) revisions behind, \(link.queuedBytes) B in the process,",
            "\(link.unacknowledgedBytes) B in the kernel; memory \(before.memoryBytes >> 10) KiB before,",
            "\(during.memoryBytes >> 10) KiB meanwhile")
        #expect(during.revision - before.revision == 40_000)
        // What is pulled ends at 256 KiB, with the message that crosses the mark.
        // In two seconds the throttle lets pass, with all buffers, what 25,000 of the 40,000 changes take; a load that took
        // longer lets the peer catch up.
        let isSure = slowness == .stopped || took < 2_000_000_000
        #expect(link.behindRevisions > (isSure ? 10_000 : 0))
        #expect(link.queuedBytes < (256 + 128) << 10)
        #expect(link.unacknowledgedBytes < 2 << 20)
        #expect(during.memoryBytes < before.memoryBytes + (5 << 20))

        if slowness == .throttled { try cluster.sandbox.heal() }
        try cluster.registerMany(1_000, at: Self.west)
        #expect(try cluster.agreement() == 1_000)
        let after = try cluster.status()
        if after.nodes.allSatisfy({ $0.restarts == 0 }) {
            #expect(try cluster.link(from: "dc2/sip1", after).snapshots == 1, "the ring held all")
        }
    }

    enum Deafness: String, CaseIterable {
        case cut, stopped
    }

    @Test(arguments: Deafness.allCases)
    func `more changes than the ring holds come back as a snapshot`(deafness: Deafness) throws {
        let cluster = try TestCluster(TestCluster.manyDNs(linkTimeout: deafness == .cut ? 1_000 : 4_500))
        try cluster.shrinkLink()
        try cluster.registerMany(500, at: Self.east)
        #expect(try cluster.agreement() == 500)
        let before = try cluster.status()
        let peer = try cluster.worker("dc2/sip1")
        switch deafness {
        case .cut:
            try cluster.sandbox.cutSilently(port: 7302)
            try cluster.awaitLoss()
        case .stopped: try peer.send(.stop)
        }
        // 45,000 come and go, 1,000 stay; some of them were the peer's. What the kernel and the connection hold of that
        // for a peer that is stopped counts as told.
        try cluster.registerMany(45_000, at: Self.west, "--leave")
        try cluster.registerMany(1_000, at: Self.west)
        switch deafness {
        case .cut: try cluster.sandbox.heal()
        case .stopped: try peer.send(.continue)
        }
        #expect(try cluster.agreement() == 1_000)
        let after = try cluster.status()
        let (told, heard) = (try cluster.link(from: "dc2/sip1", after), try cluster.link(from: "dc2/sip1", before))
        print("\(deafness): \(told.snapshots - heard.snapshots) snapshots, \(told.losses) losses")
        // On a very slow day the watchdog finds the stopped process, and another one begins.
        let isReplaced = after.nodes.contains { $0.restarts > 0 }
        #expect(told.snapshots == (isReplaced ? 0 : heard.snapshots) + 1)
        #expect(told.resumptions == (isReplaced ? 0 : heard.resumptions))
        #expect(try cluster.report("dc1/sip1", after).ownedDNs == 45_000)
        #expect(try cluster.report("dc2/sip1", after).bindings == 0, "who yields drops its bindings")
        #expect(told.mismatches == 0)
    }
}
