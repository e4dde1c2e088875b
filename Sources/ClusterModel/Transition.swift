/// What became of a DN once, as a node saw it that owned the DN before or since.
package struct Transition: Hashable, Sendable {
    /// Why. The raw values are stored and told, and never change their meaning.
    package enum Cause: UInt8, Hashable, Sendable, CaseIterable {
        /// A phone registered, or a desktop did for one: the DN was out of service before, or another node's.
        case registered = 1
        /// It went out of service; `Transition.service` says why.
        case lost = 2
        /// Another node owns it since.
        case moved = 3
        case loggedIn = 4
        case loggedOut = 5
        case ready = 6
        case notReady = 7

        /// In the words of interfaces and scripts (kebab case).
        package var word: String {
            switch self {
            case .registered: "registered"
            case .lost: "lost"
            case .moved: "moved"
            case .loggedIn: "logged-in"
            case .loggedOut: "logged-out"
            case .ready: "ready"
            case .notReady: "not-ready"
            }
        }
    }

    /// Transitions of one DN that one node keeps: the last ones.
    package static let maximumCount = 32

    /// Milliseconds since 1970, by the clock of the node that saw it.
    package var time: UInt64
    package var cause: Cause
    /// As it is since.
    package var service: Service
    /// The owner's full name since, and before if that was another; empty for none.
    package var owner: String
    package var formerOwner: String
    /// The owner's claim since.
    package var stamp: Stamp
    /// Who is logged in since, or has just logged out; empty for nobody.
    package var agent: String
    /// Of a registration: where the phone is, as 192.0.2.7:5060; empty for none.
    package var phone: String

    package init(
        time: UInt64, cause: Cause, service: Service, owner: String, formerOwner: String = "", stamp: Stamp,
        agent: String = "", phone: String = ""
    ) {
        self.time = time
        self.cause = cause
        self.service = service
        self.owner = owner
        self.formerOwner = formerOwner
        self.stamp = stamp
        self.agent = agent
        self.phone = phone
    }

    /// Why a view of a DN became another one, for the node whose number is `me`.
    ///
    /// - Returns: nil where nothing has happened that anybody would want to know.
    package static func cause(from before: View, to after: View, at me: NodeIndex) -> Cause? {
        if before.owner != after.owner || before.service != after.service {
            if after.owner != me { return before.owner == me ? .moved : nil }
            return after.service.isInService ? .registered : .lost
        }
        guard after.owner == me, before.agent != after.agent else { return nil }
        let (former, session) = (before.agent, after.agent)
        guard let session, session.isLoggedIn else { return former?.isLoggedIn == true ? .loggedOut : nil }
        guard former?.isLoggedIn == true, former?.login == session.login else { return .loggedIn }
        guard former?.state != session.state else { return nil }
        return session.state == .ready ? .ready : .notReady
    }
}
