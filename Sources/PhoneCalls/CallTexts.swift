package import ClusterModel

/// The messages of both ends of a call. The same message is made of the same bytes again: nothing has to be kept for it to
/// be repeated.
package struct CallTexts: Sendable {
    private let invite: TextWithHoles
    private let acknowledgement: TextWithHoles
    private let bye: TextWithHoles
    private let refusalAcknowledgement: TextWithHoles
    private let calleeTag: TextWithHoles
    private let ringingEnd: TextWithHoles
    private let acceptedEnd: TextWithHoles

    /// - Parameters:
    ///   - caller: where all callers are reached.
    ///   - callee: where all callees are.
    ///   - run: a text that no other run has.
    ///   - callerLength: digits of every caller's number.
    ///   - calleeLength: digits of every callee's.
    package init(
        domain: String, caller: NetworkAddress, callee: NetworkAddress, run: String, callerLength: Int,
        calleeLength: Int
    ) {
        let mark = TextWithHoles.Marks(callerLength: callerLength, calleeLength: calleeLength)
        func via(_ end: String) -> String {
            "Via: SIP/2.0/UDP \(caller);branch=z9hG4bK-\(run)-\(mark.call)-\(end);rport\r\nMax-Forwards: 70\r\n"
        }
        let from = "From: <sip:\(mark.caller)@\(domain)>;tag=\(run)\(mark.call)\r\n"
        let callID = "Call-ID: \(run)-\(mark.call)@tandem-load\r\n"
        let session = Self.session(at: caller)
        invite = TextWithHoles(
            "INVITE sip:\(mark.callee)@\(domain) SIP/2.0\r\n" + via("1") + from
                + "To: <sip:\(mark.callee)@\(domain)>\r\n" + callID
                + "CSeq: 1 INVITE\r\nContact: <sip:\(mark.caller)@\(caller)>\r\nUser-Agent: tandem-load\r\n"
                + "Allow: INVITE, ACK, BYE, CANCEL, OPTIONS\r\nContent-Type: application/sdp\r\n"
                + "Content-Length: \(session.utf8.count)\r\n\r\n" + session)
        acknowledgement = TextWithHoles(" SIP/2.0\r\n" + via("2") + from + callID + "CSeq: 1 ACK\r\n")
        bye = TextWithHoles(" SIP/2.0\r\n" + via("3") + from + callID + "CSeq: 2 BYE\r\n")
        // It belongs to the transaction of the INVITE (RFC 3261 section 17.1.1.3).
        refusalAcknowledgement = TextWithHoles(" SIP/2.0\r\n" + via("1") + callID + "CSeq: 1 ACK\r\n")
        calleeTag = TextWithHoles(";tag=b\(mark.call)\r\n")
        let contact = "Contact: <sip:\(mark.callee)@\(callee)>\r\n"
        ringingEnd = TextWithHoles(contact + "Content-Length: 0\r\n\r\n")
        let answer = Self.session(at: callee)
        acceptedEnd = TextWithHoles(
            contact + "Content-Type: application/sdp\r\nContent-Length: \(answer.utf8.count)\r\n\r\n" + answer)
    }

    /// What a phone with one audio codec offers.
    private static func session(at address: NetworkAddress) -> String {
        let kind = address.isIPv4 ? "IP4" : "IP6"
        let lines = [
            "v=0", "o=- 3913620000 3913620000 IN \(kind) \(address.host)", "s=-", "c=IN \(kind) \(address.host)",
            "t=0 0", "m=audio 40000 RTP/AVP 8 0 101", "a=rtpmap:8 PCMA/8000", "a=rtpmap:0 PCMU/8000",
            "a=rtpmap:101 telephone-event/8000", "a=ptime:20", "a=sendrecv",
        ]
        return lines.joined(separator: "\r\n") + "\r\n"
    }

    // MARK: The caller's

    package func appendInvite(_ parties: CallParties, to output: inout [UInt8]) {
        invite.append(parties, to: &output)
    }

    /// The ACK of a 2xx, which is a request of its own (RFC 3261 section 13.2.2.4).
    package func appendAcknowledgement(_ parties: CallParties, _ dialog: CallDialog, to output: inout [UInt8]) {
        append(Self.ack, acknowledgement, parties, dialog, to: &output)
    }

    package func appendBye(_ parties: CallParties, _ dialog: CallDialog, to output: inout [UInt8]) {
        append(Self.byeMethod, bye, parties, dialog, to: &output)
    }

    private func append(
        _ method: [UInt8], _ text: TextWithHoles, _ parties: CallParties, _ dialog: CallDialog,
        to output: inout [UInt8]
    ) {
        output += method
        output += dialog.target
        text.append(parties, to: &output)
        output += dialog.toLine
        output += dialog.routeLine
        output += Self.noBody
    }

    /// The ACK of any other final response, made of that response alone: the call need not be known any more.
    package func appendAcknowledgement(
        ofRefusal response: borrowing CallMessage, in bytes: Span<UInt8>, to output: inout [UInt8]
    ) {
        guard let call = response.call, let opening = bytes.first(60, in: response.to),
            let closing = bytes.first(62, in: opening..<response.to.upperBound)
        else { return }
        output += Self.ack
        output.append(opening + 1..<closing, of: bytes)
        refusalAcknowledgement.append(CallParties(caller: 0, callee: 0, call: call), to: &output)
        output.append(response.from, of: bytes)
        output.append(response.to, of: bytes)
        output += Self.noBody
    }

    // MARK: The callee's

    package func appendRinging(
        _ parties: CallParties, to request: borrowing CallMessage, in bytes: Span<UInt8>, to output: inout [UInt8]
    ) {
        output += Self.ringing
        appendRepeated(request, bytes, call: parties.call, to: &output)
        ringingEnd.append(parties, to: &output)
    }

    package func appendAccepted(
        _ parties: CallParties, to request: borrowing CallMessage, in bytes: Span<UInt8>, to output: inout [UInt8]
    ) {
        output += Self.ok
        appendRepeated(request, bytes, call: parties.call, to: &output)
        acceptedEnd.append(parties, to: &output)
    }

    /// An answer without anything of its own: to BYE, to OPTIONS, and to whatever belongs to no call.
    ///
    /// - Parameter isKnown: whether it is 200 or 481.
    package func appendAnswer(
        isKnown: Bool, to request: borrowing CallMessage, in bytes: Span<UInt8>, to output: inout [UInt8]
    ) {
        output += isKnown ? Self.ok : Self.unknown
        appendRepeated(request, bytes, call: request.call ?? CallName(number: 0), to: &output)
        output += Self.noBody
    }

    /// The headers that every response repeats; To gets the callee's tag where it has none.
    private func appendRepeated(
        _ request: borrowing CallMessage, _ bytes: Span<UInt8>, call: CallName, to output: inout [UInt8]
    ) {
        for range in request.repeated {
            guard !request.hasToTag, range.contains(request.to.lowerBound) else {
                output.append(range, of: bytes)
                continue
            }
            var end = request.to.upperBound
            while end > request.to.lowerBound, bytes[end - 1] == 10 || bytes[end - 1] == 13 { end -= 1 }
            output.append(range.lowerBound..<end, of: bytes)
            calleeTag.append(CallParties(caller: 0, callee: 0, call: call), to: &output)
            output.append(request.to.upperBound..<range.upperBound, of: bytes)
        }
    }

    private static let ack = Array("ACK ".utf8)
    private static let byeMethod = Array("BYE ".utf8)
    private static let ringing = Array("SIP/2.0 180 Ringing\r\n".utf8)
    private static let ok = Array("SIP/2.0 200 OK\r\n".utf8)
    private static let unknown = Array("SIP/2.0 481 Call/Transaction Does Not Exist\r\n".utf8)
    private static let noBody = Array("Content-Length: 0\r\n\r\n".utf8)
}
