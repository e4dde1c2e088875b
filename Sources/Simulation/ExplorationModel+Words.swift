import ClusterModel
import DNOwnership

// What happened, for people.
extension ExplorationModel {
    /// One line an event, from the start, each with what the nodes show after it.
    mutating func words(for path: [ExploredMove]) -> [String] {
        var lines: [String] = []
        do {
            var state = try start()
            for move in path {
                lines.append(words(for: move, in: state))
                try apply(move, to: &state)
                lines[lines.count - 1] += " | " + words(for: state)
            }
        } catch {
            // The last event of the way to a violation may be the one that cannot be carried out.
            lines.append("\(error)")
        }
        return lines
    }

    /// What the nodes show.
    func words(for state: ExploredState) -> String {
        var views: [String] = []
        for node in 0..<3 { views.append(words(for: nodes.summaries[state[node: node]])) }
        return views.joined(separator: "; ")
    }

    private func words(for node: NodeSummary) -> String {
        var peers: [String] = []
        for peer in node.peers.indices where node.peers[peer].isReachable { peers.append(Self.name(peer)) }
        let owner = node.view.owner == .none ? "nobody" : Self.name(node.view.owner.position)
        let word = node.view.service == node.word ? "" : " (\(node.word.reason ?? "in-service"))"
        let notes = (node.isProvisional ? ", provisional" : "") + (node.hasBinding ? ", bound" : "")
        return "\(Self.name(node.node.position)): \(owner) \(Self.words(for: node.view.stamp)) "
            + "\(node.view.service.reason ?? "in-service")\(word)\(notes), hears [\(peers.joined(separator: " "))]"
    }

    private func words(for move: ExploredMove, in state: ExploredState) -> String {
        switch move {
        case .deliver(let pair, let slot, let side):
            let message = messages[pairs.summaries[state[pair: pair]].heads[slot * 2 + side]]
            return
                "\(Self.name(pair, 1 - side)) hears from \(Self.name(pair, side)) on \(slot): \(Self.words(for: message))"
        case .notice(let pair, let slot, let side):
            return "\(Self.name(pair, side)) learns that connection \(slot) with \(Self.name(pair, 1 - side)) is gone"
        case .dial(let pair):
            let slot = pairs.pairs[state[pair: pair]].freeSlot ?? -1
            return "\(Self.name(pair, 0)) connects to \(Self.name(pair, 1)) on \(slot)"
        case .heal(let pair): return "bytes pass between \(Self.name(pair, 0)) and \(Self.name(pair, 1)) again"
        case .wait: return "the link timeout passes with pongs alone"
        case .letter(let budget, let choice): return Self.words(for: alphabet.budgets[budget].letters[choice])
        }
    }

    private static func words(for letter: ExplorationAlphabet.Letter) -> String {
        switch letter {
        case .register(let node): "a phone registers at \(Self.name(node.position))"
        case .remove(let node): "a phone removes its contact at \(Self.name(node.position))"
        case .cut(let one, let other):
            "\(Self.name(one.position)) and \(Self.name(other.position)) are cut off from each other"
        case .reset(let one, let other):
            "the connection of \(Self.name(one.position)) and \(Self.name(other.position)) breaks"
        case .stall(let node): "\(name(node.position)) did not run for the link timeout"
        case .ping(let node): "\(name(node.position))'s pings are due"
        case .crash(let node): "\(Self.name(node.position)) dies and starts again"
        }
    }

    private static func words(for message: PeerMessage) -> String {
        switch message {
        case .hello(let hello):
            let resume = hello.resume.map { "\($0.revision) of life \($0.lineage.rawValue)" } ?? "nothing"
            return
                "hello of life \(hello.incarnation.rawValue), heard \(Self.words(for: hello.greatestStamp)), has \(resume)"
        case .syncBegin(let begin): return (begin.isSnapshot ? "snapshot" : "stream") + " from \(begin.revision)"
        case .records(let batch):
            let owned = batch.owned.map {
                "owns it since \(words(for: $0.stamp)), \($0.service.reason ?? "in-service")"
            }
            let yielded = batch.yielded.map { "yields to \(words(for: $0.claim))" }
            let revisions = batch.revisions.map { "\($0.lowerBound)...\($0.upperBound)" } ?? "a piece"
            return "\(revisions): \((owned + yielded).joined(separator: ", "))"
        case .syncEnd(let position): return "end at \(position.revision)"
        case .claims(let claims): return "claims: " + claims.map { Self.words(for: $0.claim) }.joined(separator: ", ")
        case .snapshotRequest: return "asks for a snapshot"
        case .ping(let ping): return "ping" + (ping.position.map { " at \($0.revision)" } ?? "")
        case .pong: return "pong"
        }
    }

    private static func words(for claim: Claim) -> String {
        "\(Self.name(claim.owner.position)) since \(words(for: claim.stamp))"
    }

    /// Seconds from the start and the counter.
    private static func words(for stamp: Stamp) -> String {
        guard stamp != .zero else { return "ever" }
        let milliseconds = Int64(stamp.milliseconds) - Int64(ExploredNodeTable.start.wallMilliseconds)
        return "\(milliseconds / 1000)s.\(stamp.counter)"
    }

    private static func name(_ pair: Int, _ side: Int) -> String { name(ExploredPairs.node(of: pair, side: side)) }

    private static func name(_ node: Int) -> String { topology.nodes[node].name }
}
