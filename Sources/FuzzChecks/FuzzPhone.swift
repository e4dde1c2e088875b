import ClusterModel
import SIPCore

/// A phone as `CallsCheck` plays it: text in, text out.
struct FuzzPhone {
    let dn: String
    let node: Int
    let source: SIPSource
    /// The latest of what came, line by line.
    var heard: [[String]] = []
    /// What it sent last.
    var said: [UInt8] = []
    /// Its last call's INVITE.
    var invite: [String] = []
    var cseq = 1

    init(dn: String, node: Int, source: SIPSource) {
        self.dn = dn
        self.node = node
        self.source = source
    }

    var contact: String { "sip:\(dn)@\(source.address)\(source.flow == .none ? "" : ";transport=tcp")" }
    var from: String { "From: <sip:\(dn)@cc.example.com>;tag=\(dn)" }

    func via(_ branch: Int) -> String {
        "Via: SIP/2.0/\(source.flow == .none ? "UDP" : "TCP") \(source.address);branch=z9hG4bK\(branch);rport"
    }

    func answer(_ request: [String], _ status: Int) -> [String] {
        var lines = ["SIP/2.0 \(status) Whatever"]
        for line in request.dropFirst() {
            switch line.prefix(while: { $0 != ":" }) {
            case "Via", "From", "Call-ID", "CSeq", "Record-Route": lines.append(line)
            case "To": lines.append(status == 100 || line.contains(";tag=") ? line : line + ";tag=\(dn)")
            default: break
            }
        }
        return lines + ["Contact: <\(contact)>"]
    }

    /// - Parameter message: an INVITE that came, or the answer to one that was sent.
    func request(_ method: String, _ cseq: Int, _ branch: Int, in message: [String]) -> [String] {
        let isCaller = message[0].hasPrefix("SIP/2.0 ")
        let value = { (name: String) in
            message.first { $0.hasPrefix(name + ": ") }.map { String($0.dropFirst(name.utf8.count + 2)) } ?? ""
        }
        let to = value("To").contains(";tag=") ? value("To") : value("To") + ";tag=\(dn)"
        let routes = message.filter { $0.hasPrefix("Record-Route: ") }
            .flatMap { $0.dropFirst(14).split(separator: ",").map { $0.drop { $0 == " " } } }
            .map { "Route: \($0)" }
        let target = value("Contact").drop { $0 != "<" }.dropFirst().prefix { $0 != ">" }
        return [
            "\(method) \(target.isEmpty ? "sip:nobody@cc.example.com" : String(target)) SIP/2.0", via(branch),
            "From: \(isCaller ? value("From") : to)", "To: \(isCaller ? to : value("From"))",
            "Call-ID: \(value("Call-ID"))", "CSeq: \(cseq) \(method)", "Max-Forwards: 70",
        ] + (isCaller ? routes.reversed() : routes)
    }

    /// Whole, with a length.
    static func text(_ lines: [String]) -> [UInt8] {
        Array((lines + ["Content-Length: 0", "", ""]).joined(separator: "\r\n").utf8)
    }

    static func lines(_ message: [UInt8]) -> [String] {
        String(decoding: message, as: UTF8.self).split(separator: "\r\n").map(String.init)
    }
}
