import ClusterModel
import LinuxSystem
import Logging
import Orchestration
import TopologyFile
import Wire

/// The decisions of this controller, as a file that `tandem replay` makes again; and one of those before. Nothing is flushed to the
/// disk: who loses power loses the last decisions of the log, and nothing else.
struct DecisionLog {
    /// Of decisions, in one file.
    static let maximumBytes = 4 << 20
    /// Of topologies, in one file; a single decision may need more.
    static let maximumTopologyBytes = 64 << 20

    private let path: String
    private let cluster: String
    private let statDirectory: String
    private var file: AppendedFile?
    /// Generations whose topologies are in the file.
    private var kept: Set<UInt64> = []
    private var topologyBytes = 0
    /// A decision is missing that was made after the last one in the file.
    private var hasGap = false

    /// The file is begun with the first decision: a controller that does not get that far leaves the former ones alone.
    ///
    /// - Parameter directory: of the cluster.
    init(in directory: String, cluster: String, statDirectory: String) {
        path = directory + "/decisions"
        self.cluster = cluster
        self.statDirectory = statDirectory
    }

    /// - Parameter text: of a topology by its generation; nil where it is not kept. Without it the decision is left out.
    mutating func append(
        _ entry: DecisionRecorder.Entry, text: (UInt64) -> [UInt8]?
    ) throws(SystemError) {
        do throws(SystemError) {
            try write(entry, text)
        } catch {
            hasGap = true
            // Another try begins it again, and does not push out the file before it for nothing.
            if file?.count == 0 {
                file = nil
                _ = try? Files.remove(path)
            }
            throw error
        }
    }

    private mutating func write(_ entry: DecisionRecorder.Entry, _ text: (UInt64) -> [UInt8]?) throws(SystemError) {
        let needed = entry.decision.topologies
        var begins = file.map { $0.count - topologyBytes >= Self.maximumBytes } ?? true
        var texts = Self.texts(of: begins ? needed : needed.filter { !kept.contains($0) }, text)
        if !begins, let more = texts, topologyBytes + more.bytes > Self.maximumTopologyBytes, more.bytes > 0 {
            begins = true
            texts = Self.texts(of: needed, text)
        }
        var batch = DecisionBatch()
        guard let texts, add(entry, texts.all, to: &batch, begins: begins) else {
            hasGap = true
            return
        }
        if begins { try begin() }
        try file?.append(batch.sealed())
        hasGap = false
        kept.formUnion(texts.all.map(\.generation))
        topologyBytes += texts.bytes
    }

    private static func texts(
        of generations: [UInt64], _ text: (UInt64) -> [UInt8]?
    ) -> (all: [(generation: UInt64, text: [UInt8])], bytes: Int)? {
        var all: [(generation: UInt64, text: [UInt8])] = []
        for generation in generations {
            guard let text = text(generation) else { return nil }
            all.append((generation, text))
        }
        return (all, all.reduce(0) { $0 + $1.text.count })
    }

    private func add(
        _ entry: DecisionRecorder.Entry, _ texts: [(generation: UInt64, text: [UInt8])], to batch: inout DecisionBatch,
        begins: Bool
    ) -> Bool {
        var fits = true
        func add(_ frame: DecisionFrame) { fits = batch.add(frame) && fits }
        if begins {
            add(
                .segment(
                    DecisionSegment(
                        cluster: cluster, began: entry.decision.time.wallMilliseconds, statDirectory: statDirectory)))
        }
        if begins || hasGap { add(.state(entry.before)) }
        for (generation, text) in texts { TopologyPiece.each(of: text, generation: generation) { add(.topology($0)) } }
        add(.decision(entry.decision))
        return fits
    }

    /// What stood there becomes the file before this one.
    private mutating func begin() throws(SystemError) {
        if try Files.kind(of: path) != nil { try Files.rename(path, to: path + ".1") }
        file = nil
        file = try AppendedFile(replacing: path)
        (kept, topologyBytes) = ([], 0)
    }
}

extension Controller {
    /// Writes down what has been decided in this turn. What cannot be written is missing in the log, and nowhere else.
    func logDecisions() {
        for entry in decisions.take() {
            do throws(SystemError) {
                try decisionLog.append(entry) { generation in
                    generation == self.generation ? source.text : archive.text(of: generation)
                }
                isDecisionLogBroken = false
            } catch {
                guard !isDecisionLogBroken else { continue }
                isDecisionLogBroken = true
                logger.error(
                    "the log of decisions cannot be written; they are made all the same",
                    metadata: ["problem": "\(error)"])
            }
        }
    }
}
