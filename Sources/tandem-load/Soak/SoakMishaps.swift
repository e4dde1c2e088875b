import ClusterModel
import LinuxSystem

/// What happens to nodes and links in a soak, one thing at a time.
final class SoakMishaps {
    struct Counts {
        var kills = 0
        var controllerKills = 0
        /// Stopped for longer than the link timeout, and for less.
        var longStops = 0
        var shortStops = 0
        var cuts = 0
    }

    private enum Mishap {
        case stopped(ChildProcess, node: Int)
        case cut(String)
    }

    private(set) var counts = Counts()
    private let cluster: BenchCluster
    private let canCut: Bool
    private let isStorm: Bool
    private var random: SoakRandom
    private var present: Mishap?
    private var endsAt: UInt64 = 0
    private var nextAt: UInt64 = 0

    /// - Parameters:
    ///   - canCut: the run has a network namespace of its own.
    ///   - isStorm: there are only deaths, and many.
    init(_ cluster: BenchCluster, canCut: Bool, isStorm: Bool, seed: UInt64) {
        self.cluster = cluster
        self.canCut = canCut
        self.isStorm = isStorm
        random = SoakRandom(seed: seed)
    }

    /// The node does not run just now.
    func isStopped(_ node: Int) -> Bool {
        guard case .stopped(_, node)? = present else { return false }
        return true
    }

    var presentWords: String {
        switch present {
        case nil: "-"
        case .stopped(_, let node): "\(cluster.nodes[node]) stopped"
        case .cut(let what): what
        }
    }

    func tick(now: UInt64) throws {
        if present != nil {
            guard now >= endsAt else { return }
            try heal()
            nextAt = now + random.nanoseconds(1_500, 4_000)
        } else if nextAt == 0 {
            nextAt = now + random.nanoseconds(1_000, 3_000)
        } else if now >= nextAt {
            try begin(now: now)
        }
    }

    func heal() throws {
        switch present {
        case nil: break
        case .stopped(let process, _): try process.send(.continue)
        case .cut: try Self.nft("delete table inet soak")
        }
        present = nil
    }

    private func begin(now: UInt64) throws {
        if isStorm { return try die(now: now) }
        let node = random.below(cluster.nodes.count)
        let choice = random.below(100)
        if canCut, choice < 50 {
            try cut(random.below(cluster.nodes.count - 1) + 1)
            endsAt = now + random.nanoseconds(500, 5_000)
        } else if choice < 75 {
            let process = try ChildProcess.adopt(try cluster.worker(node))
            try process.send(.stop)
            present = .stopped(process, node: node)
            // Longer than the link timeout of 2 s and shorter than the watchdog's 5 s, or shorter than both.
            let isLong = random.below(3) > 0
            endsAt = now + (isLong ? random.nanoseconds(2_300, 3_500) : random.nanoseconds(300, 1_500))
            if isLong { counts.longStops += 1 } else { counts.shortStops += 1 }
        } else {
            let process = try ChildProcess.adopt(try cluster.worker(node))
            try process.send(.kill)
            _ = try process.descriptor.wait(forReading: true, nanoseconds: 2_000_000_000)
            counts.kills += 1
            nextAt = now + random.nanoseconds(2_000, 5_000)
        }
    }

    /// One worker, several at once, or the controller, now and then in the middle of a worker's start.
    private func die(now: UInt64) throws {
        nextAt = now + random.nanoseconds(200, 3_000)
        if random.below(100) < 30 {
            try cluster.replaceController()
            counts.controllerKills += 1
        }
        guard random.below(100) < 85 else { return }
        let deaths = random.below(100) < 25 ? cluster.nodes.count : 1
        for _ in 0..<deaths { try kill(random.below(cluster.nodes.count)) }
    }

    /// Does nothing to a node that is being started again.
    private func kill(_ node: Int) throws {
        guard let pid = try? cluster.worker(node), let process = try? ChildProcess.adopt(pid) else { return }
        try process.send(.kill)
        counts.kills += 1
    }

    /// Cuts a node off from those with lesser names, which dial it: silently, in one direction, or with resets.
    private func cut(_ node: Int) throws {
        let port = cluster.mesh[node].port
        let (to, from) = ("tcp dport \(port)", "tcp sport \(port)")
        let ways: [(words: String, rules: [String])] = [
            ("silent", ["\(to) drop", "\(from) drop"]), ("deaf", ["\(to) drop"]), ("mute", ["\(from) drop"]),
            ("reset", ["\(to) reject with tcp reset", "\(from) reject with tcp reset"]),
        ]
        let way = ways[random.below(ways.count)]
        let table = ["add table inet soak", "add chain inet soak input { type filter hook input priority 0 ; }"]
        try Self.nft((table + way.rules.map { "add rule inet soak input \($0)" }).joined(separator: "\n"))
        present = .cut("\(cluster.nodes[node]) \(way.words)")
        counts.cuts += 1
    }

    private static func nft(_ commands: String) throws {
        let code = try HelperProgram.run([SoakNamespace.nft, commands])
        guard code == .exited(code: 0) else { throw LoadFailure("nft ended with \(code): \(commands)") }
    }
}

/// A network of the run's own, in which links can be cut.
enum SoakNamespace {
    static let nft = "/usr/sbin/nft"
    private static let unshare = "/usr/bin/unshare"
    private static let ip = "/bin/ip"

    private static var options: [String] {
        (ProcessInformation.user == 0 ? [] : ["--map-root-user", "--user"]) + ["--net"]
    }

    /// Whether this machine lets us make one.
    static var isPossible: Bool {
        [unshare, nft, ip].allSatisfy { Files.isExecutable($0) }
            && (try? HelperProgram.run([unshare] + options + [nft, "list ruleset"])) == .exited(code: 0)
    }

    /// The command line that runs a program inside.
    static func inside(_ command: [String]) -> [String] {
        [unshare] + options + ["/bin/sh", "-c", "\(ip) link set lo up && exec \"$0\" \"$@\""] + command
    }
}

/// Chance from a seed.
struct SoakRandom: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) { state = seed }

    /// SplitMix64.
    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        return mixed(state)
    }

    mutating func below(_ bound: Int) -> Int { Int(next() % UInt64(bound)) }

    /// Between two numbers of milliseconds, as nanoseconds.
    mutating func nanoseconds(_ least: UInt64, _ most: UInt64) -> UInt64 {
        (least + next() % (most - least + 1)) * 1_000_000
    }
}
