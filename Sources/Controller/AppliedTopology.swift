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
    /// Of the service's own file when it was read last: as long as it is the same, it has nothing new to say.
    var file: TopologyDigest?
    /// An operator has accepted that it puts DNs out of service.
    var isLossAccepted = false
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
            file: fields["file"].flatMap { UInt64($0, radix: 16) }.map { TopologyDigest(value: $0) },
            isLossAccepted: fields["accepted"] != nil, text: Array(bytes[(end + 1)...]))
    }

    func write(in directory: String) throws(SystemError) {
        let accepted = isLossAccepted ? " accepted=1" : ""
        let file = self.file.map { " file=\(String($0.value, radix: 16))" } ?? ""
        let line =
            Self.heading + "digest=\(String(digest.value, radix: 16)) generation=\(generation)\(file)\(accepted)\n"
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
    /// With the addresses that it leaves to the controller, and since when its DNs are provisioned.
    var topology: Topology
    var source: TopologySource
    var generation: UInt64
    /// What workers are told of it, or were told by an earlier controller.
    var digest: TopologyDigest
    /// Today's file says something else, and workers serve under what ran last: it is applied to them, as `tandem apply` would.
    var fileWaits = false
    /// Why today's file is not used, all of it; nil where it is.
    var problem: String?
    /// Of today's file, if it can be read and has been considered.
    var file: TopologyDigest?
    /// An operator has accepted what it does.
    var isLossAccepted = false

    /// Today's file; a service goes on with what ran last if there is a mistake in that, or if its workers still serve.
    static func make(_ options: ControllerOptions) throws(ControllerFailure) -> TopologyChoice {
        let applied = options.isService ? AppliedTopology.read(in: options.stateDirectory) : nil
        var problem: String?
        do throws(ControllerFailure) {
            let source = try read(options.topology)
            let file = TopologyDigest(of: source.text)
            if let applied, applied.file == file { return try goingOn(with: applied, file, options) }
            let topology = try Controller.resolved(try load(source), options)
            var choice = choice(topology, source, after: applied, options)
            choice.file = file
            if applied == nil || choice.generation == applied?.generation || !servesAnybody(options) { return choice }
        } catch {
            guard applied != nil else { throw error }
            problem = error.message
        }
        guard let applied else { throw ControllerFailure("nothing was applied before") }
        var choice = try goingOn(with: applied, applied.file, options)
        choice.problem = problem
        choice.fileWaits = problem == nil
        return choice
    }

    private static func goingOn(
        with applied: AppliedTopology, _ file: TopologyDigest?, _ options: ControllerOptions
    ) throws(ControllerFailure) -> TopologyChoice {
        let source = TopologySource(name: AppliedTopology.path(in: options.stateDirectory), text: applied.text)
        let topology = try Controller.resolved(try load(source), options)
        var choice = choice(topology, source, after: applied, options)
        choice.file = file
        return choice
    }

    /// As one that follows what ran last: with the same generation if it is the same for the workers.
    private static func choice(
        _ topology: Topology, _ source: TopologySource, after applied: AppliedTopology?, _ options: ControllerOptions
    ) -> TopologyChoice {
        var topology = topology
        let directory = options.clusterDirectory(topology.cluster)
        let now = SystemClock.now().wallMilliseconds
        let before = ProvisionedDNs.read(in: directory)
        if let before {
            topology.directory = topology.directory.introduced(
                after: before, at: max(now, before.latestIntroduction + 1))
        }
        let digest = Controller.digest(of: topology)
        let last = TopologyArchive(of: directory).entries().last?.generation ?? 0
        guard let applied else {
            // One that is started by hand keeps nothing but what it has applied.
            let isSame = TopologyArchive(of: directory).text(of: last) == source.text
            return TopologyChoice(
                topology: topology, source: source, generation: isSame ? last : last + 1, digest: digest)
        }
        let isSame = applied.text == source.text || isSame(applied.text, topology, before, options)
        return TopologyChoice(
            topology: topology, source: source,
            generation: isSame ? applied.generation : max(applied.generation, last) + 1,
            digest: isSame ? applied.digest : digest, isLossAccepted: isSame && applied.isLossAccepted)
    }

    /// Whether workers were told nothing else of the text that ran last: comments may have changed.
    private static func isSame(
        _ text: [UInt8], _ topology: Topology, _ provisioned: DNDirectory?, _ options: ControllerOptions
    ) -> Bool {
        guard let before = TopologyFile.load(TopologySource(name: "", text: text)).topology,
            var before = try? Controller.resolved(before, options)
        else { return false }
        if let provisioned { before.directory = before.directory.introduced(after: provisioned, at: .max) }
        return Controller.digest(of: before) == Controller.digest(of: topology)
    }

    /// Whether workers of an earlier controller are there.
    private static func servesAnybody(_ options: ControllerOptions) -> Bool {
        let names = (try? Files.names(in: options.workersDirectory)) ?? []
        return names.contains { name in
            guard ControllerOptions.isSocket(name) else { return false }
            return (try? WorkerSearch.find(at: options.workersDirectory + "/" + name)) != nil
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
