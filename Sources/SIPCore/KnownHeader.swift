/// The headers that this server reads, in full and compact form (RFC 3261 section 7.3.3).
enum KnownHeader: UInt8 {
    case via, from, to, callID, cseq, contact, expires, contentLength, maxForwards, require, authorization, supported,
        path, route, proxyRequire, proxyAuthorization, sessionExpires, minimumSession

    /// The header whose name and colon stand at `start` without white space between them, as nearly all do.
    ///
    /// - Returns: with the length of both; nil when it is another header, or written in another way.
    @inline(__always)
    static func plain(_ datagram: Span<UInt8>, at start: Int) -> (header: KnownHeader, length: Int)? {
        let word = datagram.lowercaseWord(at: start, length: 8)
        switch UInt8(truncatingIfNeeded: word) {
        case UInt8(ascii: "a"):
            if word == 0x7A69_726F_6874_7561, datagram.lowercaseWord(at: start &+ 6, length: 8) == 0x3A6E_6F69_7461_7A69
            {
                return (.authorization, 14)
            }
        case UInt8(ascii: "v"):
            if word & 0xFFFF_FFFF == 0x3A61_6976 { return (.via, 4) }
            if word & 0xFFFF == 0x3A76 { return (.via, 2) }
        case UInt8(ascii: "f"):
            if word & 0xFF_FFFF_FFFF == 0x3A_6D6F_7266 { return (.from, 5) }
            if word & 0xFFFF == 0x3A66 { return (.from, 2) }
        case UInt8(ascii: "t"):
            if word & 0xFF_FFFF == 0x3A_6F74 { return (.to, 3) }
            if word & 0xFFFF == 0x3A74 { return (.to, 2) }
        case UInt8(ascii: "c"):
            if word == 0x3A64_692D_6C6C_6163 { return (.callID, 8) }
            if word == 0x3A74_6361_746E_6F63 { return (.contact, 8) }
            if word & 0xFF_FFFF_FFFF == 0x3A_7165_7363 { return (.cseq, 5) }
            if word == 0x2D74_6E65_746E_6F63, datagram.lowercaseWord(at: start &+ 7, length: 8) == 0x3A68_7467_6E65_6C2D
            {
                return (.contentLength, 15)
            }
        case UInt8(ascii: "m"):
            if word == 0x7772_6F66_2D78_616D, datagram.lowercaseWord(at: start &+ 5, length: 8) == 0x3A73_6472_6177_726F
            {
                return (.maxForwards, 13)
            }
            if word & 0xFFFF == 0x3A6D { return (.contact, 2) }
            if word & 0xFF_FFFF_FFFF_FFFF == 0x3A_6573_2D6E_696D { return (.minimumSession, 7) }
        case UInt8(ascii: "e"): if word == 0x3A73_6572_6970_7865 { return (.expires, 8) }
        case UInt8(ascii: "i"): if word & 0xFFFF == 0x3A69 { return (.callID, 2) }
        case UInt8(ascii: "l"): if word & 0xFFFF == 0x3A6C { return (.contentLength, 2) }
        case UInt8(ascii: "k"): if word & 0xFFFF == 0x3A6B { return (.supported, 2) }
        case UInt8(ascii: "p"):
            if word & 0xFF_FFFF_FFFF == 0x3A_6874_6170 { return (.path, 5) }
            if word == 0x6572_2D79_786F_7270, datagram.lowercaseWord(at: start &+ 6, length: 8) == 0x3A65_7269_7571_6572
            {
                return (.proxyRequire, 14)
            }
            if word == 0x7561_2D79_786F_7270,
                datagram.lowercaseWord(at: start &+ 6, length: 8) == 0x7A69_726F_6874_7561,
                datagram.lowercaseWord(at: start &+ 12, length: 8) == 0x3A6E_6F69_7461_7A69
            {
                return (.proxyAuthorization, 20)
            }
        case UInt8(ascii: "s"):
            if word == 0x6574_726F_7070_7573, datagram.lowercaseWord(at: start &+ 2, length: 8) == 0x3A64_6574_726F_7070
            {
                return (.supported, 10)
            }
            if word == 0x2D6E_6F69_7373_6573, datagram.lowercaseWord(at: start &+ 8, length: 8) == 0x3A73_6572_6970_7865
            {
                return (.sessionExpires, 16)
            }
        case UInt8(ascii: "x"): if word & 0xFFFF == 0x3A78 { return (.sessionExpires, 2) }
        case UInt8(ascii: "r"):
            if word == 0x3A65_7269_7571_6572 { return (.require, 8) }
            if word & 0xFFFF_FFFF_FFFF == 0x3A65_7475_6F72 { return (.route, 6) }
        default: break
        }
        return nil
    }

    /// - Parameters:
    ///   - first: the first eight characters at most, in lower case, the first of them in the lowest byte.
    ///   - last: the last eight characters at most, in the same way.
    init?(length: Int, first: UInt64, last: UInt64) {
        switch (length, first) {
        case (3, 0x61_6976), (1, 0x76): self = .via
        case (4, 0x6D6F_7266), (1, 0x66): self = .from
        case (2, 0x6F74), (1, 0x74): self = .to
        case (7, 0x64_692D_6C6C_6163), (1, 0x69): self = .callID
        case (4, 0x7165_7363): self = .cseq
        case (7, 0x74_6361_746E_6F63), (1, 0x6D): self = .contact
        case (7, 0x73_6572_6970_7865): self = .expires
        case (7, 0x65_7269_7571_6572): self = .require
        case (1, 0x6C): self = .contentLength
        case (1, 0x6B): self = .supported
        case (4, 0x6874_6170): self = .path
        case (5, 0x65_7475_6F72): self = .route
        case (6, 0x6573_2D6E_696D): self = .minimumSession
        case (1, 0x78): self = .sessionExpires
        case (15, 0x2D6E_6F69_7373_6573) where last == 0x7365_7269_7078_652D: self = .sessionExpires
        case (13, 0x6572_2D79_786F_7270) where last == 0x6572_6975_7165_722D: self = .proxyRequire
        case (19, 0x7561_2D79_786F_7270) where last == 0x6E6F_6974_617A_6972: self = .proxyAuthorization
        case (9, 0x6574_726F_7070_7573) where last == 0x6465_7472_6F70_7075: self = .supported
        case (14, 0x2D74_6E65_746E_6F63) where last == 0x6874_676E_656C_2D74: self = .contentLength
        case (12, 0x7772_6F66_2D78_616D) where last == 0x7364_7261_7772_6F66: self = .maxForwards
        case (13, 0x7A69_726F_6874_7561) where last == 0x6E6F_6974_617A_6972: self = .authorization
        default: return nil
        }
    }

    var isSingle: Bool {
        switch self {
        case .via, .contact, .require, .authorization, .supported, .path, .route, .proxyRequire, .proxyAuthorization:
            false
        case .from, .to, .callID, .cseq, .expires, .contentLength, .maxForwards, .sessionExpires, .minimumSession: true
        }
    }
}

extension SIPMethod {
    /// The method that a token names, letter by letter.
    init(_ token: ByteRange, in datagram: Span<UInt8>) {
        let packed = datagram.word(at: token.lower, length: min(token.count, 8))
        self =
            switch (token.count, packed) {
            case (8, 0x5245_5453_4947_4552): .register
            case (7, 0x53_4E4F_4954_504F): .options
            case (3, 0x4B_4341): .ack
            case (6, 0x4C45_434E_4143): .cancel
            case (6, 0x4554_4956_4E49): .invite
            case (3, 0x45_5942): .bye
            case (9, 0x4249_5243_5342_5553): datagram[token.upper &- 1] == UInt8(ascii: "E") ? .subscribe : .unknown
            case (6, 0x5946_4954_4F4E): .notify
            case (7, 0x48_5349_4C42_5550): .publish
            case (7, 0x45_4741_5353_454D): .message
            case (4, 0x4F46_4E49): .info
            case (6, 0x4554_4144_5055): .update
            case (5, 0x52_4546_4552): .refer
            case (5, 0x4B_4341_5250): .prack
            default: .unknown
            }
    }
}
