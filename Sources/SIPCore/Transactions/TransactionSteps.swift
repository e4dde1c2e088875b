/// What a transaction's machine wants done after an event, by whoever has the messages.
package struct TransactionSteps: OptionSet, Hashable, Sendable {
    package let rawValue: UInt16

    package init(rawValue: UInt16) {
        self.rawValue = rawValue
    }

    /// The message at hand goes out.
    package static let send = TransactionSteps(rawValue: 1)
    /// The message that is kept goes out again.
    package static let resend = TransactionSteps(rawValue: 2)
    /// The message at hand is the transaction user's.
    package static let passUp = TransactionSteps(rawValue: 4)
    /// An ACK is made of the request and of the response at hand, kept in the request's place, and sent (RFC 3261 section
    /// 17.1.1.3).
    package static let acknowledge = TransactionSteps(rawValue: 8)
    /// A CANCEL is made of the request, and gets a transaction of its own (section 9.1).
    package static let cancel = TransactionSteps(rawValue: 16)
    /// Nobody answered in time; the transaction user is told with the end.
    package static let timedOut = TransactionSteps(rawValue: 32)
    /// What was sent did not get out; the transaction user is told.
    package static let failed = TransactionSteps(rawValue: 64)
    /// The transaction is over, and whatever is kept for it goes.
    package static let ended = TransactionSteps(rawValue: 128)
}

/// What a response's status means to a transaction.
enum ResponseClass {
    case provisional, success, failure

    init(_ status: UInt16) {
        self = status < 200 ? .provisional : status < 300 ? .success : .failure
    }
}
