import ClusterModel
import Glibc
import TopologyFile

/// Where the repository's files are.
enum Repository {
    static let root = String(#filePath.dropLast("/Tests/TopologyFileTests/Support.swift".count))
    static let clusters = root + "/clusters"
    static let invalidClusters = root + "/clusters/invalid"

    /// Paths of the topology files in a directory, sorted.
    static func topologies(in directory: String) -> [String] {
        guard let stream = opendir(directory) else { return [] }
        defer { closedir(stream) }
        var names: [String] = []
        while let entry = readdir(stream) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) { pointer in
                pointer.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            if name.hasSuffix(".yaml") { names.append("\(directory)/\(name)") }
        }
        return names.sorted()
    }

    static func write(_ text: String, to path: String) throws(TopologyFileError) {
        guard let file = fopen(path, "w") else { throw .unreadable(path: path, reason: "cannot be written") }
        defer { fclose(file) }
        fputs(text, file)
    }
}

/// A good file to break: line 17 is the first entry of `dns`.
let goodText = """
    version: 1
    cluster: test
    domain: cc.example.com
    agentTypes:
      sip-phone: { phone: sip }
      pstn-phone: { phone: pstn }
    dataCenters:
      dc1:
        location: west
        nodes:
          sip1:
            host: local
            sip: [ "udp:127.0.0.1:5071" ]
            tcontroller: "tcp:127.0.0.1:7101"
            mesh: "tcp:127.0.0.1:7301"
    dns:
      - { range: 1000-1999, agentType: sip-phone, homes: [dc1] }

    """

func load(_ text: String) -> LoadResult {
    TopologyFile.load(TopologySource(name: "test.yaml", text: text.utf8))
}

func load(_ bytes: [UInt8]) -> LoadResult {
    TopologyFile.load(TopologySource(name: "test.yaml", text: bytes))
}

extension LoadResult {
    var codes: [String] { diagnostics.map(\.code) }
}

/// All diagnostics of a file as its `.expected` file has them.
func rendered(_ result: LoadResult, _ source: TopologySource) -> String {
    result.diagnostics.map { $0.rendered(source: source, color: false) }.joined(separator: "\n")
}

/// A generator whose numbers depend on the seed alone (SplitMix64).
struct SeededGenerator: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        return mixed(state)
    }
}
