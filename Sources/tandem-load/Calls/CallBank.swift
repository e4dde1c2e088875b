import ClusterModel
import LinuxSystem
import PhoneCalls

/// Phones that call each other through a server: both ends of every call are played here. Or a gateway calls a number, and the
/// server finds one of the phones.
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
        /// When the call was to begin; with a rate it may have begun later.
        var due: UInt64
        /// Of a number that is routed: whose phone rings.
        var agent: UInt64 = 0
        var dialog: CallDialog?
        /// The callee's 200, until it is acknowledged, and where it goes.
        var answer: [UInt8] = []
        var answerGoes: NetworkAddress
        /// The callees' line that it goes over.
        var line = 0
        var holdsForEver = false

        /// Another call begins in it.
        mutating func begin(_ parties: CallParties, _ now: UInt64, due: UInt64) {
            self.parties = parties
            self.due = due
            caller = CallerMachine(now: now)
            callee = CalleeMachine()
        }
    }

    let callers: Phones
    /// By the server that they register at.
    let callees: [Phones]
    /// What a gateway calls instead of the callees' own numbers.
    let dialled: UInt64?
    let lines: CallLines
    /// By line of the callees. What callers say is the same in all of them.
    let texts: [CallTexts]
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
    /// How often all calls are looked at, nanoseconds.
    private var lookInterval: UInt64 = 20_000_000
    /// Whether calls are still begun.
    var isOpen = false
    /// Told of each new INVITE at a phone: the phone's number, and when it came.
    var onArrival: ((UInt64, UInt64) throws -> Void)?
    /// Called again and again; says when it wants to be called at the latest.
    var onTurn: ((UInt64) throws -> UInt64?)?

    /// Phones of a server, and phones of the same or another one that they call.
    convenience init(callers: Phones, callees: Phones, domain: String, interruption: Interruption) throws {
        try self.init(
            callers: callers, callees: [callees], dialled: nil, from: nil, domain: domain, interruption: interruption)
    }

    /// A gateway that calls one number, and the phones that the calls come to; only these register.
    ///
    /// - Parameters:
    ///   - callers: the numbers that it says calls are from.
    ///   - callees: their numbers have as many digits as the one that is called.
    ///   - source: where the gateway is.
    convenience init(
        gateway callers: Phones, from source: NetworkAddress, to dialled: UInt64, callees: [Phones], domain: String,
        interruption: Interruption
    ) throws {
        try self.init(
            callers: callers, callees: callees, dialled: dialled, from: source, domain: domain,
            interruption: interruption)
    }

    private init(
        callers: Phones, callees: [Phones], dialled: UInt64?, from source: NetworkAddress?, domain: String,
        interruption: Interruption
    ) throws {
        for phones in [callers] + callees where !phones.server.isLoopback {
            throw LoadFailure("\(phones.server) is not a loopback address, and load goes to no other")
        }
        self.callers = callers
        self.callees = callees
        self.dialled = dialled
        self.interruption = interruption
        let lines = try CallLines(server: callers.server, calleeServers: callees.map(\.server), from: source)
        self.lines = lines
        let registering = (dialled == nil ? [(callers, lines.caller)] : []) + zip(callees, lines.callees)
        banks = try registering.map { phones, line in
            try PhoneBank(
                target: phones.server, domain: domain, firstDN: "\(phones.firstDN)", count: phones.count, expires: 3600,
                interruption: interruption, over: line)
        }
        let run = String(SystemRandom.word(), radix: 36)
        texts = lines.callees.map { line in
            CallTexts(
                domain: domain, caller: lines.caller.localAddress, callee: line.localAddress, run: run,
                callerLength: String(callers.firstDN).count, calleeLength: String(callees[0].firstDN).count)
        }
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
        // Calls are hung up when somebody looks at them.
        lookInterval = plan.hold.map { max(1_000_000, min(20_000_000, $0 / 4)) } ?? 20_000_000
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
            let deadline = isOpen ? nextBegin(since: start) : nil
            let other = try onTurn?(now)
            try turn(now, &nextLook, until: other.map { min($0, deadline ?? .max) } ?? deadline)
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
        lookInterval = 20_000_000
        var nextLook = start
        var cursor = 0
        while inFlight > 0 {
            let now = SystemClock.monotonicNanoseconds()
            while cursor < places.count, inFlight - heldForEver < limit {
                if places[cursor].caller.state == .held { hangUp(cursor, now) }
                cursor += 1
            }
            try turn(now, &nextLook)
        }
        result.nanoseconds = SystemClock.monotonicNanoseconds() - start
        return result
    }

    /// - Parameter deadline: when something has to be done, even if nothing comes.
    private func turn(_ now: UInt64, _ nextLook: inout UInt64, until deadline: UInt64? = nil) throws {
        try lines.flush(interruption)
        if try receive() == 0 {
            let end = min(max(nextLook, now + 1), deadline ?? .max)
            if end > now { try lines.wait(nanoseconds: end - now) }
        }
        guard now >= nextLook else { return }
        nextLook = now + lookInterval
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
        guard let rate = plan.rate else {
            for _ in 0..<max(0, min(room, plan.calls - result.begun, 256)) { begin(now, due: now) }
            return
        }
        var count = min(
            plan.calls - result.begun, Int(Double(now - start) / 1e9 * rate) - result.begun - result.heldBack)
        result.heldBack += max(0, count - room)
        count = max(0, min(room, count, 256))
        for _ in 0..<count { begin(now, due: min(now, dueTime(result.begun + result.heldBack, rate, since: start))) }
    }

    /// When a call is due, by the number of those before it.
    private func dueTime(_ before: Int, _ rate: Double, since start: UInt64) -> UInt64 {
        start + UInt64(Double(before + 1) / rate * 1e9)
    }

    /// When the next call begins, whatever becomes of the others; nil when it waits for one of them to end.
    private func nextBegin(since start: UInt64) -> UInt64? {
        plan.rate.map { dueTime(result.begun + result.heldBack, $0, since: start) }
    }

    private func begin(_ now: UInt64, due: UInt64) {
        let place = freePlaces.popLast() ?? places.count
        let parties = CallParties(
            caller: callers.dn(Int(serial % UInt64(callers.count))), callee: dialled ?? nextCallee(),
            call: CallName(place: place, serial: serial))
        serial += 1
        if place == places.count {
            places.append(
                Place(parties: parties, caller: CallerMachine(now: now), due: due, answerGoes: callers.server))
        } else {
            places[place].begin(parties, now, due: due)
        }
        inFlight += 1
        result.begun += 1
        lines.caller.append(to: 0) { texts[0].appendInvite(parties, to: &$0) }
    }

    /// Another pair each time that all callers have called.
    private func nextCallee() -> UInt64 {
        let phones = callees[0]
        let position = Int(serial % UInt64(callers.count * phones.count))
        return phones.dn((position + position / callers.count) % phones.count)
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
        var count = try lines.caller.receiveFromAnyone { try callerReceived($0, at: $1, from: $2) }
        for (number, line) in lines.callees.enumerated() {
            count += try line.receiveFromAnyone { try calleeReceived($0, at: $1, from: $2, over: number) }
        }
        return count
    }
}
