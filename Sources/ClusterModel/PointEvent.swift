/// What has become of a call at a routing point: what statistics are made of.
///
/// A call begins with `waiting` and ends with one of the outcomes that end it; of some, that end is told by nobody, as their node has
/// died. On the way it may be `defaulted`.
package struct PointEvent: Hashable, Sendable {
    /// The raw values travel.
    package enum Outcome: UInt8, Hashable, Sendable, CaseIterable {
        /// It came, and waits until somebody has taken it; phones that ring do not end that.
        case waiting = 1
        /// Somebody has taken it: an agent, or whoever answers at a default or alternate DN.
        case answered = 2
        /// The caller has given up.
        case abandoned = 3
        /// It goes to the routing point's default and alternate DNs, and waits for those.
        case defaulted = 4
        /// Nobody could take it.
        case refused = 5
        /// It goes to another routing point, and waits there.
        case overflowed = 6

        /// The call is no longer at the routing point.
        package var isEnd: Bool {
            switch self {
            case .waiting, .defaulted: false
            case .answered, .abandoned, .refused, .overflowed: true
            }
        }

        /// In the words of interfaces and scripts (kebab case).
        package var word: String {
            switch self {
            case .waiting: "waiting"
            case .answered: "answered"
            case .abandoned: "abandoned"
            case .defaulted: "defaulted"
            case .refused: "refused"
            case .overflowed: "overflowed"
            }
        }
    }

    package var point: DN
    package var connection: CallConnection
    package var outcome: Outcome
    /// How long the call had been at the routing point by then: milliseconds.
    package var waited: UInt64
    /// When it happened, milliseconds since 1970 by the node's clock.
    package var time: UInt64
    /// Who has taken the call, or where it goes; nil where that is no DN of the cluster, or nobody.
    package var destination: DN?

    package init(
        _ outcome: Outcome, _ connection: CallConnection, at point: DN, waited: UInt64 = 0, time: UInt64,
        destination: DN? = nil
    ) {
        self.point = point
        self.connection = connection
        self.outcome = outcome
        self.waited = waited
        self.time = time
        self.destination = destination
    }
}
