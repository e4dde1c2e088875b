/// A password's hash as files keep it: scrypt (RFC 7914) in the PHC string format, `$scrypt$ln=15,r=8,p=3$SALT$HASH`, with base64
/// that is not padded.
package struct PasswordHash: Equatable, Sendable {
    /// What a guess costs.
    package struct Cost: Equatable, Sendable {
        /// Of N, to base 2.
        package var logarithm: Int
        /// Memory is 128 bytes times this times N.
        package var blockSize: Int
        /// How often the whole is done.
        package var parallelism: Int

        package init(logarithm: Int, blockSize: Int, parallelism: Int) {
            self.logarithm = logarithm
            self.blockSize = blockSize
            self.parallelism = parallelism
        }

        /// 32 MiB, and some 300 ms of one processor.
        package static let usual = Cost(logarithm: 15, blockSize: 8, parallelism: 3)
        /// For passwords that are random and do not outlive a demonstration.
        package static let low = Cost(logarithm: 12, blockSize: 8, parallelism: 1)

        /// Whether a login may cost so much, and a guess so little.
        package var isAllowed: Bool {
            (10...17).contains(logarithm) && (1...8).contains(blockSize) && (1...4).contains(parallelism)
                && logarithm < 16 * blockSize
                && 128 * blockSize * ((1 << logarithm) + 2 + parallelism) <= PasswordHash.maximumMemory
        }
    }

    /// The most bytes that one hash may take.
    package static let maximumMemory = 64 << 20
    /// The longest text of a hash, in characters.
    package static let maximumText = 256
    /// Bytes of a password.
    package static let passwordLengths = 1...256
    package static let saltLengths = 8...64
    package static let hashLength = 32

    package let cost: Cost
    package let salt: [UInt8]
    package let hash: [UInt8]

    /// All of them within the limits.
    package init?(cost: Cost, salt: [UInt8], hash: [UInt8]) {
        guard cost.isAllowed, Self.saltLengths.contains(salt.count), hash.count == Self.hashLength else { return nil }
        self.cost = cost
        self.salt = salt
        self.hash = hash
    }

    /// From its text.
    ///
    /// - Returns: nil for anything else than a hash of scrypt within the limits.
    package init?(_ text: String) {
        guard text.utf8.count <= Self.maximumText else { return nil }
        let parts = text.split(separator: "$", omittingEmptySubsequences: false)
        guard parts.count == 5, parts[0].isEmpty, parts[1] == "scrypt", let cost = Self.cost(parts[2]),
            let salt = Self.decoded(parts[3]), let hash = Self.decoded(parts[4])
        else { return nil }
        self.init(cost: cost, salt: salt, hash: hash)
    }

    /// As files have it.
    package var text: String {
        "$scrypt$ln=\(cost.logarithm),r=\(cost.blockSize),p=\(cost.parallelism)$\(Self.encoded(salt))"
            + "$\(Self.encoded(hash))"
    }
}

// MARK: Text

extension PasswordHash {
    /// `ln=15,r=8,p=3`, in this order.
    private static func cost(_ text: Substring) -> Cost? {
        let values = text.split(separator: ",", omittingEmptySubsequences: false)
        guard values.count == 3, let logarithm = number("ln=", values[0]), let size = number("r=", values[1]),
            let parallelism = number("p=", values[2])
        else { return nil }
        return Cost(logarithm: logarithm, blockSize: size, parallelism: parallelism)
    }

    private static func number(_ name: String, _ text: Substring) -> Int? {
        let digits = text.dropFirst(name.utf8.count)
        guard text.hasPrefix(name), (1...2).contains(digits.utf8.count),
            digits.utf8.allSatisfy({ (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) })
        else { return nil }
        return Int(digits)
    }

    private static let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)

    private static func encoded(_ bytes: [UInt8]) -> String {
        var characters: [UInt8] = []
        for start in stride(from: 0, to: bytes.count, by: 3) {
            let group = bytes[start..<min(start + 3, bytes.count)]
            let word = group.reduce(UInt32(0)) { $0 << 8 | UInt32($1) } << UInt32(8 * (3 - group.count))
            for place in 0...group.count { characters.append(alphabet[Int(word >> UInt32(18 - 6 * place) & 63)]) }
        }
        return String(decoding: characters, as: UTF8.self)
    }

    /// - Returns: nil for other characters, a length that cannot be, or bits that mean nothing.
    private static func decoded(_ text: Substring) -> [UInt8]? {
        var bytes: [UInt8] = []
        var word: UInt32 = 0
        var bits: UInt32 = 0
        for character in text.utf8 {
            guard let value = alphabet.firstIndex(of: character) else { return nil }
            word = (word << 6 | UInt32(value)) & 0xFFFF
            bits += 6
            guard bits >= 8 else { continue }
            bits -= 8
            bytes.append(UInt8(truncatingIfNeeded: word >> bits))
        }
        guard bits < 6, word & (1 << bits - 1) == 0 else { return nil }
        return bytes
    }
}
