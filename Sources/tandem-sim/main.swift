import ArgumentParser
import LinuxSystem
import Simulation

/// Runs simulated clusters and says whether the rules of ownership held.
struct TandemSim: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "tandem-sim",
        abstract: "Runs simulated clusters of the nodes' own machines, and checks the rules of ownership.",
        discussion: """
            Every run follows from its seed: the cluster, its phones, desktops and clients, what goes wrong and when. \
            A run that breaks a rule is shortened to what matters and told event by event.

            Exit status: 0 when all rules held, 1 when one was broken, 64 for wrong usage.
            """
    )

    @Option(help: ArgumentHelp("Run these seeds.", valueName: "A..B"))
    var seeds: SeedRange?

    @Option(help: ArgumentHelp("Run one seed.", valueName: "N"))
    var seed: UInt64?

    @Option(help: "How many nodes, 2 to 9, instead of what the seed says.")
    var nodes: Int?

    @Option(help: ArgumentHelp("Put a mistake back into the machines.", valueName: "name"))
    var inject: Injection?

    @Option(help: "How many runs at a time.")
    var jobs = 1

    @Flag(help: "Explore three nodes and one DN in every order of a few events.")
    var exhaustive = false

    @Option(help: ArgumentHelp("With --exhaustive: one alphabet of events.", valueName: "name"))
    var alphabet: String?

    @Option(help: "With --exhaustive: at most so many events in a row.")
    var depth: Int?

    @Flag(help: "With --seed: tell every event.")
    var trace = false

    @Flag(help: "Print each seed with the hash of its trace.")
    var hash = false

    @Flag(help: "List the mistakes that can be put back.")
    var injections = false

    func validate() throws {
        let modes = [seeds != nil, seed != nil, injections, exhaustive].count { $0 }
        guard modes == 1 else {
            throw ValidationError("say one of --seeds A..B, --seed N, --exhaustive, --injections")
        }
        guard exhaustive || (alphabet == nil && depth == nil) else {
            throw ValidationError("--alphabet and --depth go with --exhaustive")
        }
        guard !exhaustive || inject?.isInMachines != false else {
            throw ValidationError("--exhaustive takes mistakes inside the machines; --injections says which are")
        }
        guard depth.map({ (1...1000).contains($0) }) ?? true else { throw ValidationError("--depth is from 1 to 1000") }
        guard alphabet.map({ Exhaustive.names.contains($0) }) ?? true else {
            throw ValidationError("--alphabet is one of \(Exhaustive.names.joined(separator: ", "))")
        }
        guard nodes.map({ (2...9).contains($0) }) ?? true else { throw ValidationError("--nodes is from 2 to 9") }
        guard (1...256).contains(jobs) else { throw ValidationError("--jobs is from 1 to 256") }
        guard !trace || seed != nil else { throw ValidationError("--trace goes with --seed") }
    }

    func run() throws {
        if injections { return InjectionList.print() }
        let setup = RunSetup(nodeCount: nodes, injection: inject)
        let isClean: Bool
        if let seed {
            isClean = OneSeed(seed: seed, setup: setup, tellsAll: trace, printsHash: hash).run()
        } else if let seeds {
            isClean = ManySeeds(range: seeds.range, setup: setup, jobs: jobs, printsHashes: hash).run()
        } else {
            isClean = Exhaustive(alphabet: alphabet, depth: depth, injection: inject).run()
        }
        if !isClean { throw ExitCode(1) }
    }
}

/// What all runs of one call have in common.
struct RunSetup: Sendable {
    var nodeCount: Int?
    var injection: Injection?

    /// - Returns: a run that says how to repeat it if it traps.
    func simulation(seed: UInt64) -> ClusterSimulation {
        SignalReader.sayOnTrap("\nA run trapped. Repeat with: tandem-sim \(arguments(seed: seed))\n")
        return ClusterSimulation(seed: seed, nodeCount: nodeCount, injection: injection)
    }

    /// The options that repeat a seed exactly.
    func arguments(seed: UInt64) -> String {
        "--seed \(seed)" + (nodeCount.map { " --nodes \($0)" } ?? "")
            + (injection.map { " --inject \($0.name)" } ?? "")
    }
}

/// `1..10000`, both ends included.
struct SeedRange: ExpressibleByArgument {
    let range: ClosedRange<UInt64>

    init?(argument: String) {
        let parts = argument.split(separator: "..", maxSplits: 1, omittingEmptySubsequences: false)
        guard parts.count == 2, let first = UInt64(parts[0]), let last = UInt64(parts[1]), first <= last,
            last < .max
        else { return nil }
        range = first...last
    }
}

extension Injection: ExpressibleByArgument {
    /// From its name, as the command line has it.
    public init?(argument: String) {
        self.init(named: argument)
    }
}

TandemSim.main()
