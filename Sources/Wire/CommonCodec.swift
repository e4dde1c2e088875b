import CTandemProto

/// The hello of the T-Controller port and of the control sockets.
package struct PortHello: Equatable, Sendable {
    package static let protocolVersion: UInt32 = 1

    package var protocolVersion: UInt32
    package var name: String
    package var cluster: String
    package var lineage: UInt64

    package init(
        protocolVersion: UInt32 = PortHello.protocolVersion, name: String, cluster: String = "", lineage: UInt64 = 0
    ) {
        self.protocolVersion = protocolVersion
        self.name = name
        self.cluster = cluster
        self.lineage = lineage
    }
}

/// Messages that every port knows.
package enum CommonCodec {
    package static func encode(_ hello: PortHello, to output: inout [UInt8]) {
        let arena = PackingArena()
        let message = arena.make(tandem__common__hello__init) {
            $0.protocol_version = hello.protocolVersion
            $0.name = arena.string(hello.name)
            $0.cluster = arena.string(hello.cluster)
            $0.lineage = hello.lineage
        }
        appendFrame(type: FrameType.hello, message, to: &output)
        withExtendedLifetime(arena) {}
    }

    package static func decodeHello(_ payload: RawSpan) throws(WireError) -> PortHello {
        try unpack(
            type: FrameType.hello, tandem__common__hello__descriptor, payload, as: Tandem__Common__Hello.self
        ) { message in
            PortHello(
                protocolVersion: message.protocol_version, name: text(message.name), cluster: text(message.cluster),
                lineage: message.lineage
            )
        }
    }

    /// Appends a frame that says why the connection is being closed.
    package static func encode(problem: String, to output: inout [UInt8]) {
        let arena = PackingArena()
        let message = arena.make(tandem__common__problem__init) { $0.message = arena.string(problem) }
        appendFrame(type: FrameType.problem, message, to: &output)
        withExtendedLifetime(arena) {}
    }

    package static func decodeProblem(_ payload: RawSpan) throws(WireError) -> String {
        try unpack(
            type: FrameType.problem, tandem__common__problem__descriptor, payload, as: Tandem__Common__Problem.self
        ) { message in text(message.message) }
    }
}
