import ClusterModel
import LinuxSystem
import PhoneCalls

// The end of the calls that is called: it answers where a request came from.
extension CallBank {
    func calleeReceived(_ bytes: Span<UInt8>, at now: UInt64, from source: NetworkAddress, over line: Int) throws {
        guard message.read(bytes) else { throw LoadFailure("\(source) sent a callee what is no message") }
        guard case .request(let method) = message.kind else { return }
        let place = place(of: message)
        switch method {
        case .invite:
            if let place { return try invited(place, bytes, now, source, line) }
            answer(false, bytes, source, line)
        case .ack:
            guard let place else { return result.late += 1 }
            places[place].callee.acknowledged()
        case .bye:
            if let place { places[place].callee.ended() }
            answer(place != nil, bytes, source, line)
        case .other:
            answer(true, bytes, source, line)
        }
    }

    private func invited(
        _ place: Int, _ bytes: Span<UInt8>, _ now: UInt64, _ source: NetworkAddress, _ line: Int
    ) throws {
        var parties = places[place].parties
        if dialled != nil {
            // Any phone will do, but it is the same until the call is over.
            if places[place].callee.state == .idle { places[place].agent = message.user ?? parties.callee }
            parties.callee = places[place].agent
        }
        guard message.user == parties.callee else {
            throw LoadFailure("\(source) brought a call for DN \(parties.callee) to another phone")
        }
        switch places[place].callee.invited(now: now) {
        case .late: result.late += 1
        case .again:
            result.repeats += 1
            sendAnswer(place)
        case .new:
            result.arrived(after: now - min(now, places[place].due), over: line)
            try onArrival?(parties.callee, now)
            let texts = texts[line]
            lines.callees[line].append(toward: source) {
                texts.appendRinging(parties, to: message, in: bytes, to: &$0)
            }
            places[place].answerGoes = source
            places[place].line = line
            places[place].answer.removeAll(keepingCapacity: true)
            texts.appendAccepted(parties, to: message, in: bytes, to: &places[place].answer)
            sendAnswer(place)
        }
    }

    private func sendAnswer(_ place: Int) {
        lines.callees[places[place].line].append(toward: places[place].answerGoes) { $0 += places[place].answer }
    }

    /// - Parameter isKnown: whether the request belongs to anything.
    private func answer(_ isKnown: Bool, _ bytes: Span<UInt8>, _ source: NetworkAddress, _ line: Int) {
        if !isKnown { result.late += 1 }
        lines.callees[line].append(toward: source) {
            texts[line].appendAnswer(isKnown: isKnown, to: message, in: bytes, to: &$0)
        }
    }

    func lookAtCallee(_ place: Int, _ now: UInt64) {
        switch places[place].callee.timePassed(now: now) {
        case .nothing: break
        case .repeatAnswer:
            result.repeats += 1
            sendAnswer(place)
        case .giveUp: result.unacknowledged += 1
        }
    }
}
