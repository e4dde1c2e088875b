import ClusterModel
import Histogram
import LinuxSystem

/// Many phones that call each other: callers behind one UDP socket, callees behind another, both registered at servers.
///
/// A call is INVITE, 180, 200, ACK, BYE, 200; the callee answers and the caller hangs up at once, unless calls are to stay.
final class CallBank {
    /// How long a request may stay without an answer before it is repeated, and a call without an end.
    private static let patience: UInt64 = 500_000_000
    private static let callTime: UInt64 = 10_000_000_000
    private static let burst = 64
    static let maximumInFlight = 999_999

    private enum State: UInt8 {
        case free, inviting, ringing, established, leaving
    }

    private struct Place {
        var state = State.free
        var number = 0
        var begunAt: UInt64 = 0
        var sentAt: UInt64 = 0
        /// The BYE, for its repetition; nothing else is as large, so it is kept only while it may be needed.
        var bye: [UInt8] = []
    }

    let callers: PhoneBank
    let callees: PhoneBank
    private let callerLine: DatagramLine
    private let calleeLine: DatagramLine
    private let template: CallTemplate
    private let callee: Callee
    private let firstCaller: Int
    private let firstCallee: Int
    private let interruption: Interruption

    private var places: [Place] = []
    private var free: [Int] = []
    private var lastNumber = 0
    private var stays = false
    private var result = CallResult()
    /// Messages that came, for whoever wants to know whether anything does.
    private var heard = 0

    /// - Parameters:
    ///   - callerServer: where callers register, and send their calls.
    ///   - calleeServer: where callees register.
    ///   - phones: callers, and as many callees; the DNs of the callees follow those of the callers.
    init(
        callerServer: NetworkAddress, calleeServer: NetworkAddress, domain: String, firstDN: String, phones: Int,
        interruption: Interruption
    ) throws {
        guard let first = Int(firstDN) else { throw LoadFailure("\(firstDN) is no number") }
        firstCaller = first
        firstCallee = first + phones
        callerLine = try DatagramLine(to: callerServer)
        calleeLine = try DatagramLine(to: calleeServer)
        self.interruption = interruption
        let bank = { (line: DatagramLine, server: NetworkAddress, first: Int) in
            try PhoneBank(
                target: server, domain: domain, firstDN: String(first), count: phones, expires: 3600,
                interruption: interruption, lines: line)
        }
        callers = try bank(callerLine, callerServer, firstCaller)
        callees = try bank(calleeLine, calleeServer, firstCallee)
        let body = Array(
            """
            v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio 40000 RTP/AVP 0 8 101\r\n\
            a=rtpmap:0 PCMU/8000\r\na=rtpmap:8 PCMA/8000\r\na=rtpmap:101 telephone-event/8000\r\na=ptime:20\r\n
            """.utf8)
        template = CallTemplate(
            domain: domain, address: callerLine.localAddresses[0].description,
            run: String(SystemRandom.word(), radix: 36), dnDigits: firstDN.utf8.count, body: body)
        callee = Callee(address: calleeLine.localAddresses[0].description, body: body)
    }

    /// Registers all phones.
    func register() throws {
        _ = try callers.registerOnce(0..<callers.count, window: 256)
        _ = try callees.registerOnce(0..<callees.count, window: 256)
    }

    // MARK: Loads

    /// Calls, one after the other at each place.
    ///
    /// - Parameters:
    ///   - calls: how many are begun at the most.
    ///   - inFlight: the most that are in progress at a time; with `stays`, that are not set up.
    ///   - rate: calls begun a second; nil for as many as there are places.
    ///   - stays: nobody hangs up; `hangUp` does.
    func run(
        calls: Int = .max, inFlight: Int, rate: Double? = nil, seconds: Double, stays: Bool = false,
        progress: (CallResult) -> Void = { _ in }
    ) throws -> CallResult {
        self.stays = stays
        let start = SystemClock.monotonicNanoseconds()
        let end = start + UInt64(seconds * 1e9)
        makePlaces(stays ? min(calls, Self.maximumInFlight) : inFlight)
        var begun = 0
        var nextLook = start
        result = CallResult()
        while true {
            let now = SystemClock.monotonicNanoseconds()
            let isOpen = now < end && begun < calls
            let busy = places.count - free.count - (stays ? result.completed : 0)
            if !isOpen, busy == 0 { break }
            if isOpen {
                var room = min(inFlight - busy, free.count, calls - begun, Self.burst)
                if let rate { room = min(room, Int(Double(now - start) / 1e9 * rate) - begun) }
                for _ in 0..<max(0, room) { begin(now) }
                begun += max(0, room)
            }
            try turn(now, idle: rate == nil ? 20_000_000 : 500_000)
            if now >= nextLook {
                nextLook = now + 50_000_000
                try interruption.check()
                repeatOverdue(now)
                progress(result)
            }
        }
        result.nanoseconds = SystemClock.monotonicNanoseconds() - start
        return result
    }

    /// Ends all calls that stayed.
    func hangUp(seconds: Double = 60) throws -> CallResult {
        stays = false
        result = CallResult()
        let start = SystemClock.monotonicNanoseconds()
        let end = start + UInt64(seconds * 1e9)
        var position = 0
        var nextLook = start
        while free.count < places.count {
            let now = SystemClock.monotonicNanoseconds()
            guard now < end else { throw LoadFailure("\(places.count - free.count) calls could not be ended") }
            for _ in 0..<Self.burst where position < places.count {
                if places[position].state == .established { leave(position, now) }
                position += 1
            }
            try turn(now, idle: 20_000_000)
            if now >= nextLook {
                nextLook = now + 50_000_000
                try interruption.check()
                repeatOverdue(now)
            }
        }
        result.nanoseconds = SystemClock.monotonicNanoseconds() - start
        return result
    }

    private func makePlaces(_ count: Int) {
        precondition(places.count == free.count, "calls of the last load have ended")
        places = Array(repeating: Place(), count: count)
        free = Array((0..<count).reversed())
    }

    private func turn(_ now: UInt64, idle: UInt64) throws {
        try callerLine.flush(interruption)
        try calleeLine.flush(interruption)
        heard = 0
        _ = try calleeLine.receive { message, _ in
            heard += 1
            callee.hear(message) { calleeLine.append(to: 0, build: $0) }
        }
        _ = try callerLine.receive { message, receivedAt in
            heard += 1
            take(message, receivedAt)
        }
        if heard == 0 { _ = try callerLine.wait(nanoseconds: min(idle, 200_000)) }
    }

    // MARK: Calls

    private func begin(_ now: UInt64) {
        guard let place = free.popLast() else { return }
        lastNumber += 1
        places[place].state = .inviting
        places[place].number = lastNumber
        places[place].begunAt = now
        invite(place, now)
    }

    private func invite(_ place: Int, _ now: UInt64) {
        places[place].sentAt = now
        let number = places[place].number
        callerLine.append(to: 0) {
            template.appendInvite(
                place, number, caller: firstCaller + number % callers.count,
                callee: firstCallee + number % callees.count, to: &$0)
        }
    }

    private func take(_ message: Span<UInt8>, _ receivedAt: UInt64) {
        guard let answer = CallAnswer(message, template), answer.place < places.count,
            places[answer.place].number == answer.number
        else { return }
        let place = answer.place
        guard answer.isOfInvite else {
            if places[place].state == .leaving, answer.status >= 200 { end(place, receivedAt) }
            return
        }
        switch answer.status {
        case 100:
            // It has been heard; now it may take its time.
            places[place].sentAt = max(places[place].sentAt, receivedAt + Self.callTime)
        case 101..<200:
            guard places[place].state == .inviting else { return }
            places[place].state = .ringing
            result.postDial.record(min(receivedAt - places[place].begunAt, LoadResult.longestLatency))
        case 200..<300:
            callerLine.append(to: 0) {
                template.append(
                    "ACK ", cseq: "1 ACK", mark: "a", answering: message, answer, inDialog: true, to: &$0)
            }
            guard places[place].state == .ringing || places[place].state == .inviting else { return }
            places[place].state = .established
            var bye: [UInt8] = []
            bye.reserveCapacity(700)
            template.append(
                "BYE ", cseq: "2 BYE", mark: "b", answering: message, answer, inDialog: true, to: &bye)
            places[place].bye = bye
            if stays {
                result.completed += 1
                result.whole.record(min(receivedAt - places[place].begunAt, LoadResult.longestLatency))
            } else {
                leave(place, receivedAt)
            }
        default:
            refuse(place, message, answer)
        }
    }

    private func leave(_ place: Int, _ now: UInt64) {
        places[place].state = .leaving
        places[place].sentAt = now
        callerLine.append(to: 0) { $0 += places[place].bye }
    }

    private func end(_ place: Int, _ now: UInt64) {
        result.completed += 1
        result.whole.record(min(now - places[place].begunAt, LoadResult.longestLatency))
        release(place)
    }

    private func release(_ place: Int) {
        places[place] = Place()
        free.append(place)
    }

    private func refuse(_ place: Int, _ message: Span<UInt8>, _ answer: CallAnswer) {
        var invite: [UInt8] = []
        let number = answer.number
        template.appendInvite(
            place, number, caller: firstCaller + number % callers.count, callee: firstCallee + number % callees.count,
            to: &invite)
        let end = invite.dropFirst(7).firstIndex(of: 32) ?? 7
        callerLine.append(to: 0) {
            template.append(
                "ACK ", cseq: "1 ACK", mark: "i", answering: message, answer, inDialog: false,
                refused: (7..<end, invite), to: &$0)
        }
        guard places[place].state == .inviting || places[place].state == .ringing else { return }
        result.refused[answer.status, default: 0] += 1
        release(place)
    }

    private func repeatOverdue(_ now: UInt64) {
        for place in places.indices {
            switch places[place].state {
            case .free, .established: continue
            case .inviting, .ringing, .leaving: break
            }
            if now > places[place].begunAt + Self.callTime, now > places[place].sentAt + Self.callTime {
                result.lost += 1
                release(place)
            } else if now > places[place].sentAt + Self.patience, places[place].state != .ringing {
                result.repeats += 1
                if places[place].state == .leaving {
                    leave(place, now)
                } else {
                    invite(place, now)
                }
            }
        }
    }
}
