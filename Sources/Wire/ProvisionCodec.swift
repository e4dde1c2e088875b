import CProtobufC
import CTandemProto
import ClusterModel
import Orchestration

/// Puts a topology's DNs into frames, and what is expected of them.
enum ProvisionCodec {
    /// The most expectations in one topology.
    private static let maximumExpectations = 65_536

    static func pack(
        _ blocks: [DNBlock], _ dialStrings: [DialString], _ arena: PackingArena
    ) -> UnsafeMutablePointer<Tandem__Control__ProvisionDNs> {
        arena.make(tandem__control__provision_dns__init) {
            $0.first_dns = arena.bytes(MeshCodec.packed(blocks.lazy.map(\.first), count: blocks.count))
            $0.n_counts = blocks.count
            $0.counts = arena.array(blocks.map { UInt32($0.count) })
            $0.n_agent_types = blocks.count
            $0.agent_types = arena.array(blocks.map { UInt32($0.agentType) })
            $0.n_homes = blocks.count
            $0.homes = arena.array(blocks.map { UInt32($0.homes) })
            $0.dialled_dns = arena.bytes(MeshCodec.packed(dialStrings.lazy.map(\.dn), count: dialStrings.count))
            $0.n_dial_strings = dialStrings.count
            $0.dial_strings = arena.strings(dialStrings.map(\.dial))
            if blocks.contains(where: { $0.expectation > 0 }) {
                $0.n_expectations = blocks.count
                $0.expectations = arena.array(blocks.map { UInt32($0.expectation) })
            }
            guard blocks.contains(where: { $0.introduced > 0 }) else { return }
            $0.n_introduced = blocks.count
            $0.introduced = arena.array(blocks.map(\.introduced))
        }
    }

    static func order(_ message: borrowing Tandem__Control__ProvisionDNs) throws(WireError) -> WorkerOrder {
        let type = FrameType.provision
        let count = message.n_counts
        guard count <= WorkerOrderCodec.maximumBlocks, message.n_dial_strings <= WorkerOrderCodec.maximumBlocks else {
            throw .tooMany(type: type)
        }
        let (dated, expected) = (message.n_introduced, message.n_expectations)
        guard message.first_dns.len == count * 16, message.n_agent_types == count, message.n_homes == count,
            message.dialled_dns.len == message.n_dial_strings * 16, dated == 0 || dated == count,
            expected == 0 || expected == count
        else { throw .badValue(type: type, field: "length of a column") }
        var blocks: [DNBlock] = []
        for position in 0..<count {
            guard let first = MeshCodec.dn(position, in: message.first_dns) else {
                throw .badValue(type: type, field: "DN")
            }
            blocks.append(
                DNBlock(
                    first: first, count: Int(message.counts[position]), agentType: Int(message.agent_types[position]),
                    homes: Int(message.homes[position]),
                    expectation: expected > 0 ? Int(message.expectations[position]) : 0,
                    introduced: dated > 0 ? message.introduced[position] : 0
                )
            )
        }
        let dials = texts(message.n_dial_strings, message.dial_strings)
        var dialStrings: [DialString] = []
        for (position, dial) in dials.enumerated() {
            guard let dn = MeshCodec.dn(position, in: message.dialled_dns) else {
                throw .badValue(type: type, field: "DN")
            }
            dialStrings.append(DialString(dn: dn, dial: dial))
        }
        return .provision(blocks, dialStrings: dialStrings)
    }

    // MARK: Expectations

    static func pack(
        _ expectation: ServiceExpectation, _ arena: PackingArena
    ) -> UnsafeMutablePointer<Tandem__Control__Expectation> {
        arena.make(tandem__control__expectation__init) {
            $0.start_minute = UInt32(clamping: expectation.hours?.start ?? 0)
            $0.end_minute = UInt32(clamping: expectation.hours?.end ?? 0)
            $0.days = UInt32(expectation.days.rawValue)
            $0.offset_minutes = Int32(clamping: expectation.offset)
        }
    }

    /// With the first, which is nil.
    static func expectations(
        _ message: borrowing Tandem__Control__Configure
    ) throws(WireError) -> [ServiceExpectation?] {
        guard message.n_expectations <= maximumExpectations else { throw .tooMany(type: FrameType.configure) }
        var expectations: [ServiceExpectation?] = [nil]
        for pointer in messages(message.n_expectations, message.expectations) {
            expectations.append(try expectation(pointer.pointee))
        }
        return expectations
    }

    private static func expectation(_ message: Tandem__Control__Expectation) throws(WireError) -> ServiceExpectation {
        let (start, end, offset) = (message.start_minute, message.end_minute, Int(message.offset_minutes))
        guard start < 1_440, end <= 1_440, let days = UInt8(exactly: message.days),
            days <= ServiceExpectation.Days.all.rawValue, ServiceExpectation.offsetBounds.contains(offset)
        else { throw .badValue(type: FrameType.configure, field: "expectation") }
        return ServiceExpectation(
            hours: start == end ? nil : ServiceExpectation.Hours(start: Int(start), end: Int(end)),
            days: ServiceExpectation.Days(rawValue: days), offset: offset)
    }
}
