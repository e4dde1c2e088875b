/// Who calls whom, in which call: what distinguishes the messages of one call from those of another.
package struct CallParties: Hashable, Sendable {
    /// The numbers of the two phones.
    package var caller: UInt64
    package var callee: UInt64
    package var call: CallName

    package init(caller: UInt64, callee: UInt64, call: CallName) {
        self.caller = caller
        self.callee = callee
        self.call = call
    }
}

/// A call's name in its Call-ID: the place where its state is kept, and how many calls began before it. A message of an
/// earlier call of the same place tells itself apart.
package struct CallName: Hashable, Sendable {
    /// How many places there may be.
    package static let places = 1_000_000
    /// As text it has always as many digits.
    static let digits = 15

    package let number: UInt64

    /// - Parameter place: below `places`.
    package init(place: Int, serial: UInt64) {
        number = serial * UInt64(Self.places) + UInt64(place)
    }

    init(number: UInt64) {
        self.number = number
    }

    package var place: Int { Int(number % UInt64(Self.places)) }
}
