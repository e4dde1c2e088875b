package import ClusterModel

/// What nodes say to each other of the calls of DNs. It goes over a live link, after what there is to say of the DNs themselves.
package enum CallMessage: Equatable, Sendable {
    /// To a DN's owner: all calls of the DN that the sender is near to; none when the last is over.
    case calls(of: DN, [DNCall], ended: DNCalls.Ended?)
    /// Since the link became live the sender has told of all DNs of the receiver that it is near to and that have calls.
    case recounted
}

/// What a node has still to tell one peer.
package struct CallReports: Sendable {
    var order: [DNIndex] = []
    var position = 0
    var owed: [DNIndex: DNCalls.Ended?] = [:]
    var owesEnd = false

    package init() {}

    package var isEmpty: Bool { owed.isEmpty && !owesEnd }

    /// The peer is to hear of a DN's calls as they are when it can be told.
    package mutating func owe(_ dn: DNIndex, ended: DNCalls.Ended? = nil) {
        if let known = owed[dn] {
            owed[dn] = .some(ended ?? known)
        } else {
            owed[dn] = .some(ended)
            order.append(dn)
        }
    }

    /// The link is live: what is owed by now is all that there is.
    package mutating func oweRecount() { owesEnd = true }

    package mutating func removeAll() { self = CallReports() }

    package enum Next: Equatable, Sendable {
        case calls(of: DNIndex, ended: DNCalls.Ended?)
        case recounted
    }

    /// What is to be told next; nil for nothing.
    package mutating func next() -> Next? {
        while position < order.count {
            let dn = order[position]
            position += 1
            if position == order.count || position > 1_024 {
                order.removeFirst(position)
                position = 0
            }
            if let ended = owed.removeValue(forKey: dn) { return .calls(of: dn, ended: ended) }
        }
        guard owesEnd else { return nil }
        owesEnd = false
        return .recounted
    }
}
