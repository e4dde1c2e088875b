import ClusterModel
import LinuxSystem
import PhoneCalls

/// Phones that call each other through a server: both ends of every call are played here.
final class CallBank {
    /// Whose phones they are, and where they register.
    struct Phones {
        var server: NetworkAddress
        /// A number; the others follow it.
        var firstDN: UInt64
        var count: Int

        func dn(_ position: Int) -> UInt64 { firstDN + UInt64(position) }
    }

    /// How many calls, how fast, and how long each is held.
    struct Plan {
        var calls = Int.max
        var seconds = 3600
        /// The most calls in flight; those that are held for ever do not count.
        var inFlight: Int
        /// Calls begun a second; nil for as many as may be in flight.
        var rate: Double?
        /// Nanoseconds between the ACK and the BYE; nil until somebody asks for the end.
        var hold: UInt64? = 0
    }

    /// A place for a call, and whoever is in it.
    struct Place {
        var parties: CallParties
        var caller: CallerMachine
        var callee = CalleeMachine()
        var dialog: CallDialog?
        /// The callee's 200, until it is acknowledged, and where it goes.
        var answer: [UInt8] = []
        var answerGoes: NetworkAddress
        var holdsForEver = false

        /// Another call begins in it.
        mutating func begin(_ parties: CallParties, _ now: UInt64) {
            self.parties = parties
            caller = CallerMachine(now: now)
            callee = CalleeMachine()
        }
    }

    let callers: Phones
    let callees: Phones
    let lines: CallLines
    let texts: CallTexts
    let interruption: Interruption
    private let banks: [PhoneBank]
    /// Read into again and again.
    var message: CallMessage

    var places: [Place] = []
    private var freePlaces: [Int] = []
    private var serial: UInt64 = 0
    /// Calls begun and not over, and those of them that are held for ever.
    private(set) var inFlight = 0
    var heldForEver = 0
    /// What the load has come to so far.
    var result = CallResult()
    var plan = Plan(inFlight: 1)
    /// Whether calls are still begun.
    var isOpen = false

    init(callers: Phones, callees: Phones, domain: String, interruption: Interruption) throws {
        for phones in [callers, callees] where !phones.server.isLoopback {
            throw LoadFailure("\(phones.server) is not a loopback address, and load goes to no other")
        }
        self.callers = callers
        self.callees = callees
        self.interruption = interruption
        let lines = try CallLines(server: callers.server, calleeServer: callees.server)
        self.lines = lines
        banks = try [(callers, lines.caller), (callees, lines.callee)].map { phones, line in
            try PhoneBank(
                target: phones.server, domain: domain, firstDN: "\(phones.firstDN)", count: phones.count, expires: 3600,
                interruption: interruption, over: line)
        }
        let run = String(SystemRandom.word(), radix: 36)
        texts = CallTexts(
            domain: domain, caller: lines.caller.localAddress, callee: lines.callee.localAddress, run: run,
            callerLength: String(callers.firstDN).count, calleeLength: String(callees.firstDN).count)
        message = CallMessage(run: run)
    }

    /// Registers all phones: each at its server, over the socket that its calls go through.
    func register() throws {
        for bank in banks { _ = try bank.registerOnce(0..<bank.count, window: 128) }
    }

    /// Removes all their contacts: whoever calls these numbers next does not call here.
    func unregister() throws {
        for bank in banks { _ = try bank.registerOnce(0..<bank.count, removes: true, window: 128) }
    }

    // MARK: Loads

    /// Begins calls as planned, and waits until all are over that are not held for ever.
    ///
    /// - Parameter progress: is told of the result so far, once a second.
    func run(_ plan: Plan, progress: ((CallResult) -> Void)? = nil) throws -> CallResult {
        self.plan = plan
        result = CallResult()
        let start = SystemClock.monotonicNanoseconds()
        let end = start + UInt64(plan.seconds) * 1_000_000_000
        var nextLook = start
        var nextWord = start + 1_000_000_000
        isOpen = true
        while true {
            let now = SystemClock.monotonicNanoseconds()
            if isOpen, now >= end || result.begun >= plan.calls {
                isOpen = false
                result.nanoseconds = now - start
            }
            if isOpen {
                begin(now, since: start)
            } else if inFlight == heldForEver {
                break
            }
            try turn(now, &nextLook, waits: plan.rate == nil || !isOpen ? 20_000_000 : 500_000)
            if now >= nextWord {
                nextWord += 1_000_000_000
                progress?(result)
            }
        }
        // Calls that were counted when the last of them began are all there is.
        if plan.calls != .max {
            result.nanoseconds = SystemClock.monotonicNanoseconds() - start
            result.completedInTime = result.completed
        }
        return result
    }

    /// Ends all calls that are held for ever, so many at a time.
    func hangUp(inFlight limit: Int) throws -> CallResult {
        plan = Plan(inFlight: limit)
        result = CallResult()
        let start = SystemClock.monotonicNanoseconds()
        var nextLook = start
        var cursor = 0
        while inFlight > 0 {
            let now = SystemClock.monotonicNanoseconds()
            while cursor < places.count, inFlight - heldForEver < limit {
                if places[cursor].caller.state == .held { hangUp(cursor, now) }
                cursor += 1
            }
            try turn(now, &nextLook, waits: 20_000_000)
        }
        result.nanoseconds = SystemClock.monotonicNanoseconds() - start
        return result
    }

    private func turn(_ now: UInt64, _ nextLook: inout UInt64, waits: UInt64) throws {
        try lines.flush(interruption)
        if try receive() == 0 { try lines.wait(nanoseconds: waits) }
        guard now >= nextLook else { return }
        nextLook = now + 20_000_000
        try interruption.check()
        look(now)
    }

    /// Whose time has come.
    private func look(_ now: UInt64) {
        guard inFlight > 0 else { return }
        for place in places.indices {
            lookAtCaller(place, now)
            lookAtCallee(place, now)
        }
    }

    // MARK: Calls

    private func begin(_ now: UInt64, since start: UInt64) {
        let room = max(0, plan.inFlight - (inFlight - heldForEver))
        var due = plan.calls - result.begun
        if let rate = plan.rate {
            due = min(due, Int(Double(now - start) / 1e9 * rate) - result.begun - result.heldBack)
            result.heldBack += max(0, due - room)
        }
        for _ in 0..<max(0, min(room, due, 256)) { begin(now) }
    }

    private func begin(_ now: UInt64) {
        let place = freePlaces.popLast() ?? places.count
        let position = Int(serial % UInt64(callers.count * callees.count))
        let parties = CallParties(
            caller: callers.dn(position % callers.count),
            // Another pair each time that all callers have called.
            callee: callees.dn((position + position / callers.count) % callees.count),
            call: CallName(place: place, serial: serial))
        serial += 1
        if place == places.count {
            places.append(Place(parties: parties, caller: CallerMachine(now: now), answerGoes: callees.server))
        } else {
            places[place].begin(parties, now)
        }
        inFlight += 1
        result.begun += 1
        lines.caller.append(to: 0) { texts.appendInvite(parties, to: &$0) }
    }

    /// The place's call is over.
    func end(_ place: Int) {
        if places[place].holdsForEver { heldForEver -= 1 }
        places[place].dialog = nil
        inFlight -= 1
        freePlaces.append(place)
    }

    /// Where the state of a message's call is; nil when that is over and its place perhaps another's.
    func place(of message: borrowing CallMessage) -> Int? {
        guard let call = message.call, call.place < places.count, places[call.place].parties.call == call else {
            return nil
        }
        return call.place
    }

    private func receive() throws -> Int {
        let atCallers = try lines.caller.receiveFromAnyone { try callerReceived($0, at: $1, from: $2) }
        let atCallees = try lines.callee.receiveFromAnyone { try calleeReceived($0, at: $1, from: $2) }
        return atCallers + atCallees
    }
}
