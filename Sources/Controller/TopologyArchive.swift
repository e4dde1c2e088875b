import ClusterModel
import LinuxSystem
import Orchestration

/// The topologies that were applied, each as a file that `tandem validate` reads, so that one can go back to any of the last.
struct TopologyArchive {
    /// How many are kept.
    static let kept = 20

    /// What is known of one without reading all of it.
    struct Entry: Equatable {
        var generation: UInt64
        /// Milliseconds since 1970.
        var appliedAt: UInt64
        /// The user who asked for it; nil for the controller itself.
        var user: UInt32?
        /// How many bytes it has.
        var bytes = 0
    }

    private let directory: String
    private static let ending = ".yaml"
    private static let heading = "# Applied by tandemd. "

    /// - Parameter directory: of the cluster.
    init(of directory: String) { self.directory = directory + "/topologies" }

    /// By generation; those that cannot be read are left out.
    func entries() -> [Entry] {
        let names = (try? Files.names(in: directory)) ?? []
        return names.compactMap { name in
            guard name.hasSuffix(Self.ending), UInt64(name.dropLast(Self.ending.count)) != nil,
                let bytes = try? Files.read(directory + "/" + name, limit: AppliedTopology.maximumBytes)
            else { return nil }
            return Self.entry(bytes)
        }.sorted { $0.generation < $1.generation }
    }

    /// - Returns: nil of one that is not kept.
    func text(of generation: UInt64) -> [UInt8]? {
        guard let bytes = try? Files.read(path(of: generation), limit: AppliedTopology.maximumBytes),
            Self.entry(bytes) != nil, let end = bytes.firstIndex(of: UInt8(ascii: "\n"))
        else { return nil }
        return Array(bytes[(end + 1)...])
    }

    /// Those that are older than the last `kept` go.
    func keep(_ entry: Entry, _ text: [UInt8]) throws(SystemError) {
        try Files.makeDirectory(directory)
        let user = entry.user.map { " user=\($0)" } ?? ""
        let line = "\(Self.heading)generation=\(entry.generation) at=\(entry.appliedAt)\(user)\n"
        try Files.writeAtomically(Array(line.utf8) + text, to: path(of: entry.generation))
        for name in (try? Files.names(in: directory)) ?? [] {
            guard let number = UInt64(name.dropLast(Self.ending.count)), number + UInt64(Self.kept) <= entry.generation
            else { continue }
            _ = try? Files.remove(directory + "/" + name)
        }
    }

    private func path(of generation: UInt64) -> String { "\(directory)/\(generation)\(Self.ending)" }

    private static func entry(_ bytes: [UInt8]) -> Entry? {
        guard let end = bytes.firstIndex(of: UInt8(ascii: "\n")) else { return nil }
        let fields = AppliedTopology.fields(String(decoding: bytes[..<end], as: UTF8.self), after: heading)
        guard let generation = fields["generation"].flatMap({ UInt64($0) }) else { return nil }
        return Entry(
            generation: generation, appliedAt: fields["at"].flatMap { UInt64($0) } ?? 0,
            user: fields["user"].flatMap { UInt32($0) }, bytes: bytes.count - end - 1)
    }
}

/// Since when each DN is provisioned, as a file: what was claimed under a DN's number before it was is void, also after the controller
/// has been restarted.
enum ProvisionedDNs {
    private static let name = "/provisioned"
    /// Two million single DNs.
    private static let maximumBytes = 96 << 20

    /// - Returns: DNs without anything but when they were introduced; nil where nothing is known.
    static func read(in directory: String) -> DNDirectory? {
        guard let bytes = try? Files.read(directory + name, limit: maximumBytes) else { return nil }
        var blocks: [DNBlock] = []
        for line in bytes.split(separator: UInt8(ascii: "\n")) {
            let fields = line.split(separator: UInt8(ascii: " "))
            guard fields.count == 3, let first = DN(fields[0]),
                let count = Int(String(decoding: fields[1], as: UTF8.self)), count > 0,
                count <= DNDirectory.maximumCount,
                let introduced = UInt64(String(decoding: fields[2], as: UTF8.self))
            else { return nil }
            blocks.append(DNBlock(first: first, count: count, agentType: 0, homes: 0, introduced: introduced))
        }
        guard blocks.reduce(0, { $0 + $1.count }) <= DNDirectory.maximumCount else { return nil }
        return DNDirectory(blocks: blocks)
    }

    static func write(_ directory: DNDirectory, in path: String) throws(SystemError) {
        var text: [UInt8] = []
        var run: DNBlock?
        func end() {
            guard let run else { return }
            text += "\(run.first) \(run.count) \(run.introduced)\n".utf8
        }
        for block in directory.blocks {
            // Numbers one after the other that came together are one line, however they are declared.
            if let last = run, last.introduced == block.introduced, last.first.length == block.first.length,
                let start = last.first.decimal, let next = block.first.decimal, start + UInt64(last.count) == next
            {
                run!.count += block.count
            } else {
                end()
                run = block
            }
        }
        end()
        try Files.writeAtomically(text, to: path + name)
    }
}
