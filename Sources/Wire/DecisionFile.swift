import CTandemProto
import ClusterModel
import Orchestration

/// What is appended to a log of decisions at once. Its last frame is a seal; what has none was cut off by a crash.
package struct DecisionBatch {
    /// So that damage is seen; nobody is kept from writing a log.
    fileprivate static let hash = SipHash(key: 0x7461_6E64_656D_2064, 0x6563_6973_696F_6E73)

    private var bytes: [UInt8] = []

    /// Nothing to be written yet.
    package init() {}

    /// - Returns: false, with nothing added, for what a reader would not take.
    package mutating func add(_ frame: DecisionFrame) -> Bool {
        let start = bytes.count
        guard DecisionCodec.encode(frame, to: &bytes) else { return false }
        Self.check(header: start, of: &bytes)
        return true
    }

    /// All of it, with its seal.
    package func sealed() -> [UInt8] {
        let arena = PackingArena()
        var sealed = bytes
        let message = arena.make(tandem__control__decision_seal__init) { $0.digest = Self.hash.hash(bytes.span) }
        appendFrame(type: FrameType.decisionSeal, message, to: &sealed)
        withExtendedLifetime(arena) {}
        Self.check(header: bytes.count, of: &sealed)
        return sealed
    }

    private static func check(header start: Int, of bytes: inout [UInt8]) {
        let flags = flags(of: bytes.span.extracting(start..<(start + 6)))
        bytes[start + 6] = UInt8(truncatingIfNeeded: flags >> 8)
        bytes[start + 7] = UInt8(truncatingIfNeeded: flags)
    }

    /// What stands in a header after its length and type.
    fileprivate static func flags(of lengthAndType: Span<UInt8>) -> UInt16 {
        UInt16(truncatingIfNeeded: hash.hash(lengthAndType))
    }
}

/// Why a log of decisions cannot be read on.
package enum DecisionFileError: Error, Equatable, Sendable {
    /// It does not begin as one.
    case notALog
    /// The bytes from here on are not those that were written.
    case damaged(at: Int)
    /// What was written here, another program has written.
    case unreadable(at: Int, WireError)
}

/// Reads a log of decisions, whatever it holds.
package struct DecisionFileReader: Sendable {
    /// A log that this program writes has less: some decisions, and topologies of at most so much together.
    package static let maximumBytes = 256 << 20

    private let bytes: [UInt8]
    private var position = 0
    /// Behind what has been read whole.
    private var end = 0
    /// What was written last is not there to its end, as after a crash; it is left out.
    package private(set) var isTorn = false

    /// - Parameter bytes: of the whole file.
    package init(_ bytes: [UInt8]) { self.bytes = bytes }

    /// Where a program can go on writing a log.
    ///
    /// - Returns: how many bytes were written whole; nil if some are damaged, or another program has begun it.
    package static func end(of bytes: [UInt8], version: String = TandemVersion.current) -> Int? {
        var reader = DecisionFileReader(bytes)
        do throws(DecisionFileError) {
            guard case .segment(let segment) = try reader.next()?.first, segment.version == version else { return nil }
            while try reader.batch() != nil {}
        } catch {
            return nil
        }
        return reader.end
    }

    /// What was written at once.
    ///
    /// - Returns: nil at the end. After an error there is nothing to come.
    package mutating func next() throws(DecisionFileError) -> [DecisionFrame]? {
        guard let (start, frames) = try batch() else { return nil }
        do throws(WireError) {
            var decoded: [DecisionFrame] = []
            for (type, payload) in frames {
                decoded.append(try DecisionCodec.decode(type: type, bytes.span.bytes.extracting(payload)))
            }
            return decoded
        } catch {
            position = bytes.count
            throw .unreadable(at: start, error)
        }
    }

    /// What stands before the next seal, as it is.
    private mutating func batch() throws(DecisionFileError) -> (
        start: Int, frames: [(type: UInt16, payload: Range<Int>)]
    )? {
        let start = position
        guard start < bytes.count else { return nil }
        position = bytes.count
        var frames: [(type: UInt16, payload: Range<Int>)] = []
        var at = start
        while true {
            guard let (type, payload) = try frame(at: at, after: start) else {
                isTorn = true
                return nil
            }
            at = payload.upperBound
            if type == FrameType.decisionSeal {
                guard isSeal(payload, of: start) else { throw .damaged(at: start) }
                break
            }
            frames.append((type, payload))
        }
        if start == 0, frames.first?.type != FrameType.decisionSegment { throw .notALog }
        (position, end) = (at, at)
        return (start, frames)
    }

    /// - Returns: nil where the file ends before the frame does.
    private func frame(
        at position: Int, after start: Int
    ) throws(DecisionFileError) -> (type: UInt16, payload: Range<Int>)? {
        guard bytes.count - position >= FrameHeader.size,
            let header = FrameHeader(bytes.span.bytes.extracting(position..<(position + FrameHeader.size)))
        else {
            // A few bytes are the beginning of anything.
            if start == 0, position == 0 { throw .notALog }
            return nil
        }
        guard header.flags == DecisionBatch.flags(of: bytes.span.extracting(position..<(position + 6))),
            header.payloadLength <= FrameHeader.maximumPayload
        else {
            // A disk that lost its power may have made the file longer and not written it.
            if position > 0, bytes[position...].allSatisfy({ $0 == 0 }) { return nil }
            throw position == 0 ? .notALog : .damaged(at: position)
        }
        let payload = position + FrameHeader.size
        guard bytes.count - payload >= Int(header.payloadLength) else { return nil }
        return (header.type, payload..<(payload + Int(header.payloadLength)))
    }

    private func isSeal(_ payload: Range<Int>, of start: Int) -> Bool {
        let digest = DecisionBatch.hash.hash(bytes.span.extracting(start..<(payload.lowerBound - FrameHeader.size)))
        let written = try? unpack(
            type: FrameType.decisionSeal, tandem__control__decision_seal__descriptor,
            bytes.span.bytes.extracting(payload), as: Tandem__Control__DecisionSeal.self
        ) { (message) throws(WireError) in message.digest }
        return written == digest
    }
}
