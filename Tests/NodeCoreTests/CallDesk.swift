import ClusterModel
import NodeCore
import SIPCore
import TLibraryPorts

/// Phones at two nodes that are linked; what they are sent waits for them as text.
struct CallDesk {
    var pair: Pair
    private var inbox: [NetworkAddress: [[String]]] = [:]
    private(set) var seconds = 0.0
    private var branch = 0

    init(faults: Faults = .none, _ change: (inout Topology) -> Void = { _ in }) {
        pair = Pair(faults: faults, change)
    }

    /// A phone of a DN at a node.
    struct Phone {
        let dn: String
        let node: Int
        let address: NetworkAddress

        var contact: String { "sip:\(dn)@\(address)" }
        var identity: String { "<sip:\(dn)@cc.example.com>" }
    }

    /// Registers a phone at a node, with a host of its own.
    mutating func phone(_ dn: String, at node: Int, host: UInt32, more: String = "") -> Phone {
        let phone = Phone(dn: dn, node: node, address: NetworkAddress(ipv4: 0x0A00_0000 | host, port: 5066))
        let answer = exchange(register(dn, cseq: Int(host), contact: "<\(phone.contact)>\(more)"), phone)
        precondition(answer.first?.first == "SIP/2.0 200 OK", "\(answer)")
        return phone
    }

    mutating func wait(_ seconds: Double) {
        let end = self.seconds + seconds
        while self.seconds < end {
            self.seconds = min(end, self.seconds + 0.25)
            for node in 0...1 {
                pair.cores[node].tick(now: at(self.seconds))
                pair.cores[node].lookForExceptions(now: at(self.seconds))
            }
            settle()
        }
    }

    mutating func cut() {
        pair.cut()
        settle()
    }

    /// A client's request to a node, carried to wherever it has to go.
    mutating func ask(_ request: TRequest, _ client: ClientID = desktop, at node: Int) -> [TEvent] {
        let events = pair.ask(request, client, at: node, seconds)
        settle()
        return events
    }

    // MARK: Messages

    /// What has come for a phone since it was asked last, line by line.
    mutating func received(_ phone: Phone) -> [[String]] {
        inbox.removeValue(forKey: phone.address) ?? []
    }

    /// The first lines of the same.
    mutating func heard(_ phone: Phone) -> [String] { received(phone).map { $0[0] } }

    mutating func send(_ lines: [String], _ phone: Phone, from address: NetworkAddress? = nil) {
        let text = lines.map { $0 + "\r\n" }.joined() + "\r\n"
        send(text, phone.node, from: address ?? phone.address)
    }

    private mutating func exchange(_ text: String, _ phone: Phone) -> [[String]] {
        send(text, phone.node, from: phone.address)
        return received(phone)
    }

    private mutating func send(_ text: String, _ node: Int, from address: NetworkAddress) {
        var answers = DatagramBatch()
        pair.cores[node].datagramReceived(
            Array(text.utf8).span, from: address, now: at(seconds), answers: &answers)
        for entry in answers.entries { deliver(Array(answers.bytes(of: entry)), entry.destination) }
        settle()
    }

    private mutating func settle() {
        pair.pump(seconds)
        for node in 0...1 {
            for case .send(let bytes, let target) in pair.cores[node].takeActions() { deliver(bytes, target.address) }
        }
    }

    private mutating func deliver(_ bytes: [UInt8], _ address: NetworkAddress) {
        inbox[address, default: []].append(
            String(decoding: bytes, as: UTF8.self).split(separator: "\r\n").map(String.init))
    }

    // MARK: What phones say

    /// A request outside of a dialog.
    mutating func request(
        _ method: String, _ uri: String, from phone: Phone, call: String = "call", cseq: Int = 1, _ more: [String] = []
    ) -> [String] {
        branch += 1
        return [
            "\(method) \(uri) SIP/2.0", "Via: SIP/2.0/UDP \(phone.address);branch=z9hG4bK\(branch);rport",
            "From: \(phone.identity);tag=\(phone.dn)", "To: <\(uri)>", "Call-ID: \(call)", "CSeq: \(cseq) \(method)",
            "Max-Forwards: 70", "Contact: <\(phone.contact)>",
        ] + more + ["Content-Length: 0"]
    }

    mutating func invite(_ dn: String, from phone: Phone, call: String = "call", _ more: [String] = []) -> [String] {
        let lines = request("INVITE", "sip:\(dn)@cc.example.com", from: phone, call: call, more)
        send(lines, phone)
        return lines
    }

    mutating func answer(_ request: [String], _ status: String, _ phone: Phone, _ more: [String] = []) {
        var lines = ["SIP/2.0 \(status)"]
        for line in request.dropFirst() {
            let name = line.prefix { $0 != ":" }
            switch name {
            case "Via", "From", "Call-ID", "CSeq", "Record-Route": lines.append(line)
            case "To": lines.append(line.contains(";tag=") || status == "100 Trying" ? line : line + ";tag=\(phone.dn)")
            default: break
            }
        }
        send(lines + ["Contact: <\(phone.contact)>"] + more + ["Content-Length: 0"], phone)
    }

    /// CANCEL, or the ACK of a refusal: as the INVITE, with another method.
    mutating func follow(_ invite: [String], _ method: String, _ phone: Phone) {
        send(
            invite.map {
                $0.hasPrefix("INVITE ")
                    ? method + $0.dropFirst(6) : $0.hasPrefix("CSeq: ") ? "CSeq: 1 \(method)" : $0
            }, phone)
    }

    /// A request within a dialog: to the other side's contact, over the routes that the dialog has.
    mutating func request(
        _ method: String, in dialog: Dialog, from phone: Phone, cseq: Int, _ more: [String] = []
    ) {
        branch += 1
        send(
            [
                "\(method) \(dialog.target) SIP/2.0", "Via: SIP/2.0/UDP \(phone.address);branch=z9hG4bK\(branch);rport",
                "From: \(dialog.local)", "To: \(dialog.remote)", "Call-ID: \(dialog.call)", "CSeq: \(cseq) \(method)",
                "Max-Forwards: 70",
            ] + dialog.routes.map { "Route: \($0)" } + more + ["Content-Length: 0"], phone)
    }
}

/// What one side of a dialog knows of it (RFC 3261 section 12).
struct Dialog {
    var local: String
    var remote: String
    var target: String
    var call: String
    var routes: [String]

    /// The caller's, from a 2xx.
    init(caller response: [String], callee: CallDesk.Phone) {
        local = header("From", response)[0]
        remote = header("To", response)[0]
        target = callee.contact
        call = header("Call-ID", response)[0]
        routes = list("Record-Route", response).reversed()
    }

    /// The callee's, from the INVITE that it has answered.
    init(callee invite: [String], _ phone: CallDesk.Phone, caller: CallDesk.Phone) {
        local = header("To", invite)[0] + ";tag=\(phone.dn)"
        remote = header("From", invite)[0]
        target = caller.contact
        call = header("Call-ID", invite)[0]
        routes = list("Record-Route", invite)
    }
}

func header(_ name: String, _ message: [String]) -> [String] {
    message.filter { $0.hasPrefix(name + ": ") }.map { String($0.dropFirst(name.count + 2)) }
}

/// All values of a header, lists taken apart.
func list(_ name: String, _ message: [String]) -> [String] {
    header(name, message).flatMap { $0.split(separator: ", ").map(String.init) }
}
