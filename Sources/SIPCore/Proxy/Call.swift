package import ClusterModel

/// The DNs of a call; nil for one that is none of the cluster's.
///
/// A node is *near* a party if no other node stands between it and the party's phones as the DN's owner knows them: it is this
/// node that can say whether the party has the call, whoever owns the DN later.
package struct CallParties: Hashable, Sendable {
    package var caller: DNIndex?
    package var callee: DNIndex?
    package var isCallerNear: Bool
    package var isCalleeNear: Bool
    /// The routing point that it came to.
    package var routingPoint: DN?

    /// Who is called.
    package enum Callee: Hashable, Sendable {
        case nobody
        case phones(of: DNIndex, isNear: Bool)
    }

    /// From its parts; both near.
    package init(caller: DNIndex?, callee: DNIndex?) {
        self.caller = caller
        self.callee = callee
        isCallerNear = true
        isCalleeNear = true
    }

    mutating func setCallee(_ callee: Callee) {
        switch callee {
        case .nobody: self.callee = nil
        case .phones(let dn, let isNear):
            self.callee = dn
            isCalleeNear = isNear
        }
    }
}

/// A call as long as it is in the table; never means another later.
package struct CallID: Hashable, Sendable {
    let slot: Int32
    let generation: UInt32
}

/// How far a call is. The raw values travel.
package enum CallState: UInt8, Hashable, Sendable, CaseIterable {
    /// The INVITE has gone on, and no phone has said that it rings; or it waits to be routed.
    case calling
    case ringing
    /// Until a BYE, or until its session is over.
    case established
}

/// What a node knows of a call that goes through it.
package struct Call: Hashable, Sendable {
    /// The Call-ID and the tag of the caller: what names the dialog in all of its requests.
    package var callID: [UInt8] = []
    package var callerTag: [UInt8] = []
    /// Of the phone that has answered; empty before.
    package var calleeTag: [UInt8] = []
    package var connection = CallConnection(rawValue: 0)
    package var parties = CallParties(caller: nil, callee: nil)
    /// Who calls, and what was dialled, as the INVITE says it.
    package var callerText = ""
    package var dialedText = ""
    /// The trunks that it came and went over.
    package var callerTrunk: TrunkIndex?
    package var calleeTrunk: TrunkIndex?
    package var state = CallState.calling
    /// When it came into that state.
    package var since = Instant(monotonic: 0, wallMilliseconds: 0)
    /// When the INVITE came.
    package var begun = Instant(monotonic: 0, wallMilliseconds: 0)
    /// When the callee's phones were asked.
    package var askedSince = Instant(monotonic: 0, wallMilliseconds: 0)
}

/// The calls of a DN have changed.
package struct CallsChange: Hashable, Sendable {
    package var dn: DNIndex
    /// The call that has ended, if one has.
    package var ended: DNCalls.Ended?
}
