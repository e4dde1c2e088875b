import ClusterModel
import LinuxSystem
import Orchestration
import TopologyFile

/// The topology that ran last, as a controller keeps it for the one after it: when today's file is broken, it goes on; and when a
/// newer program counts the same topology in another way, workers that were told the former count are still known to run it.
struct AppliedTopology: Equatable {
    /// What workers were told of it.
    var digest: TopologyDigest
    /// Greater than that of every topology before it.
    var generation: UInt64
    var text: [UInt8]

    private static let name = "/applied.yaml"
    /// A comment, so that the file is a topology that `tandem validate` reads.
    private static let heading = "# What ran last, kept by tandemd, which writes it anew. "
    /// With its heading.
    static let maximumBytes = TopologyFile.maximumBytes + 1024

    static func path(in directory: String) -> String { directory + name }

    /// - Returns: nil where there is none that can be read.
    static func read(in directory: String) -> AppliedTopology? {
        guard let bytes = try? Files.read(path(in: directory), limit: maximumBytes) else { return nil }
        guard let end = bytes.firstIndex(of: UInt8(ascii: "\n")) else { return nil }
        let fields = fields(String(decoding: bytes[..<end], as: UTF8.self), after: heading)
        guard let value = fields["digest"].flatMap({ UInt64($0, radix: 16) }) else { return nil }
        return AppliedTopology(
            digest: TopologyDigest(value: value), generation: fields["generation"].flatMap { UInt64($0) } ?? 1,
            text: Array(bytes[(end + 1)...]))
    }

    func write(in directory: String) throws(SystemError) {
        let line = Self.heading + "digest=\(String(digest.value, radix: 16)) generation=\(generation)\n"
        try Files.writeAtomically(Array(line.utf8) + text, to: Self.path(in: directory))
    }

    /// `key=value`, as they stand in a line that begins so; none in one that does not.
    static func fields(_ line: String, after heading: String) -> [String: String] {
        guard line.hasPrefix(heading) else { return [:] }
        let pairs = line.dropFirst(heading.count).split(separator: " ").map { $0.split(separator: "=", maxSplits: 1) }
        return Dictionary(
            pairs.filter { $0.count == 2 }.map { (String($0[0]), String($0[1])) }, uniquingKeysWith: { $1 })
    }
}

/// Which topology a controller begins with.
struct TopologyChoice {
    var topology: Topology
    var source: TopologySource
    /// What ran last, if that is known.
    var applied: AppliedTopology?
    /// Why today's file is not used, all of it; nil where it is.
    var problem: String?

    /// Today's file; a service goes on with what ran last if there is a mistake in that.
    static func make(_ options: ControllerOptions) throws(ControllerFailure) -> TopologyChoice {
        let applied = options.isService ? AppliedTopology.read(in: options.stateDirectory) : nil
        do throws(ControllerFailure) {
            let source = try read(options.topology)
            return TopologyChoice(topology: try load(source), source: source, applied: applied)
        } catch {
            guard let applied else { throw error }
            let source = TopologySource(name: AppliedTopology.path(in: options.stateDirectory), text: applied.text)
            guard let topology = TopologyFile.load(source).topology else { throw error }
            return TopologyChoice(topology: topology, source: source, applied: applied, problem: error.message)
        }
    }

    static func read(_ path: String) throws(ControllerFailure) -> TopologySource {
        do throws(TopologyFileError) {
            return try TopologyFile.read(path: path)
        } catch {
            throw ControllerFailure("\(error)", exitCode: error.exitCode)
        }
    }

    static func load(_ source: TopologySource) throws(ControllerFailure) -> Topology {
        let result = TopologyFile.load(source)
        if let topology = result.topology { return topology }
        let text = result.diagnostics.map { $0.rendered(source: source, color: false) }.joined(separator: "\n")
        throw ControllerFailure(text, exitCode: 65)
    }
}
