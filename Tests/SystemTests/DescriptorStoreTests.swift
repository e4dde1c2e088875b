import LinuxSystem
import Orchestration
import Testing

/// A stub of the service manager that keeps what a controller gives it, by the protocols of sd_notify(3) and sd_listen_fds(3).
private final class DescriptorStore {
    let path: String
    private let socket: OwnedDescriptor
    private(set) var kept: [(name: String, descriptor: OwnedDescriptor)] = []

    init(at path: String) throws {
        self.path = path
        socket = try UnixSocket.boundDatagram(path: path)
    }

    /// Takes all that has been said.
    func read() throws {
        while let (bytes, descriptors) = try socket.receivePassing(maximum: 4096), !bytes.isEmpty {
            let lines = String(decoding: bytes, as: UTF8.self).split(separator: "\n")
            guard let name = lines.first(where: { $0.hasPrefix("FDNAME=") })?.dropFirst(7) else { continue }
            if lines.contains("FDSTOREREMOVE=1") { kept.removeAll { $0.name == name } }
            if lines.contains("FDSTORE=1") {
                #expect(lines.contains("FDPOLL=0"), "or an unreachable phone would cost the socket")
                #expect(descriptors.count == 1)
                for descriptor in descriptors { kept.append((String(name), descriptor)) }
            }
        }
    }
}

/// Sockets outlive controller and worker together.
@Suite(.serialized) struct DescriptorStoreTests {
    @Test func `what comes while neither controller nor worker is there waits in what the service manager has kept`()
        throws
    {
        let temporary = try TemporaryDirectory()
        defer { temporary.remove() }
        print("under a stub of a service manager's descriptor store")
        let store = try DescriptorStore(at: temporary.path + "/notify")
        var options = TestCluster.Options()
        options.survives = true
        options.environment = ["NOTIFY_SOCKET=\(store.path)"]
        let cluster = try TestCluster(TestCluster.twoNodes, options: options)
        try store.read()
        let names = store.kept.map(\.name)
        #expect(Set(names).count == names.count)
        #expect(names.contains("dc1/sip1%20udp%3A127.0.0.1%3A5071"), "\(names)")
        try cluster.register("1001", at: "127.0.0.1:5071")

        let worker = try #require(try cluster.status().nodes.first)
        try cluster.killController()
        let process = try ChildProcess.adopt(Int32(worker.pid))
        try process.send(.kill)
        #expect(try process.descriptor.wait(forReading: true, nanoseconds: 5_000_000_000))
        // A phone asks although nobody is there, and is answered by the node's next life.
        let phone = try HelperProcess(
            cluster.sandbox.inside(["/usr/bin/sipsak", "-s", "sip:127.0.0.1:5071", "-v"]))
        let (idle, other) = try Sockets.streamPair()
        #expect(try !idle.wait(forReading: true, nanoseconds: 200_000_000))
        other.close()
        try cluster.startController(stored: store.kept)
        let (code, output) = try phone.end(seconds: 20)
        #expect(code == 0, "\(output)")
        #expect(output.contains("200 OK"), "\(output)")
        try cluster.waitUntil("the cluster is healthy") { $0.isHealthy }
        #expect(cluster.logText.contains("took back sockets from the service manager"))
        try store.read()
        #expect(store.kept.map(\.name) == names, "they are kept on, and none twice")

        // A node that the topology no longer has needs none.
        try cluster.endController()
        let text = TestCluster.twoNodes(cluster.directory)
        let east = try #require(text.firstRange(of: "  dc2:"))
        let rest = try #require(text.firstRange(of: "dns:"))
        try cluster.write(topology: String(text[..<east.lowerBound] + text[rest.lowerBound...]))
        try cluster.startController(stored: store.kept)
        try cluster.waitUntil("one node is left", seconds: 20) { $0.isHealthy && $0.nodes.count == 1 }
        try store.read()
        #expect(store.kept.allSatisfy { $0.name.hasPrefix("dc1/sip1%20") })
        #expect(!store.kept.isEmpty)
    }
}
