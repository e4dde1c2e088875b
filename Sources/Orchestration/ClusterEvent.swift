/// Something that happened in the cluster, as the controller keeps it for operators.
package struct ClusterEvent: Equatable, Sendable {
    /// What happened, in kebab case. A later controller may know kinds that this program does not.
    package struct Kind: RawRepresentable, Hashable, Sendable {
        package let rawValue: String

        package init(rawValue: String) {
            self.rawValue = rawValue
        }
    }

    /// Counts from 1 within a stream, without gaps.
    package var sequence: UInt64 = 0
    /// Milliseconds since 1970.
    package var time: UInt64
    package var kind: Kind
    package var severity: Condition.Severity
    /// The node that it concerns, or the one at the start of the link; empty for none.
    package var node: String
    /// The node at the end of the link; empty if it is about no link.
    package var peer: String
    /// The kind of the condition that was raised or cleared; otherwise empty.
    package var condition: String
    /// One sentence, without a capital and full stop.
    package var message: String

    package init(
        sequence: UInt64 = 0, time: UInt64, kind: Kind, severity: Condition.Severity = .notice, node: String = "",
        peer: String = "", condition: String = "", message: String
    ) {
        self.sequence = sequence
        self.time = time
        self.kind = kind
        self.severity = severity
        self.node = node
        self.peer = peer
        self.condition = condition
        self.message = message
    }

    /// What the event costs of the ring's bound: its texts, and the words that hold them.
    package var cost: Int {
        128 + node.utf8.count + peer.utf8.count + condition.utf8.count + message.utf8.count
    }
}

extension ClusterEvent.Kind {
    package static let controllerStarted = Self(rawValue: "controller-started")
    package static let controllerStopping = Self(rawValue: "controller-stopping")
    package static let topologyLoaded = Self(rawValue: "topology-loaded")
    /// Another topology is wanted; every worker runs it.
    package static let topologyApplied = Self(rawValue: "topology-applied")
    package static let topologySettled = Self(rawValue: "topology-settled")
    /// A worker goes on under it while it serves; or could not.
    package static let nodeApplied = Self(rawValue: "node-applied")
    package static let nodeNotApplied = Self(rawValue: "node-not-applied")
    /// A process was started.
    package static let nodeStarted = Self(rawValue: "node-started")
    package static let nodeReady = Self(rawValue: "node-ready")
    /// The process of an earlier controller was taken up.
    package static let nodeAdopted = Self(rawValue: "node-adopted")
    /// The process of an earlier controller is stopped, and another one follows.
    package static let nodeReplaced = Self(rawValue: "node-replaced")
    package static let nodeFailed = Self(rawValue: "node-failed")
    /// It gave no sign of life, or did not do what it was to do in time.
    package static let nodeKilled = Self(rawValue: "node-killed")
    /// It ended unasked.
    package static let nodeExited = Self(rawValue: "node-exited")
    package static let nodeBackingOff = Self(rawValue: "node-backing-off")
    /// It ended as it was asked to.
    package static let nodeStopped = Self(rawValue: "node-stopped")
    /// Another process is taking its place; has; or could not.
    package static let nodeRestarting = Self(rawValue: "node-restarting")
    package static let nodeRestarted = Self(rawValue: "node-restarted")
    package static let nodeNotRestarted = Self(rawValue: "node-not-restarted")
    /// Phones and desktops are to leave it; may stay.
    package static let nodeDraining = Self(rawValue: "node-draining")
    package static let nodeUndrained = Self(rawValue: "node-undrained")
    /// Workers are restarted one after the other.
    package static let rollout = Self(rawValue: "rollout")
    package static let linkSyncing = Self(rawValue: "link-syncing")
    package static let linkLive = Self(rawValue: "link-live")
    package static let linkDown = Self(rawValue: "link-down")
    package static let conditionRaised = Self(rawValue: "condition-raised")
    package static let conditionCleared = Self(rawValue: "condition-cleared")
    package static let clientCutOff = Self(rawValue: "client-cut-off")

    /// All that this program tells.
    package static let all: [Self] = [
        .controllerStarted, .controllerStopping, .topologyLoaded, .topologyApplied, .topologySettled, .nodeApplied,
        .nodeNotApplied, .nodeStarted, .nodeReady, .nodeAdopted, .nodeReplaced,
        .nodeFailed, .nodeKilled, .nodeExited, .nodeBackingOff, .nodeStopped, .nodeRestarting, .nodeRestarted,
        .nodeNotRestarted, .nodeDraining, .nodeUndrained, .rollout, .linkSyncing, .linkLive, .linkDown,
        .conditionRaised, .conditionCleared, .clientCutOff,
    ]
}

/// Where a reader of the event stream wants to begin.
package enum EventStart: Equatable, Sendable {
    /// With the oldest event that is kept.
    case oldest
    /// With the next one that happens.
    case next
    /// With this one. The stream is that of a reader who goes on; 0 for whichever there is.
    case sequence(UInt64, stream: UInt64)
    /// With the first one that happened at this time, in milliseconds since 1970, or later.
    case time(UInt64)
}

/// What a reader gets at a time.
package struct EventBatch: Equatable, Sendable {
    /// The most events of one batch, whose frame must stay below 1 MiB.
    package static let maximumEvents = 500

    /// Which controller's life the sequence numbers belong to.
    package var stream: UInt64
    /// In order, without gaps.
    package var events: [ClusterEvent] = []
    /// How many events before the first one were asked for and are no longer kept.
    package var missed: UInt64 = 0
    /// The sequence number of the event that follows.
    package var next: UInt64
    /// The reader has been told of everything that has happened.
    package var isCaughtUp: Bool

    package init(
        stream: UInt64, events: [ClusterEvent] = [], missed: UInt64 = 0, next: UInt64, isCaughtUp: Bool
    ) {
        self.stream = stream
        self.events = events
        self.missed = missed
        self.next = next
        self.isCaughtUp = isCaughtUp
    }
}
