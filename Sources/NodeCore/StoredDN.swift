package import ClusterModel
package import SIPCore

/// What a node writes down of a DN that it owns.
package struct StoredDN: Equatable, Sendable {
    /// A phone, with the time until which it is taken back.
    package struct Contact: Hashable, Sendable {
        /// Without its expiry, and without its stream, which ends with the process.
        package var binding: Binding
        /// Milliseconds since 1970.
        package var keptUntil: UInt64

        package init(_ binding: Binding, keptUntil: UInt64) {
            self.binding = binding
            self.binding.expiry = 0
            self.binding.source.flow = .none
            self.keptUntil = keptUntil
        }
    }

    /// The node's own claim, and when somebody registered at it last.
    package var claim: Stamp
    package var registered: Stamp
    package var service: Service
    package var session: AgentSession?
    package var contacts: [Contact]

    package init(claim: Stamp, registered: Stamp, service: Service, session: AgentSession?, contacts: [Contact]) {
        self.claim = claim
        self.registered = registered
        self.service = service
        self.session = session
        self.contacts = contacts
    }

    /// Whether it says the same, whenever it was made: the same second is another millisecond when the host's clock is set.
    package func isSame(as other: StoredDN) -> Bool {
        claim == other.claim && registered == other.registered && service == other.service && session == other.session
            && contacts.count == other.contacts.count
            && zip(contacts, other.contacts).allSatisfy { $0.binding == $1.binding }
    }
}

/// Everything that a node's earlier lives have written down.
package struct StoredState: Equatable, Sendable {
    /// The greatest stamp that any of them had issued or heard when it wrote last.
    package var greatestStamp: Stamp
    package var rows: [Row]

    package struct Row: Equatable, Sendable {
        package var dn: DN
        package var row: StoredDN

        package init(dn: DN, row: StoredDN) {
            self.dn = dn
            self.row = row
        }
    }

    /// - Parameter rows: in the order of the DNs' texts, each DN once.
    package init(greatestStamp: Stamp = .zero, rows: [Row] = []) {
        self.greatestStamp = greatestStamp
        self.rows = rows
    }

    /// By DN: what was written last.
    package init(greatestStamp: Stamp, dns: [DN: StoredDN]) {
        self.init(
            greatestStamp: greatestStamp,
            rows: dns.sorted { $0.key < $1.key }.map { Row(dn: $0.key, row: $0.value) })
    }
}

/// One thing to write down. Whoever writes keeps to the order of the numbers.
package struct StoreWrite: Equatable, Sendable {
    /// 1 for the first.
    package var number: UInt64
    package var dn: DN
    package var change: Change
    /// The greatest stamp that the node has issued or heard.
    package var greatestStamp: Stamp

    package enum Change: Equatable, Sendable {
        /// What is kept of the DN from now on; nil: the node does not own it any more.
        case row(StoredDN?)
        /// One more line of the DN's history.
        case transition(Transition)
    }

    package init(number: UInt64, dn: DN, change: Change, greatestStamp: Stamp) {
        self.number = number
        self.dn = dn
        self.change = change
        self.greatestStamp = greatestStamp
    }
}
