import ClusterModel
import TLibraryPorts
import Wire

/// One frame for every decoder: it is refused or gives a value, and a value comes back as it went.
enum FramesCheck {
    private static let mesh = MeshCodec(topology: FuzzCluster.topology)

    static func check(_ input: [UInt8]) throws(FuzzFinding) {
        guard let header = FrameHeader(input.span.bytes) else {
            return try expect(input.count < FrameHeader.size, "a whole header was not read")
        }
        var written: [UInt8] = []
        header.append(to: &written)
        try expect(written[...] == input.prefix(FrameHeader.size), "a header is written otherwise than it was read")
        // The rest is the payload whatever the header says of its length: a connection waits until it has as much.
        try checkPayload(Array(input.dropFirst(FrameHeader.size)), type: header.type)
    }

    private static func checkPayload(_ payload: [UInt8], type: UInt16) throws(FuzzFinding) {
        // Text that is no UTF-8 is mended, which can make it three times as long; whoever tells it on bounds it.
        guard payload.count <= FrameHeader.maximumPayload / 4 else { return }
        try checkReturn(payload, type, { mesh.encode($0, to: &$1) }) { try mesh.decode(type: $0, $1.span.bytes) }
        try checkReturn(payload, type, { ProxyCodec.encode($0, to: &$1) }) {
            try ProxyCodec.decode(type: $0, $1.span.bytes)
        }
        try checkReturn(payload, type, { CallsCodec.encode($0, to: &$1) }) {
            try CallsCodec.decode(type: $0, $1.span.bytes)
        }
        try checkReturn(payload, type, { StatCodec.encode($0, to: &$1) }) {
            try StatCodec.decodeRequest(type: $0, $1.span.bytes)
        }
        try checkReturn(payload, type, { StatCodec.encode($0, to: &$1) }) {
            try StatCodec.decodeAnswer(type: $0, $1.span.bytes)
        }
        try checkReturn(payload, type, { TLibraryCodec.encode($0, to: &$1) }) {
            let request = try TLibraryCodec.decodeRequest(type: $0, $1.span.bytes)
            // What cannot be is refused, and no client writes it.
            guard case .invalid = request else { return request }
            throw WireError.malformed(type: $0)
        }
        try checkReturn(payload, type, { WorkerOrderCodec.encode($0, to: &$1) }) {
            try WorkerOrderCodec.decode(type: $0, $1.span.bytes)
        }
        try checkReturn(payload, type, { WorkerNewsCodec.encode($0, to: &$1) }) {
            try WorkerNewsCodec.decode(type: $0, $1.span.bytes)
        }
        try checkReturn(payload, type, { OperatorCodec.encode($0, to: &$1) }) {
            try OperatorCodec.decodeRequest(type: $0, $1.span.bytes)
        }
        try checkReturn(payload, type, { OperatorCodec.encode($0, to: &$1) }) {
            try OperatorCodec.decodeAnswer(type: $0, $1.span.bytes)
        }
        try checkReturn(payload, type, { _ = DecisionCodec.encode($0, to: &$1) }) {
            try DecisionCodec.decode(type: $0, $1.span.bytes)
        }
        if type == FrameType.hello {
            try checkReturn(payload, type, { CommonCodec.encode($0, to: &$1) }) {
                try CommonCodec.decodeHello($1.span.bytes)
            }
        }
        if type == FrameType.proof {
            try checkReturn(payload, type, { CommonCodec.encode(proof: $0, to: &$1) }) {
                try CommonCodec.decodeProof($1.span.bytes)
            }
        }
        if type == FrameType.problem {
            try checkReturn(payload, type, { CommonCodec.encode(problem: $0, to: &$1) }) {
                try CommonCodec.decodeProblem($1.span.bytes)
            }
        }
        // Clients read events and never write any.
        _ = try? TLibraryCodec.decodeEvent(type: type, payload.span.bytes)
    }

    /// What is decoded is encoded, and decoded again.
    private static func checkReturn<Value: Equatable>(
        _ payload: [UInt8], _ type: UInt16, _ encode: (Value, inout [UInt8]) -> Void,
        _ decode: (UInt16, [UInt8]) throws -> Value
    ) throws(FuzzFinding) {
        guard let value = try? decode(type, payload) else { return }
        var frame: [UInt8] = []
        encode(value, &frame)
        let header = FrameHeader(frame.span.bytes)
        try expect(
            header.map { $0.type == type && Int($0.payloadLength) == frame.count - FrameHeader.size } == true,
            "\(value) was of type \(type) and is encoded with the header \(header.map { "\($0)" } ?? "of nothing")")
        let again = try? decode(type, Array(frame.dropFirst(FrameHeader.size)))
        try expect(again == value, "\(value) comes back as \(again.map { "\($0)" } ?? "nothing")")
    }
}
