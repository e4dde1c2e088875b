import ClusterModel

/// Something that happens at one moment of a run. Small values only: an event names things, it does not hold them.
enum Event: Equatable, Sendable {
    case stimulus(Int)
    case start(NodeIndex)
    case tick(NodeIndex, life: UInt64)
    /// A disk has done what it was doing.
    case commit(NodeIndex, life: UInt64)
    case resume(NodeIndex)
    case endDrain(NodeIndex)
    /// The next step of a node's handover, by the incarnation of the process that takes over.
    case handoverGoesOn(NodeIndex, incarnation: UInt64)

    /// The next step of a node on its way to another topology.
    case changeGoesOn(NodeIndex, number: UInt64)
    /// By the life of the controller.
    case controllerLooks(life: UInt64)
    case controllerBegins
    /// Its process hears so when it runs.
    case toldToDrain(NodeIndex)
    case toldToChange(NodeIndex, generation: UInt64, life: UInt64)

    case dialDone(dialer: NodeIndex, peer: NodeIndex, life: UInt64)
    case dialFailed(dialer: NodeIndex, peer: NodeIndex, life: UInt64)
    case accepted(Int)
    case deliver(Int, fromSide: Int)
    /// An end of a connection hears that the other is gone.
    case closed(Int, side: Int)
    /// A host closes its end without its process wanting it.
    case abandon(Int, side: Int)
    case heal(NodeIndex, NodeIndex)
    case cut(NodeIndex, NodeIndex)
    case recover(NodeIndex, NodeIndex)

    /// A REGISTER, with the time when it reaches the node's socket.
    case phone(Int, at: NodeIndex, PhoneAct, seconds: Int, sequence: UInt32, arrival: UInt64)
    case refresh(phone: Int, round: Int)

    /// A datagram between a node and somebody who is none.
    case packet(Int)
    case callerActs(Int)
    case phoneActs(Int, leg: Int)
    /// What a router asks arrives at a node.
    case routerAsks(NodeIndex, client: UInt64)
    case routerTick(Int, life: UInt64)
    case statNews(Int)

    case connectClient(NodeIndex, client: Int)
    /// A node hears that a client has gone.
    case clientGone(NodeIndex, client: UInt64)
    case readClient(NodeIndex, client: Int)
    case endSlowness(NodeIndex)
    case endWrongClock(NodeIndex)
}

enum PhoneAct: UInt8, Equatable, Sendable {
    case adds, removes, queries
}

/// An event's place in time. Equal times keep the order in which they were planned.
struct Scheduled: Comparable, Sendable {
    let time: UInt64
    let sequence: UInt64
    let event: Event

    static func < (left: Scheduled, right: Scheduled) -> Bool {
        left.time != right.time ? left.time < right.time : left.sequence < right.sequence
    }

    static func == (left: Scheduled, right: Scheduled) -> Bool { left.sequence == right.sequence }
}

/// A hash that is the same in every process and build; Swift's own is seeded by each process.
struct Fold: Equatable, Sendable {
    private(set) var value: UInt64 = 0

    mutating func add(_ word: UInt64) {
        value = mixed(value &+ word &+ 0x9E37_79B9_7F4A_7C15)
    }

    mutating func add(_ node: NodeIndex) { add(UInt64(node.rawValue)) }
    mutating func add(_ number: Int) { add(UInt64(bitPattern: Int64(number))) }
}
