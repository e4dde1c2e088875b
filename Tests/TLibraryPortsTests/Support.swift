import ClusterModel
import TLibraryPorts

let here = NodeIndex(0)
let there = NodeIndex(1)
let one = ClientID(rawValue: 1)
let two = ClientID(rawValue: 2)
let lineage = Incarnation(rawValue: 7)

/// The DNs are 1000 to 1004, and the text reception.
func dn(_ position: Int) -> DNIndex { DNIndex(position) }

func name(_ position: Int) -> DN {
    position == 5 ? DN("reception")! : DN(decimal: 1000 + UInt64(position), length: 4)
}

func view(_ service: Service, _ owner: NodeIndex = here, _ stamp: UInt64 = 1) -> View {
    View(service: service, owner: owner, stamp: Stamp(rawValue: stamp))
}

let unclaimed = View(service: .neverRegistered, owner: .none, stamp: .zero)

func status(_ position: Int, _ view: View) -> DNStatus { DNStatus(dn: name(position), view: view) }

func at(_ sequence: UInt64) -> FeedPosition { FeedPosition(lineage: lineage, sequence: sequence) }

/// A node's ports together with what the node shows, changed hand in hand.
struct Node: ViewSource {
    var ports: PortsMachine
    var words = [View](repeating: unclaimed, count: 6)
    var unreachable: Set<NodeIndex> = []
    var actions: [PortsAction] = []

    init(
        feed: Int = 16, outbox: Int = 8, routerOutbox: Int = 8, registrations: Int = 3, chunk: Int = 2,
        faults: Faults = .none, wasMonitored: Bool = true
    ) {
        let blocks = [
            DNBlock(first: name(0), count: 5, agentType: 0, homes: 0),
            DNBlock(first: name(5), count: 1, agentType: 0, homes: 0),
        ]
        let configuration = PortsConfiguration(
            feedCapacity: feed, outboxCapacity: outbox, routerOutboxCapacity: routerOutbox,
            registrationsPerClient: registrations, chunk: chunk,
            faults: faults
        )
        ports = PortsMachine(
            configuration: configuration, directory: DNDirectory(blocks: blocks), me: here, lineage: lineage,
            nodeCount: 3
        )
        ports.connected(one)
        ports.connected(two)
        guard wasMonitored else { return }
        let former = ClientID(rawValue: 99)
        ports.connected(former)
        ports.monitor(former, referenceID: 1, options: MonitorOptions(), &actions)
        _ = ports.disconnected(former)
    }

    func view(of dn: DNIndex) -> View {
        let word = words[dn.position]
        guard unreachable.contains(word.owner) else { return word }
        return View(service: .ownerUnreachable, owner: word.owner, stamp: word.stamp)
    }

    func lastWord(of dn: DNIndex) -> Service { words[dn.position].service }

    mutating func show(_ position: Int, _ word: View) {
        let before = view(of: dn(position))
        words[position] = word
        ports.viewChanged(dn(position), from: before, to: view(of: dn(position)), &actions)
    }

    mutating func reach(_ owner: NodeIndex, _ isReachable: Bool) {
        if isReachable { unreachable.remove(owner) } else { unreachable.insert(owner) }
        ports.ownerChanged(owner, isReachable: isReachable, views: self, &actions)
    }

    mutating func monitor(_ client: ClientID, _ options: MonitorOptions = MonitorOptions()) {
        ports.monitor(client, referenceID: 9, options: options, &actions)
    }

    /// All that a client is told now.
    mutating func read(_ client: ClientID) -> [TEvent] {
        var events: [TEvent] = []
        while let event = ports.nextEvent(for: client, views: self) { events.append(event) }
        return events
    }

    /// The next few events for a client that then stops reading.
    mutating func read(_ client: ClientID, atMost count: Int) -> [TEvent] {
        var events: [TEvent] = []
        while events.count < count, let event = ports.nextEvent(for: client, views: self) { events.append(event) }
        return events
    }
}

extension PortsMachine {
    /// For tests in which nobody comes back as a desktop.
    @discardableResult
    mutating func register(
        _ dn: DNIndex, for client: ClientID, holds: Bool, wantsOwnerHint: Bool = false
    ) -> DesktopToken? {
        var actions: [PortsAction] = []
        return register(dn, for: client, holds: holds, wantsOwnerHint: wantsOwnerHint, &actions)
    }
}
