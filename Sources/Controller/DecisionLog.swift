import ClusterModel
import LinuxSystem
import Logging
import Orchestration
import TopologyFile
import Wire

/// The decisions of controllers, as a file that `tandem replay` makes again, and the one before it. A controller goes on after what the
/// one before it has written. Nothing is flushed to the disk: who loses power loses the last decisions of the log, and nothing else.
struct DecisionLog {
    /// Of decisions, in one file.
    private static let maximumBytes = 4 << 20
    /// Of topologies, in one file: two of the largest.
    private static let maximumTopologyBytes = 128 << 20

    private let path: String
    private let cluster: String
    private let statDirectory: String
    private var file: AppendedFile?
    /// Generations whose topologies are in the file.
    private var kept: Set<UInt64> = []
    private var topologyBytes = 0
    /// A decision is missing that was made after the last one in the file.
    private var hasGap = false

    /// Nothing is touched before the first decision.
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
            // Another try does not push out the file before this one for nothing.
            if file?.count == 0 { _ = try? Files.remove(path) }
            file = nil
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
        var bytes = 0
        for generation in generations {
            guard let text = text(generation), bytes + text.count <= maximumTopologyBytes else { return nil }
            all.append((generation, text))
            bytes += text.count
        }
        return (all, bytes)
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

    /// A segment begins, behind what an earlier controller has written or in another file; what stood there becomes the file before it.
    private mutating func begin() throws(SystemError) {
        if file == nil, let former = continued() {
            file = former
        } else {
            file = nil
            if try Files.kind(of: path) != nil { try Files.rename(path, to: path + ".1") }
            file = try AppendedFile(replacing: path)
        }
        (kept, topologyBytes) = ([], 0)
    }

    /// - Returns: nil for a file that is full or damaged, or of another program.
    private func continued() -> AppendedFile? {
        guard let bytes = try? Files.read(path, limit: Self.maximumBytes), let end = DecisionFileReader.end(of: bytes)
        else { return nil }
        return try? AppendedFile(continuing: path, after: end)
    }
}

extension Controller {
    /// Writes down what has been decided in this turn. What cannot be written is missing in the log, and nowhere else.
    func logDecisions() {
        for entry in decisions.take() {
            do throws(SystemError) {
                try decisionLog.append(entry) { text(of: $0) }
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
