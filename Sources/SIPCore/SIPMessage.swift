/// What a request asks (RFC 3261 section 27.4 and its registry). Methods are case-sensitive.
package enum SIPMethod: UInt8, Hashable, Sendable {
    case register, options, ack, cancel, invite, bye, subscribe, notify, publish, message, info, update, refer, prack
    case unknown
}

/// A parsed request: where everything is in the datagram, and nothing of it copied.
///
/// Keep one and parse into it again and again: then parsing allocates nothing. A message is only good together with the
/// datagram that it was parsed from.
package struct SIPMessage: Sendable {
    /// Bounds on what is parsed: bytes, header lines, bytes of one header, and elements of lists.
    package static let maximumDatagram = 65535
    package static let maximumHeaders = 64
    package static let maximumHeaderLength = 8192
    /// RFC 4475 section 3.1.1.7 has 34 of them.
    package static let maximumVias = 40
    package static let maximumContacts = 16
    /// No session description comes near it.
    package static let maximumBody = 16384
    /// Of one Via, contact, From or To.
    static let maximumParameters = 64
    static let maximumHeaderName = 256
    static let maximumRequires = 4
    /// Path headers, and the bytes of all their values: they are kept with each binding.
    package static let maximumPaths = 8
    package static let maximumPathLength = 1024
    /// A phone answers one challenge; more headers are for other realms, or for a proxy on the way.
    static let maximumAuthorizations = 4
    /// Each proxy that a call goes through is one of them.
    package static let maximumRoutes = 20

    package internal(set) var method = SIPMethod.unknown
    package internal(set) var requestURI = SIPURI()
    package internal(set) var topVia = Via()
    /// Its URI is not taken apart: `fromURI` does it for those who need it.
    package internal(set) var from = AddressHeader()
    package internal(set) var to = AddressHeader()
    package internal(set) var callID = ByteRange.empty
    package internal(set) var cseq: UInt32 = 0
    /// The value of the CSeq header, as it is answered.
    package internal(set) var cseqValue = ByteRange.empty
    /// nil when the header is absent.
    package internal(set) var maxForwards: UInt8?
    /// The Expires header, seconds; nil when it is absent.
    package internal(set) var expires: UInt32?
    /// How long the session lasts without a refresh, and how short that may be, seconds (RFC 4028 sections 4 and 5).
    package internal(set) var sessionExpires: UInt32?
    package internal(set) var minimumSession: UInt32?
    package internal(set) var body = ByteRange.empty
    /// `Contact: *` was among the contacts; it is not counted in `contactCount`.
    package internal(set) var hasStarContact = false
    package internal(set) var contactCount = 0
    package internal(set) var viaCount = 0

    var methodToken = ByteRange.empty
    /// Lists of fixed length, written over by each parse. Not inline: reading one element of an inline array through a
    /// borrowed message copies all of them.
    ///
    /// All Vias but the topmost, in the order and in the lists in which they came.
    var followingVias = [ByteRange](repeating: .empty, count: SIPMessage.maximumVias)
    var followingViaCount = 0
    var contacts = [Contact](repeating: Contact(), count: SIPMessage.maximumContacts)
    var requires = [ByteRange](repeating: .empty, count: SIPMessage.maximumRequires)
    var requireCount = 0
    /// What the sender supports, as far as it matters here (RFC 3261 section 20.37).
    package internal(set) var supported: SIPExtensions = []
    /// The values of the Path headers, each perhaps a list (RFC 3327 section 4).
    var paths = [ByteRange](repeating: .empty, count: SIPMessage.maximumPaths)
    package internal(set) var pathCount = 0
    /// The parameters of the last URI of them: that of the proxy next to the sender.
    var lastPath = ByteRange.empty
    var authorizations = [ByteRange](repeating: .empty, count: SIPMessage.maximumAuthorizations)
    package internal(set) var authorizationCount = 0
    /// The header line of the topmost Via, which a proxy changes, with its line end.
    var topViaLine = ByteRange.empty
    /// Where the next value of the same line begins; 0 when there is none.
    var secondViaStart: UInt16 = 0
    /// The first Route value (RFC 3261 section 20.34).
    package internal(set) var topRoute = AddressHeader()
    /// All of them, each with the header line in which it stands and that line's end.
    var routes = [(value: ByteRange, line: ByteRange)](
        repeating: (.empty, .empty), count: SIPMessage.maximumRoutes)
    /// Values of all Route headers.
    package internal(set) var routeCount = 0
    /// The number in the Max-Forwards header.
    var maxForwardsValue = ByteRange.empty
    /// The request line or status line, without its line feed.
    var firstLine = ByteRange.empty
    var isResponse = false
    /// Nothing was found wrong: a response may be sent on.
    package var isSound: Bool { fault == nil }
    /// Where the empty line begins that ends the headers.
    var headersEnd = 0
    /// What a proxy must know (RFC 3261 section 20.29); this one knows none of it.
    var proxyRequires = [ByteRange](repeating: .empty, count: SIPMessage.maximumRequires)
    package internal(set) var proxyRequireCount = 0
    /// For a proxy (RFC 3261 section 22.3).
    var proxyAuthorizations = [ByteRange](repeating: .empty, count: SIPMessage.maximumAuthorizations)
    package internal(set) var proxyAuthorizationCount = 0
    /// The header line that is being parsed, with its line end.
    var line = ByteRange.empty
    /// The first thing found wrong. Parsing goes on after it, for the answer's sake.
    var fault: SIPFault?
    var contentLength: UInt32?
    /// Over streams it must be given (RFC 3261 section 20.14).
    package var hasContentLength: Bool { contentLength != nil }
    /// One bit for each header that may stand only once and was seen.
    var seen: UInt32 = 0

    /// A header was folded or has a stray carriage return: what is answered of it must be cleaned.
    var hasLineEndsInValues = false
    /// A header ends with a line feed alone: what is sent on of it must be mended.
    var hasBareLineFeeds = false

    /// An empty message, to parse into.
    package init() {}

    /// The phone wants to be reached over the flow that it registers on, and can keep to what that needs (RFC 5626
    /// section 6).
    var usesOutbound: Bool {
        guard supported.contains(.outbound) else { return false }
        for position in 0..<contactCount where !contacts[position].instance.isEmpty && !contacts[position].flow.isEmpty
        {
            return true
        }
        return false
    }

    /// The first proxy on the way would not keep to the phone's flow: its Path has no `ob` (RFC 5626 section 6).
    package func lacksOutbound(in datagram: Span<UInt8>) -> Bool {
        guard usesOutbound, viaCount > 1 else { return false }
        var position = lastPath.lower
        while let parameter = datagram.parseParameter(&position, before: lastPath.upper) {
            if datagram.isNamed(parameter.name, 0x626F, length: 2) { return false }
        }
        return true
    }

    /// The URI in From, which says who asks; nil if it is none of SIP.
    package func fromURI(in datagram: Span<UInt8>) -> SIPURI? {
        var uri = SIPURI()
        guard datagram.parseURI(from.uri.whole, into: &uri), uri.scheme != .other else { return nil }
        return uri
    }

    /// Bytes of all Path values, joined by commas.
    var pathLength: Int {
        var length = max(0, pathCount &- 1)
        for position in 0..<pathCount { length &+= paths[position].count }
        return length
    }

    /// One of the `contactCount` contacts of a request, in order.
    package func contact(_ position: Int) -> Contact { contacts[position] }
}

/// Extensions that this server knows (the option tags of RFC 3261 section 27.1).
package struct SIPExtensions: OptionSet, Hashable, Sendable {
    package let rawValue: UInt8
    /// RFC 3327: proxies on the way name themselves.
    package static let path = SIPExtensions(rawValue: 1)
    /// RFC 5626: phones are reached over the flow that they registered on.
    package static let outbound = SIPExtensions(rawValue: 2)
    /// RFC 4028: a session that nobody refreshes ends.
    package static let timer = SIPExtensions(rawValue: 4)
    /// What a REGISTER may require.
    static let ofRegistrar: SIPExtensions = [.path, .outbound]

    package init(rawValue: UInt8) {
        self.rawValue = rawValue
    }
}

/// The topmost Via: who sent the request to us (RFC 3261 section 20.42).
package struct Via: Hashable, Sendable {
    /// Without the parameters that the server writes itself.
    package internal(set) var whole = ByteRange.empty
    package internal(set) var host = ByteRange.empty
    /// 0 when none is given.
    package internal(set) var port: UInt16 = 0
    package internal(set) var branch = ByteRange.empty
    /// RFC 3581: answer to the port that the request came from.
    package internal(set) var hasResponsePort = false
    /// `;rport` and `;received=…` as they stand in the request; both are replaced in the answer.
    var responsePort = ByteRange.empty
    var received = ByteRange.empty

    /// A Via that is not there.
    package init() {}
}

/// A From or To header.
package struct AddressHeader: Hashable, Sendable {
    /// The whole value of the header.
    package internal(set) var whole = ByteRange.empty
    package internal(set) var uri = SIPURI()
    package internal(set) var tag = ByteRange.empty
    /// The value could be parsed, so that a tag may be added to it.
    var isUsable = false

    /// A header that is not there.
    package init() {}
}

/// One contact of a REGISTER (RFC 3261 section 20.10).
package struct Contact: Hashable, Sendable {
    package internal(set) var uri = SIPURI()
    /// Seconds; nil when the parameter is absent.
    package internal(set) var expires: UInt32?
    /// Thousandths; nil when the parameter is absent.
    package internal(set) var quality: UInt16?
    /// The value of `+sip.instance` (RFC 5626 section 4.1), quotes and all.
    package internal(set) var instance = ByteRange.empty
    /// The value of `reg-id` (RFC 5626 section 4.2).
    package internal(set) var flow = ByteRange.empty

    /// A contact that is not there.
    package init() {}
}

/// What became of a datagram.
package enum ParseOutcome: Equatable, Sendable {
    case request
    /// Nothing to answer, or nowhere to answer to: dropped in silence, counted by the caller.
    case notSIP
    /// An answer, with its status code. What else is wrong with it `isSound` says: who asked only whether somebody is there
    /// need not care.
    case response(UInt16)
    /// A request that cannot be served. The message holds what an answer needs, as far as it could be read.
    case refused(SIPResponse)
}
