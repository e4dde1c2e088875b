import LinuxSystem
import Orchestration
import TopologyFile
import Transport

/// An operator's connection that is told texts of topologies, and how far it is.
struct TextReader {
    let client: FramedConnection
    /// Whose texts are still to be told, the present one first.
    var generations: ArraySlice<UInt64>
    /// The present one, once a piece of it has been told, and how many of its bytes have been.
    var text: [UInt8]?
    var told = 0

    /// The next piece of the present one, whose text this is; nil when all have been told.
    mutating func next(of text: [UInt8]) -> TopologyPiece? {
        guard let generation = generations.first else { return nil }
        let piece = TopologyPiece(of: text, from: told, generation: generation)
        (self.text, told) = (text, told + piece.bytes.count)
        if piece.isLast {
            generations.removeFirst()
            (self.text, told) = (nil, 0)
        }
        return piece
    }
}

// A text may be longer than what a connection holds, so it is told piece by piece, as the operator reads.
extension Controller {
    /// All of each text, one after the other, unless the operator asks for something else meanwhile.
    func tellTopologies(_ generations: [UInt64], to client: FramedConnection) {
        textReaders[ObjectIdentifier(client)] = TextReader(client: client, generations: generations[...])
    }

    /// Puts what each reader has not got into its connection, as long as there is room.
    func tellTextReaders() {
        for id in textReaders.keys { pullText(id) }
    }

    private func pullText(_ id: ObjectIdentifier) {
        while var reader = textReaders[id] {
            guard let generation = reader.generations.first, reader.client.isOpen else {
                textReaders[id] = nil
                return
            }
            guard reader.client.outputBytes < Self.pullLimit else { return }
            guard let text = reader.text ?? text(of: generation), let piece = reader.next(of: text) else {
                textReaders[id] = nil
                return answer(
                    .refused(
                        message: "generation \(generation) is not kept; `tandem topology list` shows those that are",
                        exitCode: 1), reader.client)
            }
            textReaders[id] = reader
            answer(.topologyText(piece), reader.client)
            // Nothing else would begin another turn if the socket takes all of it.
            if reader.client.outputBytes >= Self.pullLimit { loop.soon {} }
        }
    }

    /// What a topology was made of.
    ///
    /// - Returns: nil of one that is not kept.
    func text(of generation: UInt64) -> [UInt8]? {
        if generation == self.generation, let unkeptText { return unkeptText }
        return archive.text(of: generation)
    }
}
