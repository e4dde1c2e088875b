package import ClusterModel

/// What may prove that somebody is a DN: HA1 = H(username ":" realm ":" password) for each algorithm (RFC 7616 section
/// 3.4.2). The username is the DN. Passwords are not kept.
package struct CredentialTable: Sendable {
    /// Bytes of one entry: HA1 of all algorithms, one after the other.
    static let entrySize = 80

    /// By DN: its entry, or -1.
    private var places: [Int32]
    private var hashes: [UInt8] = []
    /// By entry: a bit for each algorithm of which HA1 is known.
    private var known: [UInt8] = []

    /// - Parameter dnCount: how many DNs the directory has.
    package init(dnCount: Int) {
        places = Array(repeating: -1, count: dnCount)
    }

    /// How many DNs have an entry.
    package var count: Int { known.count }

    /// The algorithms that at least one entry has.
    package var algorithms: [DigestAlgorithm] {
        let all = known.reduce(0, |)
        return DigestAlgorithm.allCases.filter { all & 1 << $0.rawValue != 0 }
    }

    /// Sets HA1 of one algorithm.
    ///
    /// - Parameter hash: `algorithm.byteCount` bytes; anything else is left out.
    package mutating func set(_ hash: some Collection<UInt8>, _ algorithm: DigestAlgorithm, for dn: DNIndex) {
        guard hash.count == algorithm.byteCount else { return }
        if places[dn.position] < 0 {
            places[dn.position] = Int32(known.count)
            known.append(0)
            hashes.append(contentsOf: repeatElement(0, count: Self.entrySize))
        }
        let entry = Int(places[dn.position])
        known[entry] |= 1 << algorithm.rawValue
        let start = entry * Self.entrySize + Self.offset(of: algorithm)
        hashes.replaceSubrange(start..<start + algorithm.byteCount, with: hash)
    }

    /// Appends HA1 of a DN as hexadecimal text; of one that has none, something of the same length that no password has.
    ///
    /// - Returns: whether the DN has one.
    func appendHexadecimal(_ algorithm: DigestAlgorithm, of dn: DNIndex?, to output: inout [UInt8]) -> Bool {
        let entry = dn.map { Int(places[$0.position]) } ?? -1
        let isKnown = entry >= 0 && known[entry] & 1 << algorithm.rawValue != 0
        let start = isKnown ? entry * Self.entrySize + Self.offset(of: algorithm) : 0
        for position in 0..<algorithm.byteCount {
            output.appendHexadecimal(isKnown ? hashes[start + position] : 0)
        }
        return isKnown
    }

    private static func offset(of algorithm: DigestAlgorithm) -> Int {
        switch algorithm {
        case .md5: 0
        case .sha256: 16
        case .sha512_256: 48
        }
    }
}

extension [UInt8] {
    /// Two digits, lower case, as all of RFC 7616's hashes.
    mutating func appendHexadecimal(_ byte: UInt8) {
        append(hexadecimalDigit(byte >> 4))
        append(hexadecimalDigit(byte & 15))
    }
}

private func hexadecimalDigit(_ nibble: UInt8) -> UInt8 { nibble < 10 ? 48 &+ nibble : 87 &+ nibble }
