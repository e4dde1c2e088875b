import ClusterModel
import DNOwnership
import Orchestration
import TLibraryPorts
import Wire

func frame(_ encode: (inout [UInt8]) -> Void) -> [UInt8] {
    var bytes: [UInt8] = []
    encode(&bytes)
    return bytes
}

func header(_ frame: [UInt8]) -> FrameHeader { FrameHeader(frame.span.bytes)! }

func payload(_ frame: [UInt8]) -> [UInt8] { Array(frame.dropFirst(FrameHeader.size)) }

func topology(_ names: String...) -> Topology {
    let address = StreamAddress.tcp(NetworkAddress(ipv4: 0x7F00_0001, port: 1))
    let nodes = names.map { Node(name: $0, dataCenter: 0, sip: [], tcontroller: address, mesh: address) }
    return Topology(
        cluster: "test", domain: "cc.example.com", agentTypes: [], dataCenters: [], nodes: nodes,
        directory: DNDirectory(blocks: [])
    )
}

let mesh = MeshCodec(topology: topology("dc1/a", "dc1/b", "dc2/c"))
let port = TLibraryCodec(
    cluster: "test", version: "1.2",
    nodes: ["dc1/a", "dc1/b", "dc2/c"].map {
        TLibraryCodec.NodeLabel(name: $0, address: .unix(path: "/run/\($0.suffix(1))"), location: "west")
    }
)

func dn(_ text: String) -> DN { DN(text)! }

/// One message of some codec: its frame, and how the payload is read again.
struct Sample {
    var frame: [UInt8]
    var decode: @Sendable (UInt16, [UInt8]) throws -> Void
}

/// Every message of every codec.
func everySample() -> [Sample] {
    var samples: [Sample] = []
    for message in peerMessages {
        samples.append(
            Sample(frame: frame { mesh.encode(message, to: &$0) }) { _ = try mesh.decode(type: $0, $1.span.bytes) })
    }
    for message in proxyMessages {
        samples.append(
            Sample(frame: frame { ProxyCodec.encode(message, to: &$0) }) {
                _ = try ProxyCodec.decode(type: $0, $1.span.bytes)
            })
    }
    for message in callMessages {
        samples.append(
            Sample(frame: frame { CallsCodec.encode(message, to: &$0) }) {
                _ = try CallsCodec.decode(type: $0, $1.span.bytes)
            })
    }
    for word in capacityWords {
        samples.append(
            Sample(frame: frame { CapacityCodec.encode(word, to: &$0) }) { _, payload in
                _ = try CapacityCodec.decode(payload.span.bytes)
            })
    }
    for request in statRequests {
        samples.append(
            Sample(frame: frame { StatCodec.encode(request, to: &$0) }) {
                _ = try StatCodec.decodeRequest(type: $0, $1.span.bytes)
            })
    }
    for answer in statAnswers {
        samples.append(
            Sample(frame: frame { StatCodec.encode(answer, to: &$0) }) {
                _ = try StatCodec.decodeAnswer(type: $0, $1.span.bytes)
            })
    }
    for request in requests {
        samples.append(
            Sample(frame: frame { TLibraryCodec.encode(request, to: &$0) }) {
                _ = try TLibraryCodec.decodeRequest(type: $0, $1.span.bytes)
            }
        )
    }
    for event in events {
        samples.append(
            Sample(frame: encoded(event)) { _ = try TLibraryCodec.decodeEvent(type: $0, $1.span.bytes) }
        )
    }
    for order in orders {
        samples.append(
            Sample(frame: frame { WorkerOrderCodec.encode(order, to: &$0) }) {
                _ = try WorkerOrderCodec.decode(type: $0, $1.span.bytes)
            }
        )
    }
    for piece in news {
        samples.append(
            Sample(frame: frame { WorkerNewsCodec.encode(piece, to: &$0) }) {
                _ = try WorkerNewsCodec.decode(type: $0, $1.span.bytes)
            }
        )
    }
    for message in handoverMessages {
        samples.append(
            Sample(frame: frame { HandoverCodec.encode(message, to: &$0) }) {
                _ = try HandoverCodec.decode(type: $0, $1.span.bytes)
            }
        )
    }
    return samples + operatorSamples()
}

private func operatorSamples() -> [Sample] {
    var samples: [Sample] = []
    for request in operatorRequests {
        samples.append(
            Sample(frame: frame { OperatorCodec.encode(request, to: &$0) }) {
                _ = try OperatorCodec.decodeRequest(type: $0, $1.span.bytes)
            }
        )
    }
    for answer in operatorAnswers {
        samples.append(
            Sample(frame: frame { OperatorCodec.encode(answer, to: &$0) }) {
                _ = try OperatorCodec.decodeAnswer(type: $0, $1.span.bytes)
            }
        )
    }
    let hello = PortHello(name: "tandem", cluster: "test", lineage: 4)
    samples.append(
        Sample(frame: frame { CommonCodec.encode(hello, to: &$0) }) { _ = try CommonCodec.decodeHello($1.span.bytes) }
    )
    let proving = PortHello(name: "stat1", nonce: Array(1...32))
    samples.append(
        Sample(frame: frame { CommonCodec.encode(proving, to: &$0) }) { _ = try CommonCodec.decodeHello($1.span.bytes) }
    )
    samples.append(
        Sample(frame: frame { CommonCodec.encode(proof: Array(1...32), to: &$0) }) {
            _ = try CommonCodec.decodeProof($1.span.bytes)
        }
    )
    samples.append(
        Sample(frame: frame { CommonCodec.encode(problem: "It broke.", to: &$0) }) {
            _ = try CommonCodec.decodeProblem($1.span.bytes)
        }
    )
    for decision in decisionFrames {
        samples.append(
            Sample(frame: frame { _ = DecisionCodec.encode(decision, to: &$0) }) {
                _ = try DecisionCodec.decode(type: $0, $1.span.bytes)
            }
        )
    }
    return samples
}

func encoded(_ event: TEvent) -> [UInt8] {
    let now = Instant(monotonic: 5, wallMilliseconds: 1_700_000_000_123)
    return frame { port.encode(event, server: NodeIndex(1), now: now, to: &$0) }
}

// MARK: Payloads by hand

func varint(_ value: UInt64) -> [UInt8] {
    var bytes: [UInt8] = []
    var rest = value
    while rest >= 0x80 {
        bytes.append(UInt8(rest & 0x7F) | 0x80)
        rest >>= 7
    }
    return bytes + [UInt8(rest)]
}

func number(_ field: UInt64, _ value: UInt64) -> [UInt8] { varint(field << 3) + varint(value) }

func bytes(_ field: UInt64, _ value: [UInt8]) -> [UInt8] {
    varint(field << 3 | 2) + varint(UInt64(value.count)) + value
}

func text(_ field: UInt64, _ value: String) -> [UInt8] { bytes(field, Array(value.utf8)) }

func packedFixed(_ field: UInt64, count: Int) -> [UInt8] { bytes(field, Array(repeating: 1, count: count * 8)) }

func packedNumbers(_ field: UInt64, _ values: [UInt64]) -> [UInt8] { bytes(field, values.flatMap { varint($0) }) }

/// A DN as it travels: 16 bytes, zero padded.
func wire(_ texts: String...) -> [UInt8] {
    texts.flatMap { text in Array(text.utf8) + Array(repeating: 0, count: 16 - text.utf8.count) }
}
