import ClusterModel
import NodeCore
import SIPCore

/// Who sends and hears datagrams.
enum SIPParty: Equatable, Sendable {
    case node(NodeIndex)
    case phone(Int)
    /// All callers are behind one.
    case gateway
    /// Telephones are behind these.
    case telephones(Int)
}

/// A datagram on its way.
struct SimulatedPacket: Sendable {
    let bytes: [UInt8]
    let from: SIPParty
    let to: SIPParty
}

/// Somebody who calls a routing point through a gateway.
struct SimulatedCaller: Sendable {
    enum State: Equatable, Sendable {
        case calling
        /// It wants no more, and has not heard yet that nobody does.
        case givingUp
        case talking
        case over
    }

    let number: Int
    let node: NodeIndex
    /// Of the node.
    let life: UInt64
    let manner: CallerManner
    let invite: SIPText
    let silentFrom: UInt64
    var state = State.calling
    /// The node has said that it has the call.
    var isHeard = false
    var hasCancelled = false
    var dialog: SimulatedDialog?
    /// What its INVITE was answered.
    var status: Int?
    var requests = 1

    var callID: String { "\(number)@gateway" }
}

// Callers, and the network between nodes and everybody who speaks SIP.
extension ClusterSimulation {
    static let gateway = NetworkAddress(ipv4: 0x0A00_0009, port: 5090)
    static let firstPhonePort: UInt16 = 6000

    static func address(ofPhone phone: Int) -> NetworkAddress {
        NetworkAddress(ipv4: 0x7F00_0001, port: firstPhonePort + UInt16(phone))
    }

    static func sipAddress(of node: Int) -> NetworkAddress {
        NetworkAddress(ipv4: 0x7F00_0001, port: UInt16(5060 + node))
    }

    // MARK: Datagrams

    mutating func transmit(_ bytes: [UInt8], from: SIPParty, to: SIPParty) {
        guard let calls = plan.calls else { return }
        let draw = mixed(plan.seed ^ mixed(UInt64(packets.count)))
        let packet = SimulatedPacket(bytes: bytes, from: from, to: to)
        schedule(.packet(packets.count), after: 100 * .microsecond + draw % (4 * .millisecond))
        packets.append(packet)
        packetsUnderWay += 1
        guard draw >> 32 % 100 < calls.doubled else { return }
        schedule(.packet(packets.count), after: 200 * .microsecond + mixed(draw) % (20 * .millisecond))
        packets.append(packet)
        packetsUnderWay += 1
        count(.datagramDoubled)
    }

    /// What a node sends to somebody who is no node.
    mutating func transmit(_ bytes: [UInt8], from node: NodeIndex, to address: NetworkAddress) {
        let phone = Int(address.port) - Int(Self.firstPhonePort)
        if phones.indices.contains(phone), !nodes[node.position].unanswered.isEmpty,
            let text = SIPText(bytes), text.status != nil, text.answeredMethod == "REGISTER"
        {
            return answersRegister(phone, by: node, text)
        }
        if address == Self.gateway {
            transmit(bytes, from: .node(node), to: .gateway)
        } else if let telephones = Self.telephoneGateways.firstIndex(of: address) {
            transmit(bytes, from: .node(node), to: .telephones(telephones))
        } else if phones.indices.contains(phone), address == Self.address(ofPhone: phone) {
            transmit(bytes, from: .node(node), to: .phone(phone))
        }
    }

    mutating func packetArrived(_ number: Int) {
        guard let packet = packets[number] else { return }
        packets[number] = nil
        packetsUnderWay -= 1
        fold.add(number)
        fold.add(packet.bytes.count)
        sayInDetail("\(words(packet.from)) → \(words(packet.to)): \(Words.firstLine(of: packet.bytes))")
        switch packet.to {
        case .node(let node): nodeHears(node, packet)
        case .phone(let phone):
            guard case .node(let node) = packet.from, let text = SIPText(packet.bytes) else { return }
            phoneHears(phone, text, from: node)
        case .gateway:
            guard case .node(let node) = packet.from, let text = SIPText(packet.bytes) else { return }
            gatewayHears(text, from: node)
        case .telephones(let gateway):
            guard case .node(let node) = packet.from, let text = SIPText(packet.bytes) else { return }
            telephonesHear(gateway, text, from: node)
        }
    }

    private mutating func nodeHears(_ node: NodeIndex, _ packet: SimulatedPacket) {
        guard nodes[node.position].isUp else { return }
        let source: NetworkAddress
        switch packet.from {
        case .phone(let phone): source = Self.address(ofPhone: phone)
        case .gateway: source = Self.gateway
        case .telephones(let gateway): source = Self.telephoneGateways[gateway]
        case .node: return
        }
        var answers = DatagramBatch()
        cores[node.position].datagramReceived(
            packet.bytes.span, from: source, now: instant(node), answers: &answers)
        for entry in answers.entries { transmit(Array(answers.bytes(of: entry)), from: node, to: entry.destination) }
        touch(node)
    }

    func words(_ party: SIPParty) -> String {
        switch party {
        case .node(let node): name(node)
        case .phone(let phone): "phone \(phones[phone].number)"
        case .gateway: "gateway"
        case .telephones(let gateway): "gateway \(gateway) of telephones"
        }
    }

    // MARK: Callers

    mutating func call(_ number: Int, _ point: Int, at node: NodeIndex, _ manner: CallerManner) {
        let uri = "sip:\(CallPlan.points[point])@cc.example.com"
        let invite = SIPText(
            lines: [
                "INVITE \(uri) SIP/2.0", "Via: SIP/2.0/UDP \(Self.gateway);branch=z9hG4bKc\(number);rport",
                "From: <sip:+1555\(number)@\(Self.gateway.host)>;tag=c\(number)", "To: <\(uri)>",
                "Call-ID: \(number)@gateway", "CSeq: 1 INVITE", "Max-Forwards: 70",
                "Contact: <sip:\(number)@\(Self.gateway)>", "Content-Length: 0",
            ])
        let caller = callers.count
        callers.append(
            SimulatedCaller(
                number: number, node: node, life: nodes[node.position].life, manner: manner, invite: invite,
                silentFrom: manner.life.map { now + $0 } ?? .max))
        transmit(invite.bytes, from: .gateway, to: .node(node))
        if let patience = manner.patience { schedule(.callerActs(caller), after: patience) }
    }

    /// It has waited, or talked, for long enough.
    mutating func callerActs(_ caller: Int) {
        guard now < callers[caller].silentFrom else { return }
        switch callers[caller].state {
        case .calling:
            callers[caller].state = .givingUp
            count(.callerGaveUp)
            cancelIfHeard(caller)
        case .talking:
            guard let dialog = callers[caller].dialog else { return }
            callers[caller].state = .over
            count(.callerHungUp)
            say(caller, "BYE", in: dialog)
        case .givingUp, .over: break
        }
    }

    /// Who has heard nothing has nothing to cancel yet (RFC 3261 section 9.1).
    private mutating func cancelIfHeard(_ caller: Int) {
        guard callers[caller].isHeard, !callers[caller].hasCancelled else { return }
        callers[caller].hasCancelled = true
        let cancel = callers[caller].invite.followed(by: "CANCEL")
        transmit(cancel.bytes, from: .gateway, to: .node(callers[caller].node))
    }

    private mutating func say(_ caller: Int, _ method: String, in dialog: SimulatedDialog, cseq: Int? = nil) {
        callers[caller].requests += 1
        let requests = callers[caller].requests
        let request = dialog.request(
            method, from: "\(Self.gateway)", cseq: cseq ?? requests, branch: "c\(callers[caller].number)r\(requests)")
        transmit(request.bytes, from: .gateway, to: .node(callers[caller].node))
    }

    private mutating func gatewayHears(_ text: SIPText, from node: NodeIndex) {
        guard let caller = callers.lastIndex(where: { $0.callID == text.value("Call-ID") }),
            now < callers[caller].silentFrom
        else { return }
        guard let status = text.status else {
            guard text.method == "BYE" else { return }
            let isOurs = callers[caller].dialog?.remote == text.value("From")
            let status = isOurs ? "200 OK" : "481 Call/Transaction Does Not Exist"
            transmit(text.answer(status, tag: "").bytes, from: .gateway, to: .node(node))
            guard isOurs else { return }
            if callers[caller].state == .talking { callers[caller].state = .over }
            return
        }
        guard text.answeredMethod == "INVITE" else { return }
        callers[caller].isHeard = true
        switch status {
        case ..<200:
            if callers[caller].state == .givingUp { cancelIfHeard(caller) }
        case 200..<300:
            callerTaken(caller, text)
        case _:
            let ack = callers[caller].invite.followed(by: "ACK", to: text.value("To"))
            transmit(ack.bytes, from: .gateway, to: .node(callers[caller].node))
            guard callers[caller].state == .calling || callers[caller].state == .givingUp else { return }
            callers[caller].state = .over
            callers[caller].status = status
            if status != 487 { count(.callerRefused) }
        }
    }

    /// Somebody has answered, perhaps too late, or as a second one.
    private mutating func callerTaken(_ caller: Int, _ text: SIPText) {
        let dialog = SimulatedDialog(caller: text)
        say(caller, "ACK", in: dialog, cseq: 1)
        callers[caller].status = 200
        switch callers[caller].state {
        case .calling:
            callers[caller].state = .talking
            callers[caller].dialog = dialog
            count(.callerAnswered)
            invariantTalkersAreKnown(caller)
            if let talk = callers[caller].manner.talk { schedule(.callerActs(caller), after: talk) }
        case .givingUp:
            callers[caller].state = .over
            callers[caller].dialog = dialog
            count(.answeredTooLate)
            say(caller, "BYE", in: dialog)
        case .talking, .over:
            guard callers[caller].dialog?.remote != dialog.remote else { return }
            count(.answeredTwice)
            say(caller, "BYE", in: dialog)
        }
    }
}
