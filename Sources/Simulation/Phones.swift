import ClusterModel
import DNOwnership
import NodeCore

/// A SIP phone: it remembers where it is registered and refreshes there.
struct SimulatedPhone: Sendable {
    let number: Int
    var sequence: UInt32 = 0
    var registrar: NodeIndex?
    var seconds = 0
    /// Counts its registrations, so that refreshes of an earlier one stop.
    var round = 0
    /// The REGISTER that it sent last, for a retransmission.
    var last: (node: NodeIndex, act: PhoneAct, seconds: Int, sequence: UInt32)?
    /// Its calls, in order.
    var legs: [PhoneLeg] = []
    var isGone = false
}

extension ClusterSimulation {
    mutating func register(_ phone: Int, at node: NodeIndex, seconds: Int, after delay: UInt64 = 0) {
        phones[phone].registrar = node
        phones[phone].isGone = false
        phones[phone].seconds = seconds
        phones[phone].round += 1
        send(phone, to: node, .adds, seconds: seconds, after: delay)
        planRefresh(phone)
    }

    private mutating func planRefresh(_ phone: Int) {
        // Between half and nine tenths of the time that is left.
        let part = 50 + mixed(plan.seed ^ UInt64(phone) << 32 ^ UInt64(phones[phone].sequence)) % 40
        let delay = UInt64(phones[phone].seconds) * .second / 100 * part
        schedule(.refresh(phone: phone, round: phones[phone].round), after: delay)
    }

    mutating func refresh(_ phone: Int, round: Int) {
        guard isStorming, phones[phone].round == round, let node = phones[phone].registrar else { return }
        send(phone, to: node, .adds, seconds: phones[phone].seconds)
        planRefresh(phone)
    }

    mutating func unregister(_ phone: Int, at node: NodeIndex?) {
        guard let target = node ?? phones[phone].registrar else { return }
        if node == nil || node == phones[phone].registrar { vanish(phone) }
        send(phone, to: target, .removes, seconds: 0)
    }

    mutating func vanish(_ phone: Int) {
        phones[phone].registrar = nil
        phones[phone].round += 1
    }

    mutating func send(
        _ phone: Int, to node: NodeIndex, _ act: PhoneAct, seconds: Int, after delay: UInt64 = 0
    ) {
        phones[phone].sequence += 1
        let sequence = phones[phone].sequence
        phones[phone].last = (node, act, seconds, sequence)
        schedule(
            .phone(phone, at: node, act, seconds: seconds, sequence: sequence, arrival: now + delay), after: delay)
    }

    mutating func retransmit(_ phone: Int) {
        guard let last = phones[phone].last else { return }
        schedule(
            .phone(
                phone, at: last.node, last.act, seconds: last.seconds, sequence: last.sequence,
                arrival: now + .millisecond), after: .millisecond)
    }

    /// A node reads a REGISTER.
    ///
    /// - Parameter arrival: when it reached the socket.
    mutating func datagram(
        of phone: Int, at node: NodeIndex, _ act: PhoneAct, seconds: Int, sequence: UInt32, arrival: UInt64
    ) {
        let number = phones[phone].number
        say("phone \(number) → \(name(node)): REGISTER \(sequence), it \(act), \(seconds) s")
        cause = act == .adds ? .registration : .removal
        let text = Self.register(number, phone, act, seconds: seconds, sequence: sequence)
        let dn = topology.directory.index(of: DN(decimal: UInt64(number), length: 4)) ?? DNIndex(phone)
        let before = inspect(dn, at: node)
        let wasHeld = isHeld(dn, at: node)
        var answers = DatagramBatch()
        let source = Self.address(ofPhone: phone)
        let came = instant(node)
        let wallArrival = came.wallMilliseconds - (now - arrival) / .millisecond
        if isBelated(arrival, came) { nodes[node.position].belated[dn, default: []].append(wallArrival) }
        cores[node.position].datagramReceived(
            Array(text.utf8).span, from: source,
            arrival: NodeCore.Arrival(came: wallArrival, read: came.wallMilliseconds), now: came, answers: &answers)
        touch(node)
        let status = Self.status(of: answers)
        fold.add(status)
        if status == 0, act != .queries, isBelated(arrival, came), !isHeld(dn, at: node) {
            count(.belatedIgnored)
            say("\(name(node)) thinks that phone \(number) has gone on meanwhile")
            return invariantOnlyOthersIgnore(dn, before, at: node, came: wallArrival)
        }
        // It goes on by itself, is written down first, or waits for one that is.
        if status == 0 {
            let key = Self.key(phone, sequence)
            if !wasHeld || nodes[node.position].unanswered[key] == nil {
                nodes[node.position].unanswered[key] = UnansweredRegister(
                    act: act, seconds: seconds, came: came, arrival: arrival)
            }
            // An earlier copy may have been ignored.
            nodes[node.position].unanswered[key]!.arrival = arrival
        }
        if status == 0, isHeld(dn, at: node) {
            count(wasHeld ? .registerWaited : .registerHeld)
            return say("\(name(node)) writes down what phone \(number) wants, or what it wanted before")
        }
        if status == 503, wasHeld { return count(.registrationUnwritten) }
        say("\(name(node)) → phone \(number): \(status)")
        if invariantRepetitionsChangeNothing(dn, before, at: node, sequence: sequence, status: status) { return }
        if status == 200, act != .queries {
            nodes[node.position].seen[dn.position].answers[sequence] = instant(node).monotonic
        }
        let answer = status == 200 ? answers.entries.first.flatMap { SIPText(Array(answers.bytes(of: $0))) } : nil
        answered(
            phone, by: node, act, seconds: seconds, sequence: sequence, status: status, came, arrival: arrival,
            expires: answer.flatMap { Self.expires($0, of: phone) })
        invariantAnswersAreTrue(dn, before, by: node, act, status: status)
    }

    /// A request that comes again within 32 s is answered as it was, or as out of order after a later one or when what it set
    /// is gone, and changes nothing, whatever has happened since (RFC 3261 sections 10.3 and 17.2.2).
    ///
    /// - Returns: whether this was one.
    private mutating func invariantRepetitionsChangeNothing(
        _ dn: DNIndex, _ before: DNInspection, at node: NodeIndex, sequence: UInt32, status: Int
    ) -> Bool {
        guard let answeredAt = nodes[node.position].seen[dn.position].answers[sequence] else { return false }
        let age = instant(node).monotonic - answeredAt
        // The node counts whole seconds.
        guard age < 33 * .second else { return false }
        let isLast = nodes[node.position].seen[dn.position].answers.keys.allSatisfy { $0 <= sequence }
        // Once its binding has expired it would register anew, which is to be done elsewhere.
        let isSentElsewhere = status == 503 && cores[node.position].drain != nil && age >= .second
        let isForbidden = status == 403 && !mayRegister(dn, at: node)
        let isRight =
            status == 200 || isForbidden || (status == 500 && (!isLast || !before.hasBindings)) || isSentElsewhere
        if !isRight, age <= 31 * .second || inspect(dn, at: node) != before {
            fail("invariantRepetitionsChangeNothing", "\(name(node)) answered \(name(dn)) \(status) the second time")
        } else if age <= 31 * .second, inspect(dn, at: node) != before {
            fail("invariantRepetitionsChangeNothing", "\(name(node)) did for \(name(dn)) what it had done before")
        }
        return true
    }

    /// Nodes answer for bindings of their own, and where there are none; else the request goes to the owner, and nothing is said
    /// here (status 0). A removal where the owner cannot be heard is a claim, and a question there has no answer.
    private mutating func invariantAnswersAreTrue(
        _ dn: DNIndex, _ before: DNInspection, by node: NodeIndex, _ act: PhoneAct, status: Int
    ) {
        let isUnheard = before.view == .ownerUnreachable
        let isElsewhere =
            before.owner != .none && before.owner != node && (isUnheard || before.service.isInService)
        let record = inspect(dn, at: node)
        let isRight =
            switch (status, act) {
            case (504, .queries): isElsewhere && isUnheard
            case (504, _): false
            case (0, .queries), (0, .removes): isElsewhere && !isUnheard
            case (0, .adds): false
            case (200, .queries): !isElsewhere
            case (200, .removes):
                isElsewhere ? isUnheard && record.owner == node && !record.view.isInService : true
            case _: true
            }
        if isRight { return }
        fail(
            "invariantAnswersAreTrue",
            "\(name(node)) answered \(status) when a phone \(act) \(name(dn)): \(words(before))")
    }

    /// - Parameters:
    ///   - came: when the node read the request, by its clocks.
    ///   - arrival: when it reached the node's socket.
    ///   - expires: what the answer says.
    mutating func answered(
        _ phone: Int, by node: NodeIndex, _ act: PhoneAct, seconds: Int, sequence: UInt32, status: Int, _ came: Instant,
        arrival: UInt64, expires: Int?
    ) {
        guard let dn = topology.directory.index(of: DN(decimal: UInt64(phones[phone].number), length: 4)) else {
            return
        }
        switch (status, act) {
        case (200, .adds):
            count(.registrationAccepted)
            guard nodes[node.position].seen[dn.position].acknowledgedSequence != sequence else { return }
            let record = inspect(dn, at: node)
            // Of what an earlier life has taken the rest is said, in whole seconds.
            let left = UInt64(seconds) * .second - min(UInt64(seconds) * .second, now - came.monotonic)
            let isNew = expires == Int((left + .second - 1) / .second)
            let until =
                isNew ? came.monotonic + UInt64(seconds) * .second : now + UInt64(max(1, expires ?? 1) - 1) * .second
            nodes[node.position].seen[dn.position].acknowledgedUntil = until
            nodes[node.position].seen[dn.position].keptUntil = Self.keptUntil(
                now, left: expires ?? seconds, of: seconds)
            nodes[node.position].seen[dn.position].acknowledgedStamp = record.stamp
            nodes[node.position].seen[dn.position].acknowledgedSequence = sequence
            // And that was another time.
            if isNew || !nodes[node.position].hasChangedClocks {
                let belated = belatedRegistration(of: dn, at: node, came)
                if belated != nil { count(.belatedRegistered) }
                nodes[node.position].seen[dn.position].registeredAt = belated ?? came.wallMilliseconds
                ledger.registered(dn, at: node, time: registrationTime(of: dn, at: node, came))
            }
            invariantBelatedIsOld(dn, record, at: node, arrival: arrival, came)
            if record.owner != node {
                fail("invariantAcknowledgedRegistrationsStay", "\(name(node)) took \(name(dn)) and does not own it")
            }
        case (200, .removes):
            count(.removalAccepted)
            // Where the owner cannot be heard, a removal is a claim; where it was the owner's last contact, it is the latest word.
            let (record, seen) = (inspect(dn, at: node), nodes[node.position].seen[dn.position])
            let isWord = seen.owner != node || (seen.service.isInService && !record.service.isInService)
            if isWord, record.owner == node {
                ledger.registered(dn, at: node, time: registrationTime(of: dn, at: node, came))
            }
            nodes[node.position].seen[dn.position].acknowledgedUntil = 0
        case (200, .queries): count(.queryAnswered)
        case (504, _), (0, .queries), (0, .removes): count(.askedElsewhere)
        case (500, _): count(.outOfOrderRefused)
        case (503, .adds) where cores[node.position].drain != nil:
            count(.sentElsewhere)
            // It tries the next server that there is.
            if isStorming, phones[phone].registrar == node {
                register(phone, at: NodeIndex((node.position + 1) % nodes.count), seconds: seconds, after: .millisecond)
            }
        case (404, _) where place(of: dn, at: node) == nil: count(.registerOfNoDN)
        case (403, _) where !mayRegister(dn, at: node): count(.registerAway)
        case (503, .adds) where isBeforeIntroduction(dn, at: node),
            (503, .removes) where isBeforeIntroduction(dn, at: node):
            count(.registerBeforeIntroduction)
        case (503, _) where plan.disk != nil: count(.registrationUnwritten)
        case _: fail("invariantAnswersAreExpected", "\(name(node)) answered \(status) to phone \(phone)")
        }
    }

    /// What has waited is ignored only where another node has the DN, and can be heard or has claimed it since.
    private mutating func invariantOnlyOthersIgnore(
        _ dn: DNIndex, _ before: DNInspection, at node: NodeIndex, came: UInt64
    ) {
        if let place = place(of: dn, at: node),
            cores[node.position].topology.directory.isVoid(Stamp(milliseconds: came, counter: 0), of: place)
        {
            return
        }
        let own = Claim(owner: node, stamp: Stamp(milliseconds: came, counter: 0))
        let isElsewhere = before.owner != .none && before.owner != node
        let isSince = Claim(owner: before.owner, stamp: before.stamp) > own
        if isElsewhere, before.view != .ownerUnreachable || isSince { return }
        fail("invariantOnlyOthersIgnore", "\(name(node)) ignored a REGISTER of \(name(dn)): \(words(before))")
    }

    /// A claim that a REGISTER makes which nobody heard when it came bears that time: it wins over nothing that came later.
    private mutating func invariantBelatedIsOld(
        _ dn: DNIndex, _ record: DNInspection, at node: NodeIndex, arrival: UInt64, _ came: Instant
    ) {
        let seen = nodes[node.position].seen[dn.position]
        guard isBelated(arrival, came), record.owner == node, seen.owner != node || seen.stamp != record.stamp,
            nodes[node.position].belated[dn]?.contains(record.stamp.milliseconds) != true
        else { return }
        fail(
            "invariantBelatedIsOld",
            "\(name(node)) has taken \(name(dn)) by a REGISTER that had waited since \(Self.clock(arrival - Self.origin)): "
                + words(record))
    }

    /// When a DN was registered last as a node has it, milliseconds of its wall clock, if it has read a REGISTER long after that
    /// had come, and that changes nothing of it.
    private func belatedRegistration(of dn: DNIndex, at node: NodeIndex, _ came: Instant) -> UInt64? {
        guard nodes[node.position].belated[dn] != nil,
            let registered = ownClaim(of: dn, at: node)?.registered.milliseconds
        else { return nil }
        return registered < came.wallMilliseconds ? registered : nil
    }

    /// When a registration was taken: when it came, or, if it had to wait for another one, when that was done.
    private func registrationTime(of dn: DNIndex, at node: NodeIndex, _ came: Instant) -> UInt64 {
        if nodes[node.position].skew == 0, let belated = belatedRegistration(of: dn, at: node, came) {
            return (belated - Self.epochMilliseconds) * .millisecond
        }
        guard plan.disk != nil, nodes[node.position].skew == 0,
            let registered = ownClaim(of: dn, at: node)?.registered,
            registered.milliseconds > Self.epochMilliseconds
        else { return came.monotonic }
        return max(came.monotonic, (registered.milliseconds - Self.epochMilliseconds) * .millisecond)
    }

    /// Whether a node must take a REGISTER for one of the time when it came.
    private func isBelated(_ arrival: UInt64, _ came: Instant) -> Bool {
        let waited = came.monotonic > arrival ? (came.monotonic - arrival) / .millisecond : 0
        return NodeCore.Arrival(came: 0, read: waited).isBelated
    }

    private static func status(of answers: DatagramBatch) -> Int {
        guard let entry = answers.entries.first, answers.count == 1, entry.length > 12 else { return 0 }
        return answers.bytes(of: entry).dropFirst(8).prefix(3).reduce(0) { $0 * 10 + Int($1) - 48 }
    }

    private static func register(
        _ number: Int, _ phone: Int, _ act: PhoneAct, seconds: Int, sequence: UInt32
    ) -> String {
        let address = address(ofPhone: phone)
        let contact = act == .queries ? "" : "Contact: <sip:\(number)@\(address)>\r\nExpires: \(seconds)\r\n"
        return """
            REGISTER sip:cc.example.com SIP/2.0\r
            Via: SIP/2.0/UDP \(address);branch=z9hG4bK\(number)\(sequence);rport\r
            From: <sip:\(number)@cc.example.com>;tag=1\r
            To: <sip:\(number)@cc.example.com>\r
            Call-ID: \(number)@phone\r
            CSeq: \(sequence) REGISTER\r
            \(contact)Content-Length: 0\r
            \r

            """
    }
}
