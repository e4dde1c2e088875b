import ClusterModel
import Wire

/// Reading: frame by frame to the delegate.
extension FramedConnection {
    /// Delivers the frames that `bytes` completes and keeps the rest.
    func takeFrames(_ bytes: RawSpan) {
        var position = 0
        if !partial.isEmpty {
            guard let completed = completePartial(from: bytes) else { return }
            position = completed
        }
        position += deliver(bytes.extracting(position..<bytes.byteCount))
        guard phase == .open, position < bytes.byteCount else { return }
        keep(bytes.extracting(position..<bytes.byteCount))
    }

    /// Adds to the incomplete frame what it lacks, and delivers it.
    ///
    /// - Returns: how many of the bytes it took; nil when the frame is incomplete still or the connection has ended.
    private func completePartial(from bytes: RawSpan) -> Int? {
        var taken = 0
        if partial.count < FrameHeader.size {
            taken = min(FrameHeader.size - partial.count, bytes.byteCount)
            append(bytes.extracting(0..<taken))
        }
        guard let header = FrameHeader(partial.span.bytes), let length = acceptedLength(header) else { return nil }
        let missing = min(FrameHeader.size + length - partial.count, bytes.byteCount - taken)
        append(bytes.extracting(taken..<(taken + missing)))
        taken += missing
        guard partial.count == FrameHeader.size + length else { return nil }
        // Taken out first: the delegate may close the connection or pause it.
        let frame = partial
        partial = []
        _ = deliver(frame.span.bytes)
        return phase == .open ? taken : nil
    }

    /// Delivers frames until one is incomplete, reading is paused or the connection ends.
    ///
    /// - Returns: how many bytes were delivered.
    private func deliver(_ bytes: RawSpan) -> Int {
        var position = 0
        while phase == .open && !isPaused {
            let rest = bytes.extracting(position..<bytes.byteCount)
            guard let header = FrameHeader(rest), let length = acceptedLength(header) else { break }
            let end = FrameHeader.size + length
            guard rest.byteCount >= end else { break }
            position += end
            counters.framesIn &+= 1
            let payload = rest.extracting(FrameHeader.size..<end)
            delegate?.frameReceived(self, type: header.type, flags: header.flags, payload: payload)
        }
        return position
    }

    /// Delivers what was kept while reading was paused.
    func deliverHeldFrames() {
        guard phase == .open, !isPaused, !partial.isEmpty else { return }
        let held = partial
        partial = []
        holdsWhole = false
        let position = deliver(held.span.bytes)
        guard phase == .open, position < held.count else { return }
        keep(held.span.bytes.extracting(position..<held.count))
    }

    /// The length of an announced payload, checked before anything is kept for it.
    ///
    /// - Returns: nil when it is too long, which has ended the connection then.
    private func acceptedLength(_ header: FrameHeader) -> Int? {
        let maximum = min(limits.payload, FrameHeader.maximumPayload)
        guard header.payloadLength <= maximum else {
            end(.badFrame("a payload of \(header.payloadLength) bytes is announced, \(maximum) are allowed"))
            return nil
        }
        return Int(header.payloadLength)
    }

    /// Keeps the beginning of a frame, with room for its end.
    private func keep(_ bytes: RawSpan) {
        if let header = FrameHeader(bytes) {
            guard let length = acceptedLength(header) else { return }
            // No more than twice what came: a header alone must not make us reserve a whole frame's memory.
            partial.reserveCapacity(min(FrameHeader.size + length, bytes.byteCount * 2))
        }
        append(bytes)
        holdsWhole = isPaused
    }

    private func append(_ bytes: RawSpan) {
        // The pointer does not leave the closure.
        bytes.withUnsafeBytes { partial.append(contentsOf: $0) }
    }
}
