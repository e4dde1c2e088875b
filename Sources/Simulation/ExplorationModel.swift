import ClusterModel
import DNOwnership

/// Three nodes with one DN and the connections between them: what can happen in a state, and what comes of it.
struct ExplorationModel: ~Copyable, Sendable {
    let alphabet: ExplorationAlphabet
    private(set) var nodes: ExploredNodeTable
    private(set) var pairs: ExploredPairTable
    private(set) var messages = ExploredMessages()

    init(_ alphabet: ExplorationAlphabet, faults: Faults) {
        self.alphabet = alphabet
        // Nothing is ever due: a link is pinged once, when it is made.
        var timing = Timing()
        timing.keepalive = ExploredNodeTable.keepalive
        timing.linkTimeout = ExploredNodeTable.linkTimeout
        let configuration = OwnershipConfiguration(
            timing: timing, ringCapacity: alphabet.ringCapacity, chunkRecords: alphabet.chunkRecords,
            faults: faults
        )
        nodes = ExploredNodeTable(topology: Self.topology, configuration: configuration)
        pairs = ExploredPairTable(keepsLeftovers: alphabet.keepsLeftovers)
    }

    static let topology: Topology = {
        let address = NetworkAddress(ipv4: 0x7F00_0001, port: 5060)
        let nodes = ["alpha", "beta", "gamma"].map { name in
            Node(name: name, dataCenter: 0, sip: [], tcontroller: .tcp(address), mesh: .tcp(address))
        }
        let block = DNBlock(first: DN(decimal: 1000, length: 4), count: 1, agentType: 0, homes: 0)
        return Topology(
            cluster: "explored", domain: "cc.example.com", agentTypes: [AgentType(name: "agent", phone: .sip)],
            dataCenters: [DataCenter(name: "dc1", location: "west")], nodes: nodes,
            directory: DNDirectory(blocks: [block])
        )
    }()

    /// The state in which the exploration starts: the prelude has been played and nothing is left to happen.
    mutating func start() throws(ExplorationFinding) -> ExploredState {
        var state = ExploredState()
        for node in 0..<3 {
            let wall = Int64(alphabet.clockSkews[node])
            state[node: node] = try nodes.started(node, incarnation: 1, wall: wall)
        }
        for pair in 0..<ExploredPairs.count { state[pair: pair] = pairs.number(of: ExploredPair()) }
        for (budget, letters) in alphabet.budgets.enumerated() { state[budget: budget] = letters.count }
        guard alphabet.startsLinked else { return state }
        try calm(&state)
        for letter in alphabet.prelude {
            try play(letter, in: &state)
            try calm(&state)
        }
        return state
    }

    /// Lets everything happen that is under way, one after the other.
    private mutating func calm(_ state: inout ExploredState) throws(ExplorationFinding) {
        var moves: [ExploredMove] = []
        while true {
            moves.removeAll(keepingCapacity: true)
            appendOwnMoves(of: state, to: &moves)
            guard let move = moves.first else { return }
            try apply(move, to: &state)
        }
    }

    // MARK: What can happen

    /// What happens by itself, sooner or later. Heals come last; waiting is for when nothing else can happen but those.
    func appendOwnMoves(of state: ExploredState, to moves: inout [ExploredMove]) {
        for pair in 0..<ExploredPairs.count {
            let summary = pairs.summaries[state[pair: pair]]
            if summary.canDial { moves.append(.dial(pair: pair)) }
            for end in 0..<2 * ExploredPair.slots {
                if summary.heads[end] != PairSummary.noMessage {
                    moves.append(.deliver(pair: pair, slot: end / 2, from: end % 2))
                }
                if summary.notices & 1 << UInt8(end) != 0 {
                    moves.append(.notice(pair: pair, slot: end / 2, side: end % 2))
                }
            }
        }
        if moves.isEmpty, isProvisional(state) { moves.append(.wait) }
        guard alphabet.cutsHeal else { return }
        for pair in 0..<ExploredPairs.count where pairs.summaries[state[pair: pair]].isCut {
            moves.append(.heal(pair: pair))
        }
    }

    func isAnyCut(_ state: ExploredState) -> Bool {
        for pair in 0..<ExploredPairs.count where pairs.summaries[state[pair: pair]].isCut { return true }
        return false
    }

    /// Whether nothing is left to happen except that cuts may heal.
    func areHeals(_ moves: [ExploredMove]) -> Bool {
        for move in moves {
            guard case .heal = move else { return false }
        }
        return true
    }

    private func isProvisional(_ state: ExploredState) -> Bool {
        for node in 0..<3 where nodes.summaries[state[node: node]].isProvisional { return true }
        return false
    }

    /// What the alphabet may have happen.
    func appendLetters(of state: ExploredState, to moves: inout [ExploredMove]) {
        for budget in alphabet.budgets.indices where state[budget: budget] > 0 {
            for choice in alphabet.budgets[budget].letters.indices {
                if canPlay(alphabet.budgets[budget].letters[choice], in: state) {
                    moves.append(.letter(budget: budget, choice: choice))
                }
            }
        }
    }

    private func canPlay(_ letter: ExplorationAlphabet.Letter, in state: ExploredState) -> Bool {
        switch letter {
        case .register, .crash, .stall, .ping:
            return true
        case .remove(let node):
            let number = state[node: node.position]
            let owner = nodes.summaries[number].view.owner
            if nodes.summaries[number].hasBinding { return true }
            // Elsewhere a removal is refused as long as the owner can be asked.
            return owner != .none && owner != node && !nodes.summaries[number].peers[owner.position].isReachable
        case .cut(let one, let other):
            return !pairs.summaries[state[pair: ExploredPairs.pair(one, other)]].isCut
        case .reset(let one, let other):
            return pairs.summaries[state[pair: ExploredPairs.pair(one, other)]].canBreak
        }
    }

    // MARK: What comes of it

    mutating func apply(_ move: ExploredMove, to state: inout ExploredState) throws(ExplorationFinding) {
        switch move {
        case .deliver(let pair, let slot, let side):
            try deliver(pair, slot, from: side, in: &state)
        case .notice(let pair, let slot, let side):
            change(pair, .notice(slot: slot, side: side), in: &state)
            let node = ExploredPairs.node(of: pair, side: side)
            try act(node, .disconnected(Self.connection(pair, slot)), in: &state)
            try settle(node, in: &state)
        case .dial(let pair):
            try dial(pair, in: &state)
        case .heal(let pair):
            change(pair, .heal, in: &state)
        case .wait:
            for node in 0..<3 {
                try act(node, .wait, in: &state)
                try settle(node, in: &state)
            }
        case .letter(let budget, let choice):
            state[budget: budget] -= 1
            try play(alphabet.budgets[budget].letters[choice], in: &state)
        }
    }

    private mutating func play(
        _ letter: ExplorationAlphabet.Letter, in state: inout ExploredState
    ) throws(ExplorationFinding) {
        switch letter {
        case .register(let node):
            try act(node.position, .register, in: &state)
            try settle(node.position, in: &state)
        case .remove(let node):
            try act(node.position, .remove, in: &state)
            try settle(node.position, in: &state)
        case .cut(let one, let other):
            try breakAll(one, other, isCut: true, in: &state)
        case .reset(let one, let other):
            try breakAll(one, other, isCut: false, in: &state)
        case .crash(let node):
            try crash(node.position, in: &state)
        case .stall(let node):
            try act(node.position, .stall, in: &state)
            // Its peers' words are lost now even if they wait for room.
            for peer in 0..<3 { try settle(peer, in: &state) }
        case .ping(let node):
            try act(node.position, .pingDue, in: &state)
            try settle(node.position, in: &state)
        }
    }

    private mutating func deliver(
        _ pair: Int, _ slot: Int, from side: Int, in state: inout ExploredState
    ) throws(ExplorationFinding) {
        let message = pairs.summaries[state[pair: pair]].heads[slot * 2 + side]
        let wasFull = pairs.summaries[state[pair: pair]].counts[slot * 2 + side] >= alphabet.capacity
        change(pair, .deliver(slot: slot, side: side), in: &state)
        let receiver = ExploredPairs.node(of: pair, side: 1 - side)
        try act(receiver, .receive(message, Self.connection(pair, slot)), in: &state)
        try settle(receiver, in: &state)
        // There is room again: the sender may go on.
        if wasFull { try settle(ExploredPairs.node(of: pair, side: side), in: &state) }
    }

    private mutating func dial(_ pair: Int, in state: inout ExploredState) throws(ExplorationFinding) {
        guard let slot = pairs.pairs[state[pair: pair]].freeSlot else { return }
        let (dialer, acceptor) = (ExploredPairs.node(of: pair, side: 0), ExploredPairs.node(of: pair, side: 1))
        change(
            pair, .connect(slot: slot, lives: [life(of: dialer, in: state), life(of: acceptor, in: state)]), in: &state)
        let connection = Self.connection(pair, slot)
        try act(acceptor, .accepted(connection), in: &state)
        try act(dialer, .dialed(peer: acceptor, connection), in: &state)
        try settle(dialer, in: &state)
    }

    private mutating func breakAll(
        _ one: NodeIndex, _ other: NodeIndex, isCut: Bool, in state: inout ExploredState
    ) throws(ExplorationFinding) {
        change(ExploredPairs.pair(one, other), .breakAll(isCut: isCut), in: &state)
        // What waits for room is lost as well.
        try settle(one.position, in: &state)
        try settle(other.position, in: &state)
    }

    private mutating func crash(_ node: Int, in state: inout ExploredState) throws(ExplorationFinding) {
        var crashes: Int64 = 1
        for other in 0..<3 { crashes += Int64(life(of: other, in: state)) - 1 }
        let skew = Int64(alphabet.clockSkews[node])
        let wall = skew + (alphabet.restartedClock == .ahead ? crashes * 1000 : -crashes * 1000)
        state[node: node] = try nodes.started(node, incarnation: life(of: node, in: state) + 1, wall: wall)
        for peer in 0..<3 where peer != node {
            let (pair, side) = ExploredPairs.pair(of: node, with: peer)
            change(pair, .died(side: side), in: &state)
            try settle(peer, in: &state)
        }
    }

    private func life(of node: Int, in state: ExploredState) -> UInt64 {
        nodes.summaries[state[node: node]].incarnation.rawValue
    }

    private mutating func change(_ pair: Int, _ event: ExploredPairTable.Event, in state: inout ExploredState) {
        state[pair: pair] = pairs.step(state[pair: pair], event, messages)
    }

    /// Lets something happen at a node and closes what the node closes.
    private mutating func act(
        _ node: Int, _ event: ExploredNodeTable.Event, in state: inout ExploredState
    ) throws(ExplorationFinding) {
        let step = try nodes.step(state[node: node], event, messages)
        state[node: node] = step.node
        for connection in step.closed {
            let (pair, slot) = Self.place(of: connection)
            let side = ExploredPairs.node(of: pair, side: 0) == node ? 0 : 1
            change(pair, .close(slot: slot, side: side), in: &state)
        }
    }

    /// Pulls all that a node has to say and its connections have room for.
    private mutating func settle(_ node: Int, in state: inout ExploredState) throws(ExplorationFinding) {
        for peer in 0..<3 where peer != node {
            let (pair, side) = ExploredPairs.pair(of: node, with: peer)
            let slot = Int(pairs.summaries[state[pair: pair]].attached[side])
            guard slot >= 0 else { continue }
            let isBroken = pairs.summaries[state[pair: pair]].broken & 1 << UInt8(slot) != 0
            while isBroken || Int(pairs.summaries[state[pair: pair]].counts[slot * 2 + side]) < alphabet.capacity {
                let (next, message) = try nodes.pull(state[node: node], for: peer, &messages)
                state[node: node] = next
                guard let message else { break }
                if !isBroken { change(pair, .push(message, slot: slot, side: side), in: &state) }
            }
        }
    }

    // MARK: Numbers of connections

    static func connection(_ pair: Int, _ slot: Int) -> ConnectionID {
        ConnectionID(rawValue: UInt64(pair * ExploredPair.slots + slot + 1))
    }

    static func place(of connection: ConnectionID) -> (pair: Int, slot: Int) {
        let number = Int(connection.rawValue) - 1
        return (number / ExploredPair.slots, number % ExploredPair.slots)
    }
}
