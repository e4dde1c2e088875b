internal import COpenSSL
package import ClusterModel

/// Whom the holder of the other side's certificate must be.
package enum PeerIdentity: Hashable, Sendable {
    /// A host, by its DNS name.
    case host(String)
    /// A host, by its address; the port does not matter.
    case address(NetworkAddress)
    /// The servers of a SIP domain (RFC 5922).
    case sipDomain(String)
}

/// The names in a certificate (RFC 5280 section 4.2.1.6).
package struct PeerNames: Hashable, Sendable {
    package var dns: [String] = []
    package var uris: [String] = []
    /// Port 0.
    package var addresses: [NetworkAddress] = []
    /// The subject's last CN; empty where there are alternative names, beside which it means nothing (RFC 6125 section
    /// 6.4.4).
    package var commonName = ""

    package init() {}

    /// Whether the certificate was made out to `identity`. Wildcards mean nothing here: RFC 5922 section 7.2 forbids them,
    /// and whoever runs nodes knows their names.
    package func prove(_ identity: PeerIdentity) -> Bool {
        switch identity {
        case .host(let name):
            return isHost(name)
        case .address(let address):
            return addresses.contains(address.with(port: 0))
        case .sipDomain(let domain):
            let domains = uris.compactMap { Self.sipDomain(of: $0) }
            // Section 7.1: DNS names count only where no URI says which SIP domain it is.
            return domains.isEmpty ? isHost(domain) : domains.contains { Self.areEqual($0, domain) }
        }
    }

    /// The first few, as they stand in a sentence.
    package var words: String {
        let all = uris + dns + addresses.map(\.host)
        let shown = (all.isEmpty ? [commonName] : all).prefix(4).map { "`\($0)`" }
        return shown.joined(separator: ", ") + (all.count > 4 ? " and \(all.count - 4) more" : "")
    }

    private func isHost(_ name: String) -> Bool {
        guard !name.isEmpty else { return false }
        if !commonName.isEmpty { return Self.areEqual(commonName, name) }
        return dns.contains { Self.areEqual($0, name) }
    }

    /// Host names are ASCII, and their case means nothing (RFC 4343).
    private static func areEqual(_ first: String, _ second: String) -> Bool {
        first.utf8.elementsEqual(second.utf8) { lowercased($0) == lowercased($1) }
    }

    private static func lowercased(_ byte: UInt8) -> UInt8 {
        (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(byte) ? byte | 0x20 : byte
    }

    /// Of `sip:cc.example.com`; nil with a user part, which would be a person's, or of another scheme (section 7.1).
    private static func sipDomain(of uri: String) -> String? {
        let scheme = uri.prefix(4)
        guard areEqual(String(scheme), "sip:") else { return nil }
        let rest = uri.dropFirst(4)
        guard !rest.isEmpty, !rest.contains("@") else { return nil }
        return rest.prefix { $0 != ":" && $0 != ";" && $0 != "?" }.description
    }
}

extension PeerNames {
    /// - Parameter certificate: stays the caller's.
    init(of certificate: OpaquePointer) {
        var criticality: Int32 = 0
        let extensionData = X509_get_ext_d2i(certificate, NID_subject_alt_name, &criticality, nil)
        guard let names = extensionData.map({ OpaquePointer($0) }) else {
            // -1 when there are none; what cannot be read is another matter.
            if criticality == -1 { commonName = Self.commonName(of: certificate) }
            return
        }
        defer { GENERAL_NAMES_free(names) }
        for position in 0..<tandem_names_count(names) {
            var bytes: UnsafePointer<UInt8>?
            var count: Int32 = 0
            let kind = UInt8(bitPattern: tandem_name_at(names, position, &bytes, &count))
            take(kind, Array(UnsafeBufferPointer(start: bytes, count: Int(count))))
        }
    }

    private mutating func take(_ kind: UInt8, _ bytes: [UInt8]) {
        switch kind {
        case UInt8(ascii: "d"): if let name = Self.text(bytes) { dns.append(name) }
        case UInt8(ascii: "u"): if let uri = Self.text(bytes) { uris.append(uri) }
        case UInt8(ascii: "i"): if let address = Self.address(bytes) { addresses.append(address) }
        default: break
        }
    }

    /// Printable ASCII only: a NUL in a name could make it look like another.
    private static func text(_ bytes: [UInt8]) -> String? {
        guard !bytes.isEmpty, bytes.allSatisfy({ (33..<127).contains($0) }) else { return nil }
        return String(decoding: bytes, as: UTF8.self)
    }

    private static func address(_ bytes: [UInt8]) -> NetworkAddress? {
        let words = stride(from: 0, to: bytes.count, by: 4).map { start in
            bytes[start..<min(start + 4, bytes.count)].reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
        }
        switch bytes.count {
        case 4: return NetworkAddress(ipv4: UInt32(words[0]), port: 0)
        case 16: return NetworkAddress(high: words[0] << 32 | words[1], low: words[2] << 32 | words[3], port: 0)
        default: return nil
        }
    }

    private static func commonName(of certificate: OpaquePointer) -> String {
        let subject = X509_get_subject_name(certificate)
        var last: Int32 = -1
        while true {
            let next = X509_NAME_get_index_by_NID(subject, NID_commonName, last)
            if next < 0 { break }
            last = next
        }
        guard last >= 0, let value = X509_NAME_ENTRY_get_data(X509_NAME_get_entry(subject, last)) else { return "" }
        let bytes = UnsafeBufferPointer(start: ASN1_STRING_get0_data(value), count: Int(ASN1_STRING_length(value)))
        return text(Array(bytes)) ?? ""
    }
}
