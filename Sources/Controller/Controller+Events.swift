import ClusterModel
import LinuxSystem
import Logging
import Orchestration
import Transport
import Wire

/// An operator's connection that reads the event stream, and how far it is.
struct EventReader {
    let client: FramedConnection
    /// The sequence number of the event that it wants next.
    var position: UInt64
    /// Events are told as they happen; otherwise only those that have.
    var follows: Bool
    /// It has been answered, and waits for something to happen.
    var isCaughtUp = false
}

// What has happened, and who is told. What is an event and what is kept, the journal decides.
extension Controller {
    /// With more than this waiting in a connection, nothing more is put there. The reader falls behind in the ring, which
    /// costs no memory.
    static let pullLimit = 256 * 1024
    /// How often conditions are looked for that no event announces: clocks, digests, silence.
    private static let lookInterval = Duration.seconds(5)
    /// How soon after a change: what lasts no longer is no condition.
    private static let lookDelay = Duration.milliseconds(200)

    // MARK: Readers

    func beginEvents(_ start: EventStart, follow: Bool, _ client: FramedConnection) {
        followers[ObjectIdentifier(client)] = EventReader(
            client: client, position: journal.ring.position(of: start), follows: follow)
    }

    /// Puts what each reader has not got into its connection, as long as there is room.
    func tellFollowers() {
        for id in followers.keys { pull(id) }
    }

    private func pull(_ id: ObjectIdentifier) {
        while let reader = followers[id], !reader.isCaughtUp || reader.position < journal.ring.next {
            guard reader.client.isOpen else {
                followers[id] = nil
                return
            }
            guard reader.client.outputBytes < Self.pullLimit else { return }
            let batch = journal.ring.batch(from: reader.position)
            answer(.events(batch), reader.client)
            followers[id]?.position = batch.next
            followers[id]?.isCaughtUp = batch.isCaughtUp
            if batch.isCaughtUp, !reader.follows { followers[id] = nil }
            // Nothing else would begin another turn if the socket takes all of it.
            if reader.client.outputBytes >= Self.pullLimit { loop.soon {} }
        }
    }

    // MARK: What happens

    func noteStart() {
        let now = loop.now.wallMilliseconds
        journal.controllerStarted(
            process: UInt32(ProcessInformation.current), version: TandemVersion.current, at: now)
        journal.topologyLoaded(
            options.topology, cluster: topology.cluster, nodes: topology.nodes.count, dns: topology.directory.count,
            at: now)
        lookRegularly()
    }

    func note(_ change: LinkChange, from worker: WorkerHandle) {
        journal.linkChanged(worker.name, change, at: loop.now.wallMilliseconds)
        // The worker's own log says why a link was lost; that it lives is said nowhere else.
        if change.state == "live" {
            logger.info("link live", metadata: ["node": "\(worker.name)", "peer": "\(change.peer)"])
        }
        lookSoon()
    }

    /// What a look at all nodes shows.
    func note(_ status: ClusterStatus) {
        guard !isStopping else { return }
        let before = journal.ring.next
        journal.looked(
            status.nodes, notices: topology.notices, and: ownConditions(), generation: generation,
            at: loop.now.wallMilliseconds)
        for event in journal.ring.batch(from: before).events where !Self.isLoggedAlready(event.condition) {
            logger.notice(
                "\(event.kind.rawValue)",
                metadata: [
                    "condition": "\(event.condition)", "node": "\(event.node)", "peer": "\(event.peer)",
                    "message": "\(event.message)",
                ]
            )
        }
    }

    /// The log has a line of its own where the cause of these happens.
    private static func isLoggedAlready(_ condition: String) -> Bool {
        ["node-down", "node-restarted", "link-not-live", "not-run-yet"].contains(condition)
    }

    // MARK: Looks

    func lookSoon() {
        guard !looksSoon, !isStopping else { return }
        looksSoon = true
        loop.schedule(after: Self.lookDelay) { [unowned self] in
            looksSoon = false
            if !isStopping { ask(.status, for: nil) }
        }
    }

    private func lookRegularly() {
        guard !isStopping else { return }
        loop.schedule(after: Self.lookInterval) { [unowned self] in
            if !isStopping { ask(.status, for: nil) }
            lookRegularly()
        }
    }
}
