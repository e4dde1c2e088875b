import ClusterModel

/// A whole cluster in 32 bytes: which of the known nodes and pairs it consists of, and which letters are left.
///
/// Few different nodes and pairs make up very many clusters, so each is kept once, and what an event does to one of them
/// is found out once.
struct ExploredState: Equatable, Sendable {
    /// Three nodes, the pairs of the first and second, first and third, second and third node, and the budgets.
    private var words = SIMD8<UInt32>(repeating: 0)

    subscript(node node: Int) -> Int {
        get { Int(words[node]) }
        set { words[node] = UInt32(newValue) }
    }

    subscript(pair pair: Int) -> Int {
        get { Int(words[3 + pair]) }
        set { words[3 + pair] = UInt32(newValue) }
    }

    /// How many letters of a budget are left, at most 15; there are at most 16 budgets.
    subscript(budget budget: Int) -> Int {
        get { Int(words[6 + budget / 8] >> UInt32(budget % 8 * 4) & 15) }
        set {
            let shift = UInt32(budget % 8 * 4)
            words[6 + budget / 8] &= ~(15 << shift)
            words[6 + budget / 8] |= UInt32(newValue) << shift
        }
    }

    var stableHash: UInt64 {
        var hash: UInt64 = 0
        for word in 0..<4 {
            hash = mixed(hash ^ (UInt64(words[2 * word]) << 32 | UInt64(words[2 * word + 1]))) &+ 0x9E37_79B9_7F4A_7C15
        }
        return hash
    }
}

/// Which two nodes a pair is, and the other way round. The first of the two has the lesser name, so it dials.
enum ExploredPairs {
    static let count = 3

    static func node(of pair: Int, side: Int) -> Int {
        side == 0 ? pair / 2 : 1 + (pair + 1) / 2
    }

    static func pair(_ one: NodeIndex, _ other: NodeIndex) -> Int { one.position + other.position - 1 }

    /// The pair of a node and one of its two peers, and which side the node is on.
    static func pair(of node: Int, with peer: Int) -> (pair: Int, side: Int) {
        (node + peer - 1, node < peer ? 0 : 1)
    }
}

/// One step from a state to the next.
enum ExploredMove: Equatable, Sendable {
    case deliver(pair: Int, slot: Int, from: Int)
    case notice(pair: Int, slot: Int, side: Int)
    case dial(pair: Int)
    case heal(pair: Int)
    /// The link timeout passes at all nodes, with pongs that keep the links: waiting for the word of an owner ends.
    case wait
    case letter(budget: Int, choice: Int)

    var rawValue: UInt16 {
        switch self {
        case .deliver(let pair, let slot, let side): UInt16(0x1000 | pair << 8 | slot << 4 | side)
        case .notice(let pair, let slot, let side): UInt16(0x2000 | pair << 8 | slot << 4 | side)
        case .dial(let pair): UInt16(0x3000 | pair << 8)
        case .heal(let pair): UInt16(0x4000 | pair << 8)
        case .wait: 0x6000
        case .letter(let budget, let choice): UInt16(0x5000 | budget << 8 | choice)
        }
    }

    init(rawValue: UInt16) {
        let (high, middle, low) = (Int(rawValue >> 8 & 15), Int(rawValue >> 4 & 15), Int(rawValue & 15))
        switch rawValue >> 12 {
        case 1: self = .deliver(pair: high, slot: middle, from: low)
        case 2: self = .notice(pair: high, slot: middle, side: low)
        case 3: self = .dial(pair: high)
        case 4: self = .heal(pair: high)
        case 6: self = .wait
        case _: self = .letter(budget: high, choice: middle << 4 | low)
        }
    }
}
