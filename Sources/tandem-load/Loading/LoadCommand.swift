import ArgumentParser
import ClusterModel
import LinuxSystem
import TopologyFile

/// Loads one topology file in a process of its own, so that its memory can be told from all else: for the bench.
struct LoadCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "load", abstract: "Loads a topology file, and prints what it took.", shouldDisplay: false)

    @Argument(help: "A topology file.")
    var file: String

    func run() throws {
        let begun = SystemClock.monotonicNanoseconds()
        let result = TopologyFile.load(try TopologyFile.read(path: file))
        let loaded = SystemClock.monotonicNanoseconds()
        guard let topology = result.topology, result.diagnostics.isEmpty else {
            throw LoadFailure("\(file) is not as it should be: \(result.diagnostics.first?.message ?? "")")
        }
        let peak = ProcessInformation.peakResidentBytes(of: ProcessInformation.current) ?? 0
        print(topology.directory.count, loaded - begun, peak)
    }
}
