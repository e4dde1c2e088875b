/// What a client of a port proves that it knows.
package struct ClientSecret: Hashable, Sendable {
    /// The most of one cluster.
    package static let maximumCount = 4_096
    /// Bytes. Sixteen random ones cannot be guessed; a password that people think of should be longer.
    package static let lengths = 16...256
    package static let nameLengths = 1...64

    /// How the client calls itself in its hello.
    package var name: String
    package var secret: [UInt8]

    package init(name: String, secret: [UInt8]) {
        self.name = name
        self.secret = secret
    }

    /// Whether a client that has a secret may be called so: letters, digits, `.`, `_`, `-`, and `/`, which the
    /// full names of the cluster's own programs have.
    package static func isName(_ text: String) -> Bool {
        nameLengths.contains(text.utf8.count)
            && text.utf8.allSatisfy { byte in
                switch byte {
                case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                    UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "."), UInt8(ascii: "_"), UInt8(ascii: "-"),
                    UInt8(ascii: "/"):
                    true
                default: false
                }
            }
    }
}
