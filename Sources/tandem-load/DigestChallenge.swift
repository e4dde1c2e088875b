import ClusterModel

/// What a 401 asks for: one of its WWW-Authenticate headers (RFC 7616 section 3.3). The values are places in the answer,
/// without their quotes.
struct DigestChallenge {
    var realm = 0..<0
    var nonce = 0..<0
    /// Without it, the response is that of RFC 2069.
    var hasQuality = false
    private var algorithm: DigestAlgorithm? = .md5

    /// Finds the challenge of an algorithm.
    ///
    /// - Returns: nil when there is none.
    init?(_ answer: Span<UInt8>, _ algorithm: DigestAlgorithm) {
        var start = 0
        while start < answer.count {
            let end = answer.first(13, from: start, before: answer.count)
            if let parameters = answer.skip("www-authenticate: digest ", from: start, before: end) {
                self.init(parameters: answer, from: parameters, before: end)
                if self.algorithm == algorithm, !realm.isEmpty, !nonce.isEmpty { return }
            }
            start = end + 2
        }
        return nil
    }

    private init(parameters answer: Span<UInt8>, from start: Int, before end: Int) {
        var position = start
        while position < end {
            let equals = answer.first(UInt8(ascii: "="), from: position, before: end)
            let first = equals + 1
            let isQuoted = first < end && answer[first] == UInt8(ascii: "\"")
            let last =
                isQuoted
                ? answer.first(UInt8(ascii: "\""), from: first + 1, before: end)
                : answer.first(UInt8(ascii: ","), from: first, before: end)
            take(answer, position..<equals, isQuoted ? first + 1..<last : min(first, last)..<last)
            position = answer.first(UInt8(ascii: ","), from: last, before: end) + 1
            while position < end, answer[position] == 32 { position += 1 }
        }
    }

    private mutating func take(_ answer: Span<UInt8>, _ name: Range<Int>, _ value: Range<Int>) {
        if answer.equals(name, "realm") {
            realm = value
        } else if answer.equals(name, "nonce") {
            nonce = value
        } else if answer.equals(name, "qop") {
            // A list; nobody offers auth-int alone.
            hasQuality = answer.skip("auth", from: value.lowerBound, before: value.upperBound) != nil
        } else if answer.equals(name, "algorithm") {
            algorithm = DigestAlgorithm.allCases.first { answer.equals(value, $0.name) }
        }
    }
}

extension Span<UInt8> {
    /// Where a byte stands, or `end`.
    fileprivate func first(_ byte: UInt8, from start: Int, before end: Int) -> Int {
        var position = start
        while position < end, self[position] != byte { position &+= 1 }
        return Swift.min(position, end)
    }

    /// Past a text, if it stands there in whatever case.
    fileprivate func skip(_ text: String, from start: Int, before end: Int) -> Int? {
        var position = start
        for byte in text.utf8 {
            guard position < end, lowercase(self[position]) == lowercase(byte) else { return nil }
            position &+= 1
        }
        return position
    }

    fileprivate func equals(_ range: Range<Int>, _ text: String) -> Bool {
        skip(text, from: range.lowerBound, before: range.upperBound) == range.upperBound
    }

    private func lowercase(_ byte: UInt8) -> UInt8 {
        byte >= UInt8(ascii: "A") && byte <= UInt8(ascii: "Z") ? byte | 32 : byte
    }
}
