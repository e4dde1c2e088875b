import AgentSessions
import ClusterModel
import DNOwnership
import NodeCore
import SIPCore
import TLibraryPorts

/// A node with a store that is an array.
struct Remembering {
    var core: NodeCore
    /// What is on the disk.
    var stored: StoredState { kept }
    private var kept: StoredState
    private var rows: [DN: StoredDN]
    /// What is kept of the past of all DNs, in order.
    private(set) var history: [Transition] = []
    private var written: [StoreWrite] = []
    private let me: NodeIndex

    init(_ me: NodeIndex = alpha, kept: StoredState = StoredState(), life: UInt64 = 1, _ seconds: Double = 0) {
        self.me = me
        self.kept = kept
        rows = Dictionary(uniqueKeysWithValues: kept.rows.map { ($0.dn, $0.row) })
        let life = Incarnation(rawValue: life)
        var setup = NodeSetup(
            topology: topology(), identity: NodeIdentity(index: me, incarnation: life, lineage: life, generation: 1),
            secret: 1 + UInt64(me.position), seed: 1)
        setup.stored = kept
        core = NodeCore(setup, now: at(seconds))
        core.clientConnected(desktop)
    }

    /// Something of a DN to write down that is no history.
    struct RowWrite {
        var number: UInt64
        var dn: DN
        var row: StoredDN?
        var greatestStamp: Stamp
    }

    /// What the node wants written, without history; it is kept once it is committed.
    mutating func write(_ seconds: Double = 0) -> [RowWrite] {
        let writes = core.takeWrites(now: at(seconds))
        written += writes
        return writes.compactMap { write in
            guard case .row(let row) = write.change else { return nil }
            return RowWrite(number: write.number, dn: write.dn, row: row, greatestStamp: write.greatestStamp)
        }
    }

    /// Writes all there is to write.
    ///
    /// - Returns: the answers that go then.
    mutating func commit(_ seconds: Double = 0) -> [String] {
        _ = write(seconds)
        guard let last = written.last else { return [] }
        for write in written {
            switch write.change {
            case .row(let row): rows[write.dn] = row
            case .transition(let transition): history.append(transition)
            }
        }
        kept = StoredState(greatestStamp: last.greatestStamp, dns: rows)
        written = []
        core.storeCommitted(through: last.number, now: at(seconds))
        return answers()
    }

    /// Answers that have left since: their status lines.
    mutating func answers(whole: Bool = false) -> [String] {
        core.takeActions().compactMap { action in
            guard case .send(let bytes, _) = action else { return nil }
            let text = String(decoding: bytes, as: UTF8.self)
            return whole ? text : String(text.prefix { $0 != "\r\n" }.dropFirst(8))
        }
    }

    /// The next life finds what was committed.
    func restarted(_ seconds: Double) -> Remembering { Remembering(me, kept: kept, life: 2, seconds) }
}

struct RememberingPair {
    var nodes = [Remembering(alpha), Remembering(beta)]
    private let link = ConnectionID(rawValue: 1)

    init() {
        nodes[0].core.dialed(beta, connection: link, now: at(0))
        nodes[1].core.accepted(link, now: at(0))
        pump()
        for node in nodes.indices { _ = nodes[node].core.takeActions() }
    }

    mutating func pump() {
        var isQuiet = false
        while !isQuiet {
            isQuiet = true
            for (from, to) in [(0, 1), (1, 0)] {
                while let message = nodes[from].core.nextPeerMessage(for: NodeIndex(to), now: at(0)) {
                    isQuiet = false
                    nodes[to].core.received(message, from: link, now: at(0))
                }
            }
        }
    }
}
