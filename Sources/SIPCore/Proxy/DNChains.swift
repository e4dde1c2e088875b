package import ClusterModel

/// The calls of each DN, as chains through the table of calls: a DN may have any number of them, and each leaves without a
/// search.
struct DNChains {
    /// One of the two sides of a call in the table: the place in the table, doubled, and 1 for the callee.
    struct Place: Hashable {
        let rawValue: Int32

        init(_ slot: Int, _ side: Side) { rawValue = Int32(slot) << 1 | (side == .callee ? 1 : 0) }

        var slot: Int { Int(rawValue >> 1) }
        var side: Side { rawValue & 1 == 1 ? .callee : .caller }
    }

    enum Side { case caller, callee }

    /// The neighbours in a chain.
    struct Links {
        var earlier: Place?
        var later: Place?
        var isJoined = false
    }

    /// The latest call of each DN that has one.
    var latest: [DNIndex: Place] = [:]
}

extension CallTable {
    /// Whether a DN has a call that this node is near, be it one that only rings.
    package func isBusy(_ dn: DNIndex) -> Bool { chains.latest[dn] != nil }

    /// The latest calls of a DN that this node is near.
    package func calls(of dn: DNIndex) -> [DNCall] {
        var calls: [DNCall] = []
        var place = chains.latest[dn]
        while let present = place, calls.count < DNCalls.maximumCount {
            calls.append(call(at: present))
            place = links(present).earlier
        }
        return calls
    }

    /// DNs with calls that this node is near, sorted.
    package var busyDNs: [DNIndex] { chains.latest.keys.sorted() }

    private func call(at place: DNChains.Place) -> DNCall {
        let call = records[place.slot].call
        let (phase, since): (DNCall.Phase, Instant) =
            switch (call.state, place.side) {
            case (.established, _): (.established, call.since)
            case (.calling, .caller), (.ringing, .caller): (.ringing, call.begun)
            // A phone that was asked rings sooner or later, or refuses.
            case (.calling, .callee), (.ringing, .callee): (.ringing, call.askedSince)
            }
        return DNCall(
            connection: call.connection, phase: phase, isCaller: place.side == .caller, since: since.wallMilliseconds,
            other: place.side == .caller ? call.dialedText : call.callerText, routingPoint: call.parties.routingPoint)
    }

    // MARK: Joining and leaving

    /// The callee, if this node is near.
    func nearCallee(of id: CallID) -> DNIndex? { slot(id).flatMap { nearCallee($0) } }

    func nearCallee(_ slot: Int) -> DNIndex? {
        let parties = records[slot].call.parties
        return parties.isCalleeNear ? parties.callee : nil
    }

    func dn(_ slot: Int, _ side: DNChains.Side) -> DNIndex? {
        let parties = records[slot].call.parties
        switch side {
        case .caller: return parties.isCallerNear ? parties.caller : nil
        // Who calls himself has one call.
        case .callee: return parties.isCallerNear && parties.caller == parties.callee ? nil : nearCallee(slot)
        }
    }

    mutating func join(_ slot: Int, _ side: DNChains.Side) {
        guard let dn = dn(slot, side) else { return }
        let place = DNChains.Place(slot, side)
        var links = DNChains.Links()
        links.earlier = chains.latest[dn]
        links.isJoined = true
        setLinks(place, links)
        if let earlier = links.earlier { changeLinks(earlier) { $0.later = place } }
        chains.latest[dn] = place
    }

    /// - Precondition: the party is still the one that has joined.
    mutating func leave(_ slot: Int, _ side: DNChains.Side) {
        let place = DNChains.Place(slot, side)
        let links = links(place)
        guard links.isJoined, let dn = dn(slot, side) else { return }
        setLinks(place, DNChains.Links())
        if let later = links.later {
            changeLinks(later) { $0.earlier = links.earlier }
        } else {
            chains.latest[dn] = links.earlier
        }
        if let earlier = links.earlier { changeLinks(earlier) { $0.later = links.later } }
    }

    func links(_ place: DNChains.Place) -> DNChains.Links {
        place.side == .caller ? records[place.slot].asCaller : records[place.slot].asCallee
    }

    private mutating func setLinks(_ place: DNChains.Place, _ links: DNChains.Links) {
        changeLinks(place) { $0 = links }
    }

    private mutating func changeLinks(_ place: DNChains.Place, _ change: (inout DNChains.Links) -> Void) {
        switch place.side {
        case .caller: change(&records[place.slot].asCaller)
        case .callee: change(&records[place.slot].asCallee)
        }
    }
}
