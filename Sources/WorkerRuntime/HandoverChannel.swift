import ClusterModel
import LinuxSystem
import Orchestration
import Wire

/// What passes between a process and the one that takes its place, by waiting: nothing else happens in either meanwhile.
final class HandoverChannel {
    /// How many descriptors go with one frame.
    private static let descriptorsPerFrame = 16
    private static let readSize = 256 * 1024

    let descriptor: OwnedDescriptor
    private var received: [UInt8] = []
    private var start = 0
    /// Descriptors that have come, in their order.
    private(set) var descriptors: [OwnedDescriptor] = []

    /// - Parameter received: what has been read of the socket before.
    init(_ descriptor: OwnedDescriptor, received: [UInt8] = []) {
        self.descriptor = descriptor
        self.received = received
    }

    /// - Throws: also when the time has passed or the peer is gone.
    func send(_ message: HandoverMessage, within time: Duration) throws(HandoverFailure) {
        var frame: [UInt8] = []
        HandoverCodec.encode(message, to: &frame)
        try write(frame, passing: [], deadline: Self.deadline(time))
    }

    /// Says to the process that listens there who comes.
    func ask(_ order: WorkerOrder, within time: Duration) throws(HandoverFailure) {
        var frame: [UInt8] = []
        WorkerOrderCodec.encode(order, to: &frame)
        try write(frame, passing: [], deadline: Self.deadline(time))
    }

    /// Gives descriptors to the other process; this one keeps its own.
    func pass(_ descriptors: [OwnedDescriptor], within time: Duration) throws(HandoverFailure) {
        let deadline = Self.deadline(time)
        var frame: [UInt8] = []
        HandoverCodec.encode(.descriptors, to: &frame)
        for first in stride(from: 0, to: descriptors.count, by: Self.descriptorsPerFrame) {
            let end = min(first + Self.descriptorsPerFrame, descriptors.count)
            try write(frame, passing: Array(descriptors[first..<end]), deadline: deadline)
        }
    }

    private func write(
        _ bytes: [UInt8], passing descriptors: [OwnedDescriptor], deadline: UInt64
    ) throws(HandoverFailure) {
        var (sent, isPassed) = (0, descriptors.isEmpty)
        while sent < bytes.count {
            do throws(SystemError) {
                let count =
                    isPassed
                    ? try descriptor.send(bytes, from: sent) : try descriptor.send(bytes, passing: descriptors)
                if let count {
                    sent += count
                    isPassed = true
                } else if try !descriptor.wait(forReading: false, nanoseconds: Self.left(deadline)) {
                    throw SystemError(notOurs: "the other process, which takes nothing")
                }
            } catch {
                throw HandoverFailure("\(error)")
            }
        }
    }

    /// Waits for the next message.
    ///
    /// - Parameter stops: readable when there is no more reason to wait; nothing is returned then.
    func receive(
        within time: Duration, unless stops: OwnedDescriptor? = nil
    ) throws(HandoverFailure) -> HandoverMessage? {
        let deadline = Self.deadline(time)
        while true {
            if let message = try next() { return message }
            do throws(SystemError) {
                guard let (bytes, passed) = try descriptor.receivePassing(maximum: Self.readSize) else {
                    let left = Self.left(deadline)
                    guard left > 0 else { throw SystemError(notOurs: "the other process, which says nothing") }
                    // Death is looked at now and then; what is said is heard at once.
                    let piece = stops == nil ? left : min(left, 5_000_000)
                    if try descriptor.wait(forReading: true, nanoseconds: piece) { continue }
                    if let stops, try stops.wait(forReading: true, nanoseconds: 0) { return nil }
                    continue
                }
                descriptors += passed
                guard !bytes.isEmpty else { throw SystemError(notOurs: "the other process, which is gone") }
                if start > 0 {
                    received.removeFirst(start)
                    start = 0
                }
                received += bytes
            } catch {
                throw HandoverFailure("\(error)")
            }
        }
    }

    /// A message that has come whole.
    private func next() throws(HandoverFailure) -> HandoverMessage? {
        while let (type, payload, end) = try Self.frame(received, from: start) {
            start = end
            // Whoever listens there introduces itself first.
            if type == FrameType.introduction { continue }
            do throws(WireError) {
                return try Self.decode(type, received[payload])
            } catch {
                throw HandoverFailure(error.sentence)
            }
        }
        return nil
    }

    private static func decode(_ type: UInt16, _ payload: ArraySlice<UInt8>) throws(WireError) -> HandoverMessage {
        try HandoverCodec.decode(type: type, payload.span.bytes)
    }

    private static func frame(
        _ bytes: [UInt8], from start: Int
    ) throws(HandoverFailure) -> (type: UInt16, payload: Range<Int>, end: Int)? {
        guard let header = FrameHeader(bytes.span.bytes.extracting(start..<bytes.count)) else { return nil }
        guard header.payloadLength <= FrameHeader.maximumPayload else {
            throw HandoverFailure("the other process announces more than a frame may carry")
        }
        let end = start + FrameHeader.size + Int(header.payloadLength)
        guard end <= bytes.count else { return nil }
        return (header.type, (start + FrameHeader.size)..<end, end)
    }

    private static func deadline(_ time: Duration) -> UInt64 {
        SystemClock.monotonicNanoseconds() &+ time.nanoseconds
    }

    private static func left(_ deadline: UInt64) -> UInt64 {
        let now = SystemClock.monotonicNanoseconds()
        return deadline > now ? deadline - now : 0
    }
}

/// Why there is no handover.
package struct HandoverFailure: Error, Equatable, Sendable {
    package let sentence: String

    package init(_ sentence: String) { self.sentence = sentence }
}
