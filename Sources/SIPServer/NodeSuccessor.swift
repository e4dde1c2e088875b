import ClusterModel
import DNOwnership
import LinuxSystem
import Logging
import NodeCore
import NodeStore
import Orchestration
import SIPCore
import TLibraryPorts
import Transport
import WorkerRuntime

/// A node that takes the place of another process of it.
final class NodeSuccessor: HandoverTarget {
    private let start: RoleStart
    private var receiver: HandoverReceiver?
    private var sockets = HandoverSockets()
    private var adoption: OwnedDescriptor?
    private var shell: NodeShell?
    /// Nothing was given up yet: what could not be taken over.
    private var endedCount = 0

    init(_ start: RoleStart) { self.start = start }

    var descriptorLimit: Int {
        let topology = start.topology
        guard let me = topology.nodeIndex(named: start.setup.node) else { return 1_024 }
        return NodeShell.descriptorLimit(of: topology, me)
    }

    var role: any WorkerRole {
        guard let shell else { preconditionFailure("asked before it serves") }
        return shell
    }

    func takeAdoptionListener() -> OwnedDescriptor? {
        defer { adoption = nil }
        return adoption
    }

    func begin(_ offer: HandoverOffer) throws(RoleFailure) {
        let identity = try NodeRole.identity(start, lineage: offer.lineage)
        var setup = NodeSetup(
            topology: start.topology, identity: identity,
            authenticator: try NodeRole.authenticator(start, (offer.secret, offer.seed)),
            secret: offer.secret, seed: offer.seed)
        if !start.setup.store.isEmpty { setup.stored = StoredState() }
        receiver = HandoverReceiver(setup, now: SystemClock.now())
        start.logger.info(
            "taking the place of another process",
            metadata: ["incarnation": "\(offer.incarnation.rawValue)", "version": "\(offer.version)"])
    }

    func take(_ state: [UInt8], _ kind: HandoverPiece.Kind) throws(RoleFailure) {
        let now = SystemClock.now()
        let problem: String? =
            switch kind {
            case .state: receiver?.take(state, now: now)
            case .last: receiver?.takeLast(state, now: now)
            case .sockets: StateTransfer.read(state, into: &sockets)
            }
        if let problem { throw RoleFailure("what was handed over cannot be: \(problem)") }
    }

    func assemble(_ descriptors: [OwnedDescriptor]) throws(RoleFailure) {
        guard let receiver else { throw RoleFailure("no state was handed over") }
        guard descriptors.count == sockets.descriptorCount else {
            throw RoleFailure("\(sockets.descriptorCount) sockets were told, and \(descriptors.count) came")
        }
        let core = receiver.node()
        self.receiver = nil
        var rest = descriptors[...]
        let served = Array(rest.prefix(sockets.served.count))
        rest = rest.dropFirst(served.count)
        if sockets.hasAdoption { adoption = rest.popFirst() }
        start.loop.readClocks()
        let shell = NodeShell(
            core: core, start, memory: NodeMemory(), sockets: ServerSockets(sockets.served.map(\.name), served))
        shell.tls = start.tls
        shell.replaceClientSecrets(start.clientSecrets)
        do throws(SystemError) {
            try shell.open()
        } catch {
            throw RoleFailure("\(error)")
        }
        shell.goOn(with: sockets, &rest)
        self.shell = shell
    }

    func openStore() throws(RoleFailure) {
        guard let shell else { return }
        shell.memory = try NodeMemory.open(start.setup, logger: start.logger, restores: false)
        // What was damaged and put aside is not there any more.
        if shell.memory.store == nil || !shell.memory.setAside.isEmpty { shell.core.endStore() }
        if shell.memory.store != nil { shell.core.beginStore() }
        do throws(SystemError) {
            try shell.watchStore()
        } catch {
            throw RoleFailure("\(error)")
        }
    }

    func serve() -> Takeover {
        guard let shell else { preconditionFailure("nothing was put together") }
        return shell.beginServing(after: sockets)
    }
}

extension NodeShell {
    /// Takes up the connections of the process before this one.
    fileprivate func goOn(with sockets: HandoverSockets, _ descriptors: inout ArraySlice<OwnedDescriptor>) {
        lastNumber = sockets.lastNumber
        for stream in sockets.streams { if let next = descriptors.popFirst() { goOn(stream, next) } }
        for link in sockets.links { if let next = descriptors.popFirst() { goOn(link, next) } }
        for client in sockets.clients { if let next = descriptors.popFirst() { goOn(client, next) } }
        (sipStreams.accepted, sipStreams.cutOff) = (sockets.accepted, sockets.cutOff)
        for problem in sockets.problems where problem.node.position < topology.nodes.count {
            lastProblems[problem.node] = problem.text
        }
    }

    private func goOn(_ stream: HandoverSockets.Stream, _ descriptor: OwnedDescriptor) {
        let arrival = stream.came.map { NodeCore.Arrival(came: $0, read: stream.read ?? $0) }
        let delegate = SIPStreamDelegate(self, stream.source, arrival)
        guard
            let connection = try? SIPConnection(
                descriptor, from: stream.source.address, on: loop, delegate: delegate)
        else { return }
        if stream.source.flow.gateway == nil { count(descriptor, at: Int(stream.source.listener)) }
        connection.goOn(with: stream.remains)
        sipConnections[stream.source.flow] = connection
    }

    private func goOn(_ link: HandoverSockets.Link, _ descriptor: OwnedDescriptor) {
        guard let connection = try? meshConnection(descriptor, from: link.peer, isSecure: false) else { return }
        if link.isAccepted { count(descriptor, at: topology.nodes[me.position].mesh) }
        connection.goOn(with: link.remains)
        connections[link.id] = connection
        connectionIDs[ObjectIdentifier(connection)] = link.id
    }

    private func goOn(_ client: HandoverSockets.Client, _ descriptor: OwnedDescriptor) {
        guard let connection = try? clientConnection(descriptor, from: client.peer) else { return }
        let node = topology.nodes[me.position]
        if core.ports.port(of: client.id) == .default, let port = node.defaultPort {
            count(descriptor, at: port)
        } else {
            count(descriptor, at: node.tcontroller)
        }
        connection.goOn(with: client.remains)
        clients[client.id] = connection
        clientIDs[ObjectIdentifier(connection)] = client.id
        if let introduction = client.introduction {
            awaitIntroduction(of: client.id, from: client.peer, introduction)
        }
    }

    /// From here on nobody else reads.
    fileprivate func beginServing(after sockets: HandoverSockets) -> Takeover {
        loop.readClocks()
        core.keepOnly(
            connections: Set(connections.keys), clients: Set(clients.keys), flows: Set(sipConnections.keys),
            now: loop.now)
        for dial in sockets.dials { dialGateway(dial.flow, listener: dial.listener, sending: dial.messages) }
        for position in topology.nodes.indices where position != me.position {
            let link = core.inspect(link: NodeIndex(position))
            linkStates[position] = link.state
            linkConnections[position] = link.connection
        }
        waitingClients = Set(clients.keys)
        var takeover = Takeover()
        takeover.gap = loop.now.monotonic - min(sockets.frozenAt, loop.now.monotonic)
        let dropped = Dictionary(sockets.served.map { ($0.name, $0.dropped) }, uniquingKeysWith: { first, _ in first })
        for (name, descriptor) in servedSockets {
            let before = dropped[name] ?? 0
            takeover.lostDatagrams += descriptor.droppedDatagrams - min(before, descriptor.droppedDatagrams)
        }
        takeover.inService = UInt64(core.ownership.ownInService)
        takeover.connections = UInt64(sipConnections.count + connections.count + clients.count)
        loop.soon {}
        return takeover
    }
}
