import ClusterModel
import DNOwnership
import LinuxSystem
import NodeCore
import NodeStore
import Orchestration
import SIPCore
import Wire

/// A node of one DN, in memory alone, that does once what a node does when it starts and is asked something: registers a
/// phone, writes that down, and tells a peer.
///
/// What is done for the first time in a process takes several times as long: code is read, symbols are looked up,
/// metadata of types is made, statements are compiled. A process that is kept ready does it before anybody waits.
package enum Rehearsal {
    package static func play() {
        let address = NetworkAddress(ipv4: 0x7F00_0001, port: 5060)
        guard let dn = DN("1000") else { return }
        let nodes = ["a/a", "b/b"].enumerated().map { position, name in
            Node(
                name: name, dataCenter: position, sip: [SIPListener(transport: .udp, address: address)],
                tcontroller: .tcp(address), mesh: .tcp(address))
        }
        let blocks = [DNBlock(first: dn, count: 1, agentType: 0, homes: 0)]
        let topology = Topology(
            cluster: "rehearsal", domain: "rehearsal.invalid", agentTypes: [AgentType(name: "phone", phone: .sip)],
            dataCenters: ["a", "b"].map { DataCenter(name: $0, location: $0) }, nodes: nodes,
            directory: DNDirectory(blocks: blocks, homes: [[]]))
        let life = Incarnation(rawValue: 1)
        let setup = WorkerSetup(node: "a/a", incarnation: life, generation: 1, topology: topology)
        guard let told = repeated(.configure(setup)), repeated(.provision(blocks, dialStrings: [])) != nil,
            case .configure(let setup) = told,
            let opened = try? NodeStore.open(":memory:", cluster: "rehearsal", node: "a/a", wallMilliseconds: 0)
        else { return }
        let identity = NodeIdentity(index: NodeIndex(0), incarnation: life, lineage: life, generation: 1)
        var nodeSetup = NodeSetup(
            topology: setup.topology(blocks: blocks, dialStrings: []), identity: identity, secret: 1, seed: 1)
        nodeSetup.stored = opened.state
        let now = SystemClock.now()
        var core = NodeCore(nodeSetup, now: now)
        register(at: &core, store: opened.store, phone: address.with(port: 5061), now)
        tell(core, topology, now)
        opened.store.close()
    }

    /// As the controller's orders come.
    private static func repeated(_ order: WorkerOrder) -> WorkerOrder? {
        var bytes: [UInt8] = []
        WorkerOrderCodec.encode(order, to: &bytes)
        guard let header = FrameHeader(bytes.span.bytes) else { return nil }
        return try? WorkerOrderCodec.decode(type: header.type, bytes.span.bytes.extracting(FrameHeader.size...))
    }

    private static func register(
        at core: inout NodeCore, store: NodeStore, phone: NetworkAddress, _ now: Instant
    ) {
        let request = [
            "REGISTER sip:rehearsal.invalid SIP/2.0", "Via: SIP/2.0/UDP \(phone);branch=z9hG4bK1;rport",
            "From: <sip:1000@rehearsal.invalid>;tag=1", "To: <sip:1000@rehearsal.invalid>", "Call-ID: 1",
            "CSeq: 1 REGISTER", "Max-Forwards: 70", "Contact: <sip:1000@\(phone)>", "Expires: 60", "Content-Length: 0",
            "", "",
        ].joined(separator: "\r\n")
        var answers = DatagramBatch()
        core.messageReceived(
            Array(request.utf8).span, from: SIPSource(phone, listener: 0), now: now, answers: &answers)
        guard let reader = try? store.reader() else { return }
        store.submit(core.takeWrites(now: now))
        guard (try? reader.wait(forReading: true, nanoseconds: 1_000_000_000)) == true else { return }
        for outcome in store.takeOutcomes() { core.storeCommitted(through: outcome.through, now: now) }
        _ = core.takeActions()
        core.tick(now: now)
    }

    private static func tell(_ core: NodeCore, _ topology: Topology, _ now: Instant) {
        var core = core
        let (peer, connection) = (NodeIndex(1), ConnectionID(rawValue: 1))
        core.dialed(peer, connection: connection, now: now)
        let codec = MeshCodec(topology: topology)
        var bytes: [UInt8] = []
        while let message = core.nextPeerMessage(for: peer, now: now) { codec.encode(message, to: &bytes) }
    }
}
