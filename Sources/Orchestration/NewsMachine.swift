/// One direction of a link has changed, as the node at its start tells the controller.
package struct LinkChange: Equatable, Sendable {
    package var peer: String
    /// `down`, `syncing` or `live`, as it is now.
    package var state: String
    /// Why the last connection ended, if it did.
    package var problem: String
    /// How many changes before this one were not told by themselves, because the link changed too often.
    package var untold: UInt64

    package init(peer: String, state: String, problem: String = "", untold: UInt64 = 0) {
        self.peer = peer
        self.state = state
        self.problem = problem
        self.untold = untold
    }
}

/// A node closed the connection of a client that did not read what it had asked for, or broke the rules.
package struct ClientCutOff: Equatable, Sendable {
    package var client: UInt64
    package var reason: String
    /// How many others were cut off since the last one that was told.
    package var untold: UInt64

    package init(client: UInt64, reason: String, untold: UInt64 = 0) {
        self.client = client
        self.reason = reason
        self.untold = untold
    }
}

/// Which changes a worker tells its controller as they happen. A link that flaps, or clients that are cut off by the
/// thousand, are told of a few times and then in sums, so neither costs more than a message now and then.
package struct NewsMachine: Equatable, Sendable {
    /// How many changes of one link, and how many clients, are told at once after a quiet time.
    package static let burst: UInt64 = 8
    /// How long one more of them is earned.
    package static let interval: UInt64 = 2_000_000_000

    /// What may be said of one thing.
    private struct Credit: Equatable, Sendable {
        private var left = NewsMachine.burst * NewsMachine.interval
        private var lastEarned: UInt64 = 0

        mutating func take(_ now: UInt64) -> Bool {
            if now > lastEarned { left = min(left + (now - lastEarned), NewsMachine.burst * NewsMachine.interval) }
            lastEarned = max(now, lastEarned)
            guard left >= NewsMachine.interval else { return false }
            left -= NewsMachine.interval
            return true
        }

        /// When one more may be said.
        var next: UInt64 { lastEarned + NewsMachine.interval - min(left, NewsMachine.interval) }
    }

    private struct LinkNews: Equatable, Sendable {
        var change: LinkChange
        var credit = Credit()
    }

    private var links: [LinkNews]
    private var clientCredit = Credit()
    /// The last client of whom nothing was said.
    private var heldClient: ClientCutOff?
    /// Whether anything is held back; asked for at every turn of a loop.
    private var isHolding = false

    /// - Parameter peers: names of all nodes; links are down at first.
    package init(peers: [String]) {
        links = peers.map { LinkNews(change: LinkChange(peer: $0, state: "down")) }
    }

    /// The cluster has other nodes; those that it had keep what is known of them.
    package mutating func replacePeers(_ peers: [String]) {
        let known = Dictionary(links.map { ($0.change.peer, $0) }, uniquingKeysWith: { first, _ in first })
        links = peers.map { known[$0] ?? LinkNews(change: LinkChange(peer: $0, state: "down")) }
    }

    /// - Parameters:
    ///   - peer: its position.
    ///   - now: monotonic nanoseconds, as everywhere here.
    /// - Returns: what to tell now.
    package mutating func linkIs(_ state: String, to peer: Int, problem: String, now: UInt64) -> LinkChange? {
        guard links[peer].change.state != state else { return nil }
        links[peer].change.state = state
        links[peer].change.problem = problem
        guard links[peer].credit.take(now) else {
            links[peer].change.untold += 1
            isHolding = true
            return nil
        }
        return told(peer)
    }

    package mutating func clientCutOff(_ client: UInt64, reason: String, now: UInt64) -> ClientCutOff? {
        let cutOff = ClientCutOff(client: client, reason: reason, untold: heldClient.map { $0.untold + 1 } ?? 0)
        guard clientCredit.take(now) else {
            heldClient = cutOff
            isHolding = true
            return nil
        }
        heldClient = nil
        return cutOff
    }

    /// What was held back and may be told now.
    package mutating func tick(now: UInt64) -> (links: [LinkChange], client: ClientCutOff?) {
        var changes: [LinkChange] = []
        for peer in links.indices where links[peer].change.untold > 0 && links[peer].credit.take(now) {
            // The last of the changes is the one that is told.
            links[peer].change.untold -= 1
            changes.append(told(peer))
        }
        var client: ClientCutOff?
        if let held = heldClient, clientCredit.take(now) {
            client = held
            heldClient = nil
        }
        isHolding = heldClient != nil || links.contains { $0.change.untold > 0 }
        return (changes, client)
    }

    /// When `tick` has something to tell; nil when nothing is held back.
    package var nextDeadline: UInt64? {
        guard isHolding else { return nil }
        let held = links.filter { $0.change.untold > 0 }.map(\.credit.next)
        return (held + (heldClient == nil ? [] : [clientCredit.next])).min()
    }

    private mutating func told(_ peer: Int) -> LinkChange {
        let change = links[peer].change
        links[peer].change.untold = 0
        return change
    }
}
