/// What a row of the table says of itself.
protocol MeasuredFigure: CaseIterable {
    /// For programs that read the figures.
    var key: String { get }
    var name: String { get }
    var unit: String { get }
    var meaning: String { get }
}

/// What the bench measures of Tandem alone, in the order of the table.
enum Figure: String, MeasuredFigure {
    case aloneRate, aloneCPU, aloneLargeRate, aloneLargeCPU, aloneFirstRate, aloneFirstCPU
    case pairRate, pairCPU, pairPeerCPU
    case firstRate, firstCPU, firstPeerCPU
    case eventMedian, eventTail
    case bindingBytes, peerBytes
    case killHeard, killReady, readyLive
    case idleTrip, idleTripTail, loadedTrip, loadedTripTail
    case syncHalf, sync, syncLarge
    case agentEvent, agentEventTail, reservation, reservationTail, reservationRate
    case monitorCPU, monitorBytes, resume

    var key: String { rawValue }

    var name: String {
        switch self {
        case .aloneRate: "refreshes, one node alone, 10,000 DNs"
        case .aloneCPU: "CPU of the node for each"
        case .aloneLargeRate: "refreshes, one node alone, 100,000 DNs"
        case .aloneLargeCPU: "CPU of the node for each"
        case .aloneFirstRate: "first registrations, one node alone"
        case .aloneFirstCPU: "CPU of the node for each"
        case .pairRate: "refreshes with a live peer, 10,000 DNs"
        case .pairCPU: "CPU of the node for each"
        case .pairPeerCPU: "CPU of the peer for each"
        case .firstRate: "first registrations with a live peer"
        case .firstCPU: "CPU of the node for each"
        case .firstPeerCPU: "CPU of the peer for each"
        case .eventMedian: "REGISTER → event at the other node, p50"
        case .eventTail: "REGISTER → event at the other node, p99"
        case .bindingBytes: "memory a binding at the owner"
        case .peerBytes: "memory a DN at the peer"
        case .killHeard: "kill -9 → OwnerUnreachable at the other node"
        case .killReady: "kill -9 → the new worker is ready"
        case .readyLive: "ready → its link is live, 100,000 DNs"
        case .idleTrip: "round trip on an idle link, p50"
        case .idleTripTail: "round trip on an idle link, p99"
        case .loadedTrip: "round trip under registration load, p50"
        case .loadedTripTail: "round trip under registration load, p99"
        case .syncHalf: "snapshot of 50,000 DNs over a link"
        case .sync: "snapshot of 100,000 DNs over a link"
        case .syncLarge: "snapshot of 900,000 DNs over a link"
        case .agentEvent: "agent's change → event at the other node, p50"
        case .agentEventTail: "agent's change → event at the other node, p99"
        case .reservation: "reservation by a router of the other node, p50"
        case .reservationTail: "reservation by a router of the other node, p99"
        case .reservationRate: "reservations by a router of the other node"
        case .monitorCPU: "CPU of a node for an event of a monitoring client"
        case .monitorBytes: "memory a monitoring client"
        case .resume: "10,000 missed events at a client that resumes"
        }
    }

    var unit: String {
        switch self {
        case .aloneRate, .aloneLargeRate, .aloneFirstRate, .pairRate, .firstRate, .reservationRate: "1/s"
        case .agentEvent, .agentEventTail, .reservation, .reservationTail, .monitorCPU: "µs"
        case .monitorBytes: "B"
        case .resume: "ms"
        case .aloneCPU, .aloneLargeCPU, .aloneFirstCPU, .pairCPU, .pairPeerCPU, .firstCPU, .firstPeerCPU: "µs"
        case .eventMedian, .eventTail, .idleTrip, .idleTripTail, .loadedTrip, .loadedTripTail: "µs"
        case .bindingBytes, .peerBytes: "B"
        case .killHeard, .killReady, .readyLive, .syncHalf, .sync, .syncLarge: "ms"
        }
    }

    var meaning: String {
        switch self {
        case .aloneRate, .aloneLargeRate: "closed loop, UDP, 256 in flight, worker on one core, generator on another"
        case .aloneCPU, .aloneLargeCPU, .aloneFirstCPU:
            "processor time of the worker, user and kernel, by requests answered"
        case .aloneFirstRate: "each DN for the first time: a binding and a claim each"
        case .pairRate: "the same; refreshes say nothing to the peer, which shares the generator's core"
        case .pairCPU, .firstCPU: "the node that the phones register at"
        case .pairPeerCPU: "the other node"
        case .firstRate: "each a new claim that the peer is told of"
        case .firstPeerCPU: "the other node, until it shows the last DN in service"
        case .eventMedian: "to EventDNBackInService at a client of the other node; one DN at a time, nobody pinned"
        case .eventTail: "of the same samples"
        case .bindingBytes: "resident memory above a worker with 100 DNs, 100,000 bindings, tables and buffers included"
        case .peerBytes: "the same at the other node, which owns none of them"
        case .killHeard: "a client that monitors the node that stays"
        case .killReady: "as the status says, asked every millisecond"
        case .readyLive: "snapshot of 100,000 DNs; as the status says, asked every millisecond"
        case .idleTrip: "ping and pong as the links tell, a sample every 20 ms; workers on a core each"
        case .loadedTrip: "the same while 100,000 phones register for the first time and leave, as fast as they can"
        case .idleTripTail, .loadedTripTail: "of the same samples"
        case .syncHalf, .sync, .syncLarge: "from the hello to the live link, at a node that has started without memory"
        case .agentEvent: "5,000 changes a second of 1,000 agents, from the moment at which each was due; nobody pinned"
        case .reservation: "one at a time, from the request to EventAgentReserved, the DN's owner on the other node"
        case .agentEventTail, .reservationTail: "of the same samples"
        case .reservationRate: "64 requests under way, half of them to cancel"
        case .monitorCPU: "1,000 clients that monitor everything, by clients and changes"
        case .monitorBytes: "resident memory of the node that the 1,000 are connected to"
        case .resume: "from the connection to the last event"
        }
    }
}
