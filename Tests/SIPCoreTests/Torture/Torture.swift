import ClusterModel
import SIPCore
import Testing

// The messages of RFC 4475 (SIP torture tests) and RFC 5118 (the same for IPv6), one test a section, under its number:
//
// 3.1.1   valid messages            ValidMessageTests.swift
// 3.1.2   invalid messages          InvalidRequestTests.swift, InvalidValueTests.swift
// 3.2     transactions              SemanticsTests.swift
// 3.3     what requests mean        SemanticsTests.swift, RegistrationSemanticsTests.swift
// 3.4     RFC 2543                  SemanticsTests.swift
// 4       IPv6, of RFC 5118         IPv6Tests.swift
//
// They are written as the two documents print them, and a line that those break is broken here too. Their sizes are those of
// the files in the documents' appendices, so that a slip shows. What is not as in the documents says so.
//
// No test here looks into a body, nor does the server: what sections 3.1.1.11, 3.1.2.12, 3.3.6 and 3.3.15 of RFC 4475 and
// 4.6 and 4.8 of RFC 5118 ask of a user agent is up to the phones. Responses (3.1.1.12, 3.1.1.13, 3.1.2.5, 3.1.2.19, 3.3.10)
// are no answers to anything that a registrar has asked; they are dropped, whatever they say.

/// What becomes of a datagram before anybody asks which DN it is for.
enum Fate: Equatable {
    case served
    /// It goes on to whom it is for, if there is somebody.
    case forwarded
    case answered(SIPStatus)
    case dropped
}

extension Parsed {
    var fate: Fate {
        switch outcome {
        // No request of this server is meant, by the branch; `ProbeTests` has those that are.
        case .notSIP, .response: return .dropped
        case .refused(let response): return .answered(response.status)
        case .request: break
        }
        return switch message.disposition {
        case .register, .options: .served
        case .answer(let response): .answered(response.status)
        case .forward: message.proxyRefusal.map { .answered($0.status) } ?? .forwarded
        }
    }

    /// The lines of the answer that its fate is.
    var answerLines: [String] {
        if case .refused(let response) = outcome { return answer(response, to: self) }
        if case .answer(let response) = message.disposition { return answer(response, to: self) }
        if message.disposition == .forward, let refusal = message.proxyRefusal { return answer(refusal, to: self) }
        return answer(SIPResponse(.ok), to: self)
    }

    func user(of uri: SIPURI) -> String { text(uri.user) }
}

/// A message by its header lines and its body.
///
/// - Parameter size: of the whole, in bytes.
func torture(
    _ size: Int, _ headers: String, body: String = "", sourceLocation: SourceLocation = #_sourceLocation
) -> Parsed {
    torture(size, headers, bodyBytes: wire(body), sourceLocation: sourceLocation)
}

/// The same with a body that is no text.
func torture(
    _ size: Int, _ headers: String, bodyBytes: [UInt8], sourceLocation: SourceLocation = #_sourceLocation
) -> Parsed {
    let bytes = wire(headers + "\n\n") + bodyBytes
    #expect(bytes.count == size, sourceLocation: sourceLocation)
    return Parsed(bytes: bytes)
}

/// With the line ends of SIP.
private func wire(_ text: String) -> [UInt8] {
    var bytes: [UInt8] = []
    for byte in text.utf8 {
        if byte == 10 { bytes.append(13) }
        bytes.append(byte)
    }
    return bytes
}

/// The session description that nearly all requests of RFC 4475 have.
func session(at address: String, time: String = "0 0", video: String = "m=video") -> String {
    """
    v=0
    o=mhandley 29739 7272939 IN IP4 \(address)
    s=-
    c=IN IP4 \(address)
    t=\(time)
    m=audio 49217 RTP/AVP 0 12
    \(video) 3227 RTP/AVP 31
    a=rtpmap:31 LPC

    """
}

/// `<repeat>` of RFC 4475 section 2.3.
func times(_ count: Int, _ text: String) -> String { String(repeating: text, count: count) }
