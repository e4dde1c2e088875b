package import ClusterModel

/// What a worker that serves without a controller says to the one that finds it.
package struct WorkerIntroduction: Equatable, Sendable {
    package var node: String
    package var incarnation: Incarnation
    /// Of what it was configured with.
    package var topology: TopologyDigest
    /// Of that topology; 0 of a build that does not say so.
    package var generation: UInt64
    /// Of its program.
    package var version: String

    package init(
        node: String, incarnation: Incarnation, topology: TopologyDigest, generation: UInt64 = 0, version: String
    ) {
        self.node = node
        self.incarnation = incarnation
        self.topology = topology
        self.generation = generation
        self.version = version
    }
}

/// Tells two topologies apart, as workers are told them. FNV-1a, 64 bits: it guards against files that were edited, not
/// against somebody who may write into the controller's directory.
package struct TopologyDigest: Equatable, Sendable {
    package var value: UInt64

    package init(value: UInt64 = 0xCBF2_9CE4_8422_2325) {
        self.value = value
    }

    /// Of a text alone.
    package init(of text: [UInt8]) {
        self.init()
        add(text)
    }

    package mutating func add(_ bytes: some Sequence<UInt8>) {
        for byte in bytes { value = (value ^ UInt64(byte)) &* 0x100_0000_01B3 }
    }
}

/// What becomes of a worker that a controller finds.
package enum AdoptionVerdict: Equatable, Sendable {
    /// It is what the controller would start, so it goes on.
    case takeUp
    /// It is stopped, and another is started; the sentence says why.
    case replace(String)

    /// Another version of the program is no reason: a new controller must not interrupt a service that runs. Nor is another topology: it
    /// is told the one that is wanted while it serves.
    package static func judge(_ found: WorkerIntroduction, node: String) -> AdoptionVerdict {
        found.node == node ? .takeUp : .replace("it says that it is node \(found.node)")
    }
}
