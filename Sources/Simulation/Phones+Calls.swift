import ClusterModel
import NodeCore

/// A call at a phone.
struct PhoneLeg: Sendable {
    enum State: Equatable, Sendable {
        case ringing, talking, over
    }

    enum Manner: Equatable, Sendable {
        case answers(after: UInt64, talk: UInt64)
        case refuses(String)
        /// Until the call is taken back.
        case rings
        /// Just when the call is taken back.
        case answersLate(talk: UInt64)
        /// The phone is not there.
        case none
    }

    let call: String
    /// The Via of the node that has sent the INVITE.
    let via: String
    let node: NodeIndex
    /// Of the node.
    let life: UInt64
    let invite: SIPText
    let tag: String
    let manner: Manner
    var state = State.ringing
    var last: SIPText?
    /// When somebody has answered.
    var since: UInt64 = 0
}

// Phones that are called.
extension ClusterSimulation {
    /// What a phone does with a call: the same whatever else happens.
    private func manner(of phone: Int, with call: String) -> PhoneLeg.Manner {
        let number = call.utf8.prefix { $0 != UInt8(ascii: "@") }.reduce(0 as UInt64) { $0 * 10 + UInt64($1 & 15) }
        let draw = mixed(plan.seed ^ mixed(number << 16 | UInt64(phone)))
        let talk = 100 * .millisecond + (draw >> 40) % (6 * .second)
        switch draw % 100 {
        case 0..<45: return .answers(after: (draw >> 20) % (2 * .second), talk: talk)
        case 45..<55: return .refuses("486 Busy Here")
        case 55..<63: return .refuses("603 Decline")
        case 63..<80: return .rings
        case 80..<92: return .answersLate(talk: talk)
        case _: return .none
        }
    }

    mutating func phoneHears(_ phone: Int, _ text: SIPText, from node: NodeIndex) {
        guard !phones[phone].isGone, let method = text.method else { return }
        let via = text.value("Via")
        let call = text.value("Call-ID")
        switch method {
        case "INVITE":
            if let leg = phones[phone].legs.lastIndex(where: { $0.via == via }) {
                if let last = phones[phone].legs[leg].last {
                    transmit(last.bytes, from: .phone(phone), to: .node(node))
                }
            } else {
                ring(phone, text, via: via, from: node)
            }
        case "CANCEL":
            guard let leg = phones[phone].legs.lastIndex(where: { $0.via == via }) else { return }
            guard phones[phone].legs[leg].manner != .none else { return }
            transmit(text.answer("200 OK", tag: "x").bytes, from: .phone(phone), to: .node(node))
            guard phones[phone].legs[leg].state == .ringing else { return }
            if case .answersLate = phones[phone].legs[leg].manner {
                count(.phoneAnsweredLate)
                answer(phone, leg)
            } else {
                phones[phone].legs[leg].state = .over
                respond(phone, leg, "487 Request Terminated")
            }
        case "BYE":
            let leg = phones[phone].legs.lastIndex { $0.call == call && $0.tag == text.tag(of: "To") }
            let status = leg == nil ? "481 Call/Transaction Does Not Exist" : "200 OK"
            transmit(text.answer(status, tag: "x").bytes, from: .phone(phone), to: .node(node))
            if let leg { phones[phone].legs[leg].state = .over }
        case _: break
        }
    }

    private mutating func ring(_ phone: Int, _ invite: SIPText, via: String, from node: NodeIndex) {
        let leg = phones[phone].legs.count
        let call = invite.value("Call-ID")
        let isBusy = phones[phone].legs.contains { $0.state != .over }
        let manner = isBusy ? .refuses("486 Busy Here") : manner(of: phone, with: call)
        phones[phone].legs.append(
            PhoneLeg(
                call: call, via: via, node: node, life: nodes[node.position].life, invite: invite,
                tag: "p\(phone)l\(leg)", manner: manner))
        switch manner {
        case .answers(let time, _):
            count(.phoneRang)
            respond(phone, leg, "180 Ringing")
            schedule(.phoneActs(phone, leg: leg), after: time)
        case .rings, .answersLate:
            count(.phoneRang)
            respond(phone, leg, "180 Ringing")
        case .refuses(let status):
            count(.phoneRefused)
            phones[phone].legs[leg].state = .over
            respond(phone, leg, status)
        case .none:
            count(.phoneWasGone)
            phones[phone].legs[leg].state = .over
        }
    }

    private mutating func respond(_ phone: Int, _ leg: Int, _ status: String) {
        let contact = "Contact: <sip:\(phones[phone].number)@\(Self.address(ofPhone: phone))>"
        let answer = phones[phone].legs[leg].invite.answer(status, tag: phones[phone].legs[leg].tag, [contact])
        phones[phone].legs[leg].last = answer
        transmit(answer.bytes, from: .phone(phone), to: .node(phones[phone].legs[leg].node))
    }

    private mutating func answer(_ phone: Int, _ leg: Int) {
        phones[phone].legs[leg].state = .talking
        phones[phone].legs[leg].since = now
        respond(phone, leg, "200 OK")
        switch phones[phone].legs[leg].manner {
        case .answers(_, let talk), .answersLate(let talk): schedule(.phoneActs(phone, leg: leg), after: talk)
        case .refuses, .rings, .none: break
        }
    }

    /// It answers, or hangs up.
    mutating func phoneActs(_ phone: Int, _ leg: Int) {
        guard !phones[phone].isGone else { return }
        switch phones[phone].legs[leg].state {
        case .ringing:
            count(.phoneAnswered)
            answer(phone, leg)
        case .talking:
            phones[phone].legs[leg].state = .over
            count(.phoneHungUp)
            let dialog = SimulatedDialog(callee: phones[phone].legs[leg].invite, tag: phones[phone].legs[leg].tag)
            let bye = dialog.request(
                "BYE", from: "\(Self.address(ofPhone: phone))", cseq: 1, branch: phones[phone].legs[leg].tag)
            transmit(bye.bytes, from: .phone(phone), to: .node(phones[phone].legs[leg].node))
        case .over: break
        }
    }

    /// The phone is not there any more, and nobody at it.
    mutating func phoneGoes(_ phone: Int) {
        phones[phone].isGone = true
        for leg in phones[phone].legs.indices { phones[phone].legs[leg].state = .over }
    }
}
