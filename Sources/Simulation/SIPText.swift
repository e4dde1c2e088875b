/// A SIP message as text, as far as simulated phones and callers understand it: nodes write whole names of headers, one a line.
struct SIPText: Sendable {
    let lines: [String]

    /// Without an empty line at the end.
    init(lines: [String]) {
        self.lines = lines
    }

    /// - Returns: nil for nothing.
    init?(_ bytes: [UInt8]) {
        lines = String(decoding: bytes, as: UTF8.self).split(separator: "\r\n").map(String.init)
        if lines.isEmpty { return nil }
    }

    var bytes: [UInt8] { Array((lines.map { $0 + "\r\n" }.joined() + "\r\n").utf8) }

    /// Nil for a response.
    var method: String? {
        lines[0].hasPrefix("SIP/2.0 ") ? nil : String(lines[0].prefix { $0 != " " })
    }

    /// Nil for a request.
    var status: Int? {
        lines[0].hasPrefix("SIP/2.0 ") ? Int(lines[0].dropFirst(8).prefix(3)) : nil
    }

    /// The first of that name, and nothing where there is none.
    func value(_ name: String) -> String {
        for line in lines where line.hasPrefix(name + ": ") { return String(line.dropFirst(name.count + 2)) }
        return ""
    }

    /// All of that name in order, lists taken apart.
    func list(_ name: String) -> [String] {
        lines.filter { $0.hasPrefix(name + ": ") }.flatMap { line in
            line.dropFirst(name.count + 2).split(separator: ", ").map(String.init)
        }
    }

    /// The method that a response answers.
    var answeredMethod: String { String(value("CSeq").drop { $0 != " " }.dropFirst()) }

    /// Empty where there is none.
    func tag(of name: String) -> String {
        let parts = value(name).split(separator: ";")
        for part in parts where part.hasPrefix("tag=") { return String(part.dropFirst(4)) }
        return ""
    }

    /// The URI within the first Contact.
    var contact: String {
        String(value("Contact").drop { $0 != "<" }.dropFirst().prefix { $0 != ">" })
    }

    /// An answer to this request.
    func answer(_ status: String, tag: String, _ more: [String] = []) -> SIPText {
        var answer = ["SIP/2.0 \(status)"]
        for line in lines.dropFirst() {
            switch line.prefix(while: { $0 != ":" }) {
            case "Via", "From", "Call-ID", "CSeq", "Record-Route": answer.append(line)
            case "To": answer.append(line.contains(";tag=") ? line : line + ";tag=\(tag)")
            default: break
            }
        }
        return SIPText(lines: answer + more + ["Content-Length: 0"])
    }

    /// CANCEL, or the ACK of a refusal: this INVITE with another method, and with the To of what it answers.
    func followed(by method: String, to: String? = nil) -> SIPText {
        SIPText(
            lines: lines.map { line in
                if line.hasPrefix("INVITE ") { return method + line.dropFirst(6) }
                if line.hasPrefix("CSeq: ") { return "CSeq: 1 \(method)" }
                if let to, line.hasPrefix("To: ") { return "To: \(to)" }
                return line
            })
    }
}

/// One side of a dialog, and what its later requests say (RFC 3261 section 12).
struct SimulatedDialog: Sendable {
    let local: String
    let remote: String
    let target: String
    let call: String
    let routes: [String]

    /// The caller's, from a 2xx.
    init(caller response: SIPText) {
        local = response.value("From")
        remote = response.value("To")
        target = response.contact
        call = response.value("Call-ID")
        routes = response.list("Record-Route").reversed()
    }

    /// The callee's, from the INVITE that it has answered.
    init(callee invite: SIPText, tag: String) {
        local = invite.value("To") + ";tag=\(tag)"
        remote = invite.value("From")
        target = invite.contact
        call = invite.value("Call-ID")
        routes = invite.list("Record-Route")
    }

    /// - Parameters:
    ///   - branch: one that no other request has.
    func request(_ method: String, from address: String, cseq: Int, branch: String) -> SIPText {
        SIPText(
            lines: [
                "\(method) \(target) SIP/2.0", "Via: SIP/2.0/UDP \(address);branch=z9hG4bK\(branch);rport",
                "From: \(local)", "To: \(remote)", "Call-ID: \(call)", "CSeq: \(cseq) \(method)", "Max-Forwards: 70",
            ] + routes.map { "Route: \($0)" } + ["Content-Length: 0"])
    }
}
