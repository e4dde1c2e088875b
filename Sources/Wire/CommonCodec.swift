import CProtobufC
import CTandemProto
import TLibraryPorts

/// The hello of the T-Controller port and of the control sockets.
package struct PortHello: Equatable, Sendable {
    package static let protocolVersion: UInt32 = 1

    package var protocolVersion: UInt32
    package var name: String
    package var cluster: String
    package var lineage: UInt64
    /// 32 bytes; empty for none.
    package var nonce: [UInt8]

    package init(
        protocolVersion: UInt32 = PortHello.protocolVersion, name: String, cluster: String = "", lineage: UInt64 = 0,
        nonce: [UInt8] = []
    ) {
        self.protocolVersion = protocolVersion
        self.name = name
        self.cluster = cluster
        self.lineage = lineage
        self.nonce = nonce
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
            $0.nonce = arena.bytes(hello.nonce)
        }
        appendFrame(type: FrameType.hello, message, to: &output)
        withExtendedLifetime(arena) {}
    }

    package static func decodeHello(_ payload: RawSpan) throws(WireError) -> PortHello {
        try unpack(
            type: FrameType.hello, tandem__common__hello__descriptor, payload, as: Tandem__Common__Hello.self
        ) { (message) throws(WireError) in
            guard [0, ClientProof.size].contains(message.nonce.len) else {
                throw .badValue(type: FrameType.hello, field: "nonce")
            }
            return PortHello(
                protocolVersion: message.protocol_version, name: text(message.name), cluster: text(message.cluster),
                lineage: message.lineage, nonce: Array(bytes(message.nonce))
            )
        }
    }

    /// Appends a proof that the sender knows a client's secret; see `ClientProof`.
    package static func encode(proof code: [UInt8], to output: inout [UInt8]) {
        let arena = PackingArena()
        let message = arena.make(tandem__common__proof__init) { $0.code = arena.bytes(code) }
        appendFrame(type: FrameType.proof, message, to: &output)
        withExtendedLifetime(arena) {}
    }

    package static func decodeProof(_ payload: RawSpan) throws(WireError) -> [UInt8] {
        try unpack(
            type: FrameType.proof, tandem__common__proof__descriptor, payload, as: Tandem__Common__Proof.self
        ) { (message) throws(WireError) in
            guard message.code.len == ClientProof.size else {
                throw .badValue(type: FrameType.proof, field: "code")
            }
            return Array(bytes(message.code))
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
