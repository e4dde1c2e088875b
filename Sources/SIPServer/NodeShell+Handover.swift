import ClusterModel
import DNOwnership
import LinuxSystem
import Logging
import NodeCore
import NodeStore
import Orchestration
import SIPCore
import Transport
import Wire
import WorkerRuntime

// This process hands its place over. Nothing is taken apart before the other one serves, so going on is only not to go.
extension NodeShell: HandoverSource {
    func handoverOffer() -> HandoverOffer {
        handover = HandoverSender(core)
        let identity = core.ownership.identity
        return HandoverOffer(
            node: topology.name(of: me), topology: topologyDigest, lineage: identity.lineage,
            incarnation: identity.incarnation, secret: core.secret, seed: core.seed, version: TandemVersion.current)
    }

    var handoverPatience: Duration { min(topology.timing.handoverHold, topology.timing.linkTimeout / 2) }

    func nextHandoverPart() -> [UInt8]? { handover?.nextPart(of: &core, now: loop.now) }

    /// The loop stands still from here on: what comes waits in the sockets. What is under way is finished.
    func freezeForHandover(within time: Duration) throws(HandoverFailure) {
        loop.readClocks()
        frozenAt = loop.now.monotonic
        let end = frozenAt + time.nanoseconds
        act(loop.now)
        try finishWriting(before: end)
        for peer in topology.nodes.indices where peer != me.position { sayNow(NodeIndex(peer)) }
        for client in waitingClients.union(core.takeReadyClients()).sorted() { pull(client, loop.now) }
        act(loop.now)
        for socket in sipSockets { socket.flush() }
        for connection in sipConnections.values { connection.writeNow() }
        for connection in connections.values { connection.writeNow() }
        for connection in clients.values { connection.writeNow() }
    }

    /// Whoever waits for the store is answered.
    private func finishWriting(before end: UInt64) throws(HandoverFailure) {
        memory.store?.submit(core.takeWrites(now: loop.now))
        while core.isWriting {
            guard let reader = storeReader else {
                throw HandoverFailure("the store is gone, and somebody waits for it")
            }
            let left = end - min(end, SystemClock.monotonicNanoseconds())
            guard left > 0, (try? reader.wait(forReading: true, nanoseconds: left)) == true else {
                throw HandoverFailure("the store takes too long")
            }
            loop.readClocks()
            hearStore()
            act(loop.now)
            memory.store?.submit(core.takeWrites(now: loop.now))
        }
    }

    /// What has to be in the connection before it goes over.
    private func sayNow(_ peer: NodeIndex) {
        pull(peer, loop.now)
        guard let id = core.ownership.connection(to: peer), let connection = connections[id] else { return }
        while let message = core.nextControlMessage(for: peer) {
            connection.withOutput { meshCodec.encode(message, to: &$0) }
        }
    }

    func handoverRest(adoption: OwnedDescriptor?) -> (
        state: [UInt8], sockets: [UInt8], descriptors: [OwnedDescriptor]
    ) {
        let state = handover?.lastPart(of: &core, now: loop.now) ?? []
        var (sockets, descriptors) = (HandoverSockets(), [OwnedDescriptor]())
        sockets.lastNumber = lastNumber
        sockets.frozenAt = frozenAt
        for (name, descriptor) in servedSockets {
            sockets.served.append(.init(name: name, dropped: descriptor.droppedDatagrams))
            descriptors.append(descriptor)
        }
        if let adoption {
            sockets.hasAdoption = true
            descriptors.append(adoption)
        }
        addStreams(&sockets, &descriptors)
        addLinks(&sockets, &descriptors)
        addClients(&sockets, &descriptors)
        sockets.dials = gatewayDials.map { .init(flow: $0, listener: $1.listener, messages: $1.messages) }
        sockets.problems = lastProblems.map { .init(node: $0, text: $1) }
        (sockets.accepted, sockets.cutOff) = (sipStreams.accepted, sipStreams.cutOff)
        return (state, StateTransfer.written(&sockets), descriptors)
    }

    private func addStreams(_ sockets: inout HandoverSockets, _ descriptors: inout [OwnedDescriptor]) {
        for connection in sipConnections.values {
            guard let remains = connection.remains, let delegate = connection.owner as? SIPStreamDelegate,
                let descriptor = descriptor(of: connection)
            else { continue }
            sockets.streams.append(
                .init(
                    source: delegate.source, remains: remains, came: delegate.arrival?.came,
                    read: delegate.arrival?.read))
            descriptors.append(descriptor)
        }
    }

    private func addLinks(_ sockets: inout HandoverSockets, _ descriptors: inout [OwnedDescriptor]) {
        for (id, connection) in connections {
            guard let remains = connection.remains, let delegate = connection.owner as? MeshDelegate,
                core.ownership.introducedPeer(of: id) != nil || !connection.isSecure,
                let descriptor = descriptor(of: connection)
            else { continue }
            sockets.links.append(
                .init(id: id, peer: delegate.peer, remains: remains, isAccepted: !delegate.peer.isEmpty))
            descriptors.append(descriptor)
        }
    }

    private func addClients(_ sockets: inout HandoverSockets, _ descriptors: inout [OwnedDescriptor]) {
        for (id, connection) in clients {
            guard let remains = connection.remains, let delegate = connection.owner as? ClientDelegate,
                let descriptor = descriptor(of: connection)
            else { continue }
            sockets.clients.append(
                .init(id: id, peer: delegate.peer, remains: remains, introduction: introductions[id]?.machine))
            descriptors.append(descriptor)
        }
    }

    func closeStoreForHandover() { closeStore() }

    func reopenStore() {
        guard !storePath.isEmpty, memory.store == nil else { return }
        do {
            let opened = try NodeMemory.reopen(storePath, topology.cluster, topology.name(of: me))
            memory.store = opened
            try watchStore()
        } catch {
            memory.problem = "\(error)"
            memory.isMissing = true
            core.endStore()
            logger.error("serving without a store", metadata: ["reason": "\(error)"])
        }
    }

    /// What goes over of a connection: its own descriptor, or, of one over TLS, the end of a pair over which it is passed on.
    private func descriptor(of connection: StreamConnection) -> OwnedDescriptor? {
        guard connection.isSecure else { return connection.descriptor }
        guard let (ours, theirs) = try? Sockets.streamPair() else { return nil }
        pendingRelays.append((connection, ours))
        return theirs
    }

    func endHandover() {
        handover = nil
        pendingRelays = []
        loop.readClocks()
        loop.soon {}
    }

    /// The other process serves: whatever this one did now would be done to the other's connections. Those over TLS stay, and are passed
    /// on.
    func letGo(ended: @escaping () -> Void) -> Int {
        loop.removeOwner(self)
        let relays = pendingRelays
        pendingRelays = []
        var left = relays.count
        for relay in relays {
            relay.connection.letGo(relaying: relay.descriptor) {
                left -= 1
                if left == 0 { ended() }
            }
        }
        for socket in sipSockets { socket.close() }
        for listener in listeners { listener.close() }
        let all = Array(sipConnections.values) + Array(connections.values) + Array(clients.values) as [StreamConnection]
        for connection in all where !connection.isRelayed { connection.letGo() }
        (sipConnections, connections, clients, dials) = ([:], [:], [:], [:])
        return relays.count
    }
}
