import ClusterModel
import PhoneCalls

let callerAddress = NetworkAddress(ipv4: 0x7F00_0001, port: 40001)
let calleeAddress = NetworkAddress(ipv4: 0x7F00_0001, port: 40002)

let texts = CallTexts(
    domain: "cc.example.com", caller: callerAddress, callee: calleeAddress, run: "r1", callerLength: 4, calleeLength: 4)

let parties = CallParties(caller: 1001, callee: 2002, call: CallName(place: 7, serial: 3))

/// What a phone received, with the bytes that its parts lie in.
struct Received {
    let bytes: [UInt8]
    let isMessage: Bool
    let message: CallMessage

    init(_ lines: [String]) {
        self.init(text: (lines + ["", ""]).joined(separator: "\r\n"))
    }

    init(text: String) {
        let bytes = Array(text.utf8)
        var message = CallMessage(run: "r1")
        isMessage = message.read(bytes.span)
        self.bytes = bytes
        self.message = message
    }
}

/// The lines of what was appended.
func lines(_ build: (inout [UInt8]) -> Void) -> [String] {
    var output: [UInt8] = []
    build(&output)
    return String(decoding: output, as: UTF8.self)
        .split(separator: "\r\n" as Character, omittingEmptySubsequences: false).map(String.init)
}

/// The headers that belong to the call of `parties`.
let ofTheCall = [
    "From: <sip:1001@cc.example.com>;tag=r1000000003000007", "Call-ID: r1-000000003000007@tandem-load",
]

/// A 200 to its INVITE, with whatever else it has.
func accepted(_ more: [String], contact: String = "<sip:2002@127.0.0.1:40002>") -> Received {
    Received(
        ["SIP/2.0 200 OK", "Via: SIP/2.0/UDP 127.0.0.1:40001;branch=z9hG4bK-r1-000000003000007-1;rport=40001"]
            + ofTheCall
            + ["To: <sip:2002@cc.example.com>;tag=b1", "CSeq: 1 INVITE", "Contact: \(contact)"] + more)
}
