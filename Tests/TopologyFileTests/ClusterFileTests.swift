import ClusterModel
import Glibc
import Testing
import TopologyFile

struct ClusterFileTests {
    @Test(arguments: Repository.topologies(in: Repository.clusters))
    func `every cluster file loads without a diagnostic`(path: String) throws {
        let source = try TopologyFile.read(path: path)
        let result = TopologyFile.load(source)
        #expect(rendered(result, source) == "")
        let topology = try #require(result.topology)
        #expect(topology.notices.isEmpty)
    }

    @Test(arguments: Repository.topologies(in: Repository.invalidClusters))
    func `every invalid file gives the diagnostics beside it`(path: String) throws {
        let read = try TopologyFile.read(path: path)
        let name = String(path.split(separator: "/").last ?? "")
        let source = TopologySource(name: name, text: read.text)
        let result = TopologyFile.load(source)
        #expect(result.topology == nil)
        let expectedPath = String(path.dropLast(".yaml".count)) + ".expected"
        if getenv("TANDEM_REGENERATE").map({ String(cString: $0) }) == "1" {
            try Repository.write(rendered(result, source), to: expectedPath)
        }
        let expected = try TopologyFile.read(path: expectedPath)
        #expect(rendered(result, source) == String(decoding: expected.text, as: UTF8.self))
    }

    @Test func `there are enough files for the tests above to mean something`() {
        #expect(Repository.topologies(in: Repository.clusters).count >= 3)
        #expect(Repository.topologies(in: Repository.invalidClusters).count >= 50)
    }

    @Test func `the invalid files show every code but those for too many faults and of earlier versions`() throws {
        var seen: Set<String> = ["T028", "T030"]
        for path in Repository.topologies(in: Repository.invalidClusters) {
            seen.formUnion(TopologyFile.load(try TopologyFile.read(path: path)).codes)
        }
        #expect(seen.sorted() == DiagnosticCatalog.allCodes)
    }

    @Test func `four data centers have homes on their continents, SIP and PSTN phones, and dialled zeros`() throws {
        let source = try TopologyFile.read(path: Repository.clusters + "/four-datacenters.yaml")
        let topology = try #require(TopologyFile.load(source).topology)
        #expect(topology.dataCenters.map(\.name) == ["ams", "fra", "iad", "sjc"])
        #expect(topology.nodes.count == 11)
        #expect(Set(topology.agentTypes.map(\.phone)) == [.sip, .pstn])
        let directory = topology.directory
        #expect(directory.count == 22_637)
        let homes = { (dn: String) throws -> [String] in
            let index = try #require(DN(dn).flatMap { directory.index(of: $0) })
            return directory.homes[directory.block(of: index).homes].map { topology.dataCenters[$0].name }
        }
        #expect(try homes("210000") == ["fra", "ams"])
        #expect(try homes("311499") == ["sjc", "iad"])
        #expect(try homes("9000") == [])
        #expect(DN("0001").flatMap { directory.index(of: $0) } != nil)
        #expect(DN("1").flatMap { directory.index(of: $0) } == nil)
        let home = try #require(DN("7103").flatMap { directory.index(of: $0) })
        #expect(directory.dialStrings[home] == "+15715550003")
        #expect(topology.timing.desktopGrace == .seconds(15))
    }

    @Test func `two data centers are what the file says`() throws {
        let source = try TopologyFile.read(path: Repository.clusters + "/two-datacenters.yaml")
        let topology = try #require(TopologyFile.load(source).topology)
        #expect(topology.cluster == "two-datacenters")
        #expect(topology.domain == "cc.example.com")
        #expect(topology.dataCenters == [.init(name: "dc1", location: "west"), .init(name: "dc2", location: "east")])
        #expect(topology.nodes.map(\.name) == ["dc1/sip1", "dc1/sip2", "dc2/sip1", "dc2/sip2"])
        #expect(topology.nodes.map(\.dataCenter) == [0, 0, 1, 1])
        #expect(topology.nodes[3].sip.map(\.description) == ["udp:127.0.0.1:5074"])
        #expect(topology.nodes[3].tcontroller.description == "tcp:127.0.0.1:7104")
        #expect(topology.nodes[3].mesh.description == "tcp:127.0.0.1:7304")
        #expect(topology.agentTypes.map(\.name) == ["pstn-phone", "sip-phone"])
        #expect(topology.timing.keepalive == .milliseconds(500))
        let directory = topology.directory
        #expect(directory.count == 1004)
        let phone = try #require(DN("1999").flatMap { directory.index(of: $0) })
        #expect(directory.homes[directory.block(of: phone).homes] == [0, 1])
        #expect(topology.agentTypes[directory.block(of: phone).agentType].phone == .sip)
        let line = try #require(DN("7004").flatMap { directory.index(of: $0) })
        #expect(directory.dialStrings[line] == "+15551230004")
        #expect(directory.homes[directory.block(of: line).homes] == [])
    }
}
