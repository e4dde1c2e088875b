/// The answers that this server gives (RFC 3261 section 21).
package enum SIPStatus: UInt16, Hashable, Sendable {
    case trying = 100
    /// The call waits for somebody who can take it.
    case queued = 182
    case ok = 200
    /// Between nodes: the phone is to be bound where it has registered.
    case movedTemporarily = 302
    case badRequest = 400
    case unauthorized = 401
    case forbidden = 403
    case notFound = 404
    case methodNotAllowed = 405
    case proxyAuthenticationRequired = 407
    case requestTimeout = 408
    case requestEntityTooLarge = 413
    case uriTooLong = 414
    case unsupportedScheme = 416
    case badExtension = 420
    case intervalTooBrief = 423
    case noOutbound = 439
    case temporarilyUnavailable = 480
    case noSuchTransaction = 481
    case loopDetected = 482
    case tooManyHops = 483
    case busyHere = 486
    case requestTerminated = 487
    case serverError = 500
    case notImplemented = 501
    case serviceUnavailable = 503
    case serverTimeout = 504
    case versionNotSupported = 505
    case messageTooLarge = 513

    /// The reason phrase.
    package var reason: String {
        switch self {
        case .trying: "Trying"
        case .queued: "Queued"
        case .ok: "OK"
        case .movedTemporarily: "Moved Temporarily"
        case .badRequest: "Bad Request"
        case .unauthorized: "Unauthorized"
        case .forbidden: "Forbidden"
        case .notFound: "Not Found"
        case .methodNotAllowed: "Method Not Allowed"
        case .proxyAuthenticationRequired: "Proxy Authentication Required"
        case .requestTimeout: "Request Timeout"
        case .requestEntityTooLarge: "Request Entity Too Large"
        case .uriTooLong: "Request-URI Too Long"
        case .unsupportedScheme: "Unsupported URI Scheme"
        case .badExtension: "Bad Extension"
        case .noOutbound: "First Hop Lacks Outbound Support"
        case .intervalTooBrief: "Interval Too Brief"
        case .temporarilyUnavailable: "Temporarily Unavailable"
        case .noSuchTransaction: "Call/Transaction Does Not Exist"
        case .loopDetected: "Loop Detected"
        case .tooManyHops: "Too Many Hops"
        case .busyHere: "Busy Here"
        case .requestTerminated: "Request Terminated"
        case .serverError: "Server Internal Error"
        case .notImplemented: "Not Implemented"
        case .serviceUnavailable: "Service Unavailable"
        case .serverTimeout: "Server Time-out"
        case .versionNotSupported: "Version Not Supported"
        case .messageTooLarge: "Message Too Large"
        }
    }
}

/// What is wrong with a request; the reason phrase of the answer says it.
package enum SIPFault: UInt8, Hashable, Sendable, CaseIterable {
    case version, requestLine, requestURI, requestURILength, header, headerCount, headerLength, headerEnd
    case repeatedHeader, via, viaCount, from, to, callID, cseq, cseqMethod, contact, contactCount, contentLength
    case maxForwards, starContact, contactScheme, contactLength, tooManyContacts, outOfOrder, path, pathLength
    case toScheme, bodyLength, requireCount, authorizationCount, route, routeCount
    /// The answer would be larger than one over UDP to a sender who may be anybody.
    case answerLength

    /// What a request with this fault is answered.
    package var status: SIPStatus {
        switch self {
        case .version: .versionNotSupported
        case .requestURILength: .uriTooLong
        // It is the body that is too large, not the message as a whole, so not 513 (RFC 3261 section 21.4.11).
        case .bodyLength: .requestEntityTooLarge
        case .tooManyContacts: .forbidden
        case .outOfOrder: .serverError
        case .answerLength: .messageTooLarge
        case .requestLine, .requestURI, .header, .headerCount, .headerLength, .headerEnd, .repeatedHeader, .via,
            .viaCount,
            .from, .to, .callID, .cseq, .cseqMethod, .contact, .contactCount, .contentLength, .maxForwards,
            .starContact,
            .contactScheme, .contactLength, .path, .pathLength, .toScheme, .requireCount, .authorizationCount, .route,
            .routeCount:
            .badRequest
        }
    }

    /// The reason phrase, which names the fault.
    package var reason: String {
        switch self {
        case .version: "Version Not Supported"
        case .requestLine: "Bad Request Line"
        case .requestURI: "Bad Request-URI"
        case .requestURILength: "Request-URI Too Long"
        case .header: "Bad Header Line"
        case .headerCount: "Too Many Headers"
        case .headerLength: "Header Too Long"
        case .headerEnd: "No Empty Line After Headers"
        case .repeatedHeader: "Header Given Twice"
        case .via: "Bad Via"
        case .viaCount: "Too Many Vias"
        case .from: "Bad From"
        case .to: "Bad To"
        case .callID: "Missing Call-ID"
        case .cseq: "Bad CSeq"
        case .cseqMethod: "CSeq Method Does Not Match"
        case .contact: "Bad Contact"
        case .contactCount: "Too Many Contacts In Request"
        case .contentLength: "Bad Content-Length"
        case .maxForwards: "Bad Max-Forwards"
        case .starContact: "Contact * Needs Expires 0 And No Other Contact"
        case .contactScheme: "Contact Is No SIP URI"
        case .contactLength: "Contact Or Call-ID Too Long"
        case .tooManyContacts: "Too Many Contacts"
        case .outOfOrder: "CSeq Out Of Order"
        case .path: "Bad Path"
        case .pathLength: "Path Too Long"
        case .toScheme: "To Is No SIP URI"
        case .bodyLength: "Body Too Large"
        case .requireCount: "Too Many Require Headers"
        case .authorizationCount: "Too Many Authorization Headers"
        case .route: "Bad Route"
        case .routeCount: "Too Many Routes"
        case .answerLength: "Message Too Large, Use TCP Or Fewer Contacts"
        }
    }
}

/// An answer in outline: what the writer adds to the headers that it copies. A value without references.
package struct SIPResponse: Hashable, Sendable {
    /// Header lines beyond the copied ones.
    package enum Extra: Hashable, Sendable {
        case none
        /// `Allow` (mandatory with 405, RFC 3261 section 21.4.6; with 501 in RFC 4475 section 3.1.1.2).
        case allow
        /// `Allow`, `Accept` and `Supported`, the answer to OPTIONS (RFC 3261 section 11.2).
        case capabilities
        /// `Min-Expires` in seconds (RFC 3261 section 21.4.17).
        case minimumExpires(UInt32)
        /// `Unsupported` with all that the request requires; no extension is supported (RFC 3261 section 8.2.2.3).
        case unsupported
        /// The same with all that a proxy should know (section 20.29).
        case unsupportedByProxy
        /// The request's `Timestamp`, which a 100 must have (section 8.2.6.1).
        case timestamp
        /// `Retry-After` in seconds.
        case retryAfter(UInt32)
        /// `WWW-Authenticate`, once for each algorithm (RFC 3261 section 20.44, RFC 8760 section 2.3).
        case challenge(Nonce, isStale: Bool)
        /// `Proxy-Authenticate`, in the same way (section 20.27).
        case proxyChallenge(Nonce, isStale: Bool)
    }

    package var status: SIPStatus
    /// Tells more than the status's own phrase.
    package var fault: SIPFault?
    package var extra: Extra
    /// Of a caller who waits: 1 for the next (RFC 3261 section 21.1.4).
    package var position: UInt32?

    /// An answer with the status's own reason phrase.
    package init(_ status: SIPStatus, extra: Extra = .none) {
        self.status = status
        self.extra = extra
    }

    /// The refusal of a request with this fault.
    package init(_ fault: SIPFault) {
        status = fault.status
        self.fault = fault
        extra = .none
    }

    /// Tells a caller where the call stands.
    package init(queuedAt position: UInt32?) {
        status = .queued
        extra = .none
        self.position = position
    }

    /// The reason phrase of the status line.
    package var reason: String {
        position.map { "\(status.reason), position \($0)" } ?? fault?.reason ?? status.reason
    }
}

/// What a request is to this server.
package enum Disposition: Equatable, Sendable {
    case register
    case options
    case answer(SIPResponse)
    /// It is for somebody else.
    case forward
}

extension SIPMessage {
    /// Method, scheme and required extensions, inspected in the order of RFC 3261 section 8.2.
    package var disposition: Disposition {
        // Within a dialog (its Route says where it goes) nobody but its two ends need know what a method means.
        let isInDialog = routeCount > 0 && !to.tag.isEmpty
        switch method {
        case .ack, .cancel, .invite, .bye, .subscribe, .notify, .message, .info, .update, .refer, .prack:
            return .forward
        case .unknown, .publish, .options:
            if isInDialog { return .forward }
            if method == .unknown { return .answer(SIPResponse(.notImplemented, extra: .allow)) }
            if method == .publish { return .answer(SIPResponse(.methodNotAllowed, extra: .allow)) }
        case .register: break
        }
        if requestURI.scheme == .other { return .answer(SIPResponse(.unsupportedScheme)) }
        // What is registered is the address in To (RFC 3261 section 10.3, RFC 4475 section 3.3.4).
        if method == .register, to.uri.scheme == .other { return .answer(SIPResponse(.toScheme)) }
        if requireCount > 0 { return .answer(SIPResponse(.badExtension, extra: .unsupported)) }
        return method == .register ? .register : .options
    }
}
