import ClusterModel
import LinuxSystem
import PhoneCalls

// The end of the calls that calls.
extension CallBank {
    func callerReceived(_ bytes: Span<UInt8>, at now: UInt64, from source: NetworkAddress) throws {
        guard message.read(bytes) else { throw LoadFailure("\(source) sent a caller what is no message") }
        switch message.kind {
        case .request(.ack): break
        case .request:
            // Nobody calls a caller; a server may ask whether he is there.
            lines.caller.append(toward: source) {
                texts[0].appendAnswer(isKnown: message.method == .other, to: message, in: bytes, to: &$0)
            }
        case .response(let status):
            let place = place(of: message)
            if message.method == .invite {
                inviteAnswered(status, place, bytes, now, source)
            } else if let place, message.method == .bye, status >= 200 {
                byeAnswered(status, place, now)
            } else if place == nil {
                result.late += 1
            }
        }
    }

    private func inviteAnswered(
        _ status: Int, _ place: Int?, _ bytes: Span<UInt8>, _ now: UInt64, _ source: NetworkAddress
    ) {
        if status >= 300 {
            lines.caller.append(toward: source) {
                texts[0].appendAcknowledgement(ofRefusal: message, in: bytes, to: &$0)
            }
        }
        guard let place else {
            result.late += 1
            return
        }
        switch status {
        case ..<200:
            if status == 182 { result.queued += 1 }
            if places[place].caller.provisionalCame(status: status, now: now) {
                result.rang(after: now - places[place].caller.invitedAt)
            }
        case ..<300: accepted(place, bytes, now)
        default:
            guard places[place].caller.refusalCame() else { return }
            result.refused[status, default: 0] += 1
            end(place)
        }
    }

    private func accepted(_ place: Int, _ bytes: Span<UInt8>, _ now: UInt64) {
        let hold = plan.hold
        switch places[place].caller.acceptanceCame(hangsUpAt: hold.map { now + $0 } ?? .max) {
        case .late: result.late += 1
        case .again:
            result.repeats += 1
            acknowledge(place)
        case .accepted:
            result.answered(after: now - min(now, places[place].due))
            places[place].dialog = CallDialog(message, in: bytes)
            acknowledge(place)
            if hold == nil {
                places[place].holdsForEver = true
                heldForEver += 1
            } else if hold == 0 {
                hangUp(place, now)
            }
        }
    }

    private func acknowledge(_ place: Int) {
        guard let dialog = places[place].dialog else { return }
        let parties = places[place].parties
        lines.caller.append(toward: dialog.nextHop ?? callers.server) {
            texts[0].appendAcknowledgement(parties, dialog, to: &$0)
        }
    }

    func hangUp(_ place: Int, _ now: UInt64) {
        guard places[place].caller.hungUp(now: now) else { return }
        if places[place].holdsForEver {
            places[place].holdsForEver = false
            heldForEver -= 1
        }
        sendBye(place)
    }

    private func sendBye(_ place: Int) {
        guard let dialog = places[place].dialog else { return }
        let parties = places[place].parties
        lines.caller.append(toward: dialog.nextHop ?? callers.server) { texts[0].appendBye(parties, dialog, to: &$0) }
    }

    private func byeAnswered(_ status: Int, _ place: Int, _ now: UInt64) {
        guard places[place].caller.endCame() else { return }
        if status == 200 {
            result.ended(after: now - places[place].caller.invitedAt, inTime: isOpen)
        } else {
            result.endRefused[status, default: 0] += 1
        }
        end(place)
    }

    func lookAtCaller(_ place: Int, _ now: UInt64) {
        switch places[place].caller.timePassed(now: now) {
        case .nothing: break
        case .hangUp: hangUp(place, now)
        case .repeatInvite:
            result.repeats += 1
            let parties = places[place].parties
            lines.caller.append(to: 0) { texts[0].appendInvite(parties, to: &$0) }
        case .repeatBye:
            result.repeats += 1
            sendBye(place)
        case .giveUp:
            result.timedOut += 1
            end(place)
        }
    }
}
