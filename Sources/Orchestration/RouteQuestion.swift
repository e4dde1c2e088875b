/// Whom routers would choose now for a call to a routing point.
package struct RouteQuestion: Equatable, Sendable {
    /// Others of one answer at most.
    package static let maximumLimit: UInt32 = 500

    package var routingPoint = ""
    /// How many others are told.
    package var limit: UInt32 = 20
    /// The data center where the call comes, or a node's full name; empty for every data center that has a router.
    package var from = ""

    package init() {}
}

/// An agent for whom a router could choose.
package struct RouteCandidate: Equatable, Sendable {
    package var agent = ""
    package var dn = ""
    /// In the words of statistics: `ready`, `not-ready`, `busy` and so on.
    package var state = ""
    /// Milliseconds since 1970.
    package var since: UInt64 = 0
    package var location = ""
    /// In kebab case; empty for one who is chosen.
    package var whyNot = ""
    /// With `unskilled`: what the agent is not good enough at, `english:5`.
    package var lacks = ""

    package init() {}
}

/// What one router says, or that none of a data center has said anything.
package struct RouteAnswer: Equatable, Sendable {
    package var request: UInt64 = 0
    /// Empty if none has answered.
    package var router = ""
    package var dataCenter = ""
    /// Where the call would be.
    package var location = ""
    /// Who would get a call that came now; nil when it would wait.
    package var chosen: RouteCandidate?
    /// Who would get a call that waits for somebody near, in the end.
    package var afterOverflow: RouteCandidate?
    package var others: [RouteCandidate] = []

    package init() {}
}

/// One answer for every data center that was asked for, sorted by name.
package struct RouteAnswers: Equatable, Sendable {
    package static let maximumCount = 256

    package var routingPoint = ""
    package var answers: [RouteAnswer] = []

    package init() {}
}
