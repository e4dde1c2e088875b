/// A request that was received, as long as its transaction lasts; never means another later.
package struct ServerTransactionID: Hashable, Sendable {
    let slot: Int32
    let generation: UInt32
    /// What its user said when he opened it.
    package let context: Int32
}

/// A request that was sent, as long as its transaction lasts; never means another later.
package struct ClientTransactionID: Hashable, Sendable {
    let slot: Int32
    let generation: UInt32
    /// What its user said when he sent it.
    package let context: Int32
}

/// How much is kept at most. An eighth of it is left for what open transactions still need, and another for requests that go
/// on: who accepts a call must be able to place and to end it.
package struct TransactionLimits: Hashable, Sendable {
    /// Transactions of all kinds.
    package var transactions = 1_048_576
    /// Bytes of all messages that are kept.
    package var bytes = 512 << 20

    /// 512 MiB for 1,048,576 transactions.
    package init() {}
}

/// What a request that was received is.
package enum RequestOutcome: Hashable, Sendable {
    /// Nobody has seen it: `open` it, or answer it without a transaction.
    case new
    /// It came again, or it is the end of what is known. Whatever there is to say to it is among the actions.
    case absorbed
    /// The ACK of a 2xx, which is somebody else's. Most come with a branch of their own, and are of no transaction here.
    case ack(of: ServerTransactionID?)
    /// An INVITE that has no final response yet is to be cancelled; the CANCEL is answered. Without the INVITE it is not, and
    /// gets a 481 from whom it was meant for (RFC 3261 section 9.2).
    case cancel(of: ServerTransactionID?)
}

/// What a response that was received is.
package enum ResponseOutcome: Hashable, Sendable {
    /// The next response to a request that was sent: never 100, one final response, and each 2xx to an INVITE.
    case forward(ClientTransactionID)
    /// It came again, says no more than that the request arrived, or was for this node.
    case absorbed
    /// Nobody has asked. It goes nowhere (RFC 6026 section 7.3).
    case stray
}

/// Why there is no transaction.
package enum TransactionRefusal: Error, Hashable, Sendable {
    /// The request is best answered 503 (RFC 3261 section 21.5.4).
    case tableFull
    /// It is no sound request, or one that has no transaction of its own: ACK, CANCEL.
    case unsuitable
    /// There is one for it.
    case known
}

/// How a transaction came to its end.
package enum TransactionEnd: Hashable, Sendable {
    /// A final response was sent or received, and whatever else belongs to it.
    case done
    /// A client had no final response in time. A server waited in vain for the ACK, or the user of the transaction let so much
    /// time pass that no response is worth sending (RFC 4320 section 4.2).
    case timedOut
    /// The request could not be sent; after a final response, its ACK.
    case failed
}

/// What is to be done, in this order.
package enum TransactionAction: Hashable, Sendable {
    case send([UInt8], to: SIPSource)
    /// Comes once for each that was sent, and last.
    case clientEnded(ClientTransactionID, TransactionEnd)
    /// Comes once for each that was opened, and last.
    case serverEnded(ServerTransactionID, TransactionEnd)
    /// A response could not be sent; the transaction goes on (RFC 6026 section 8.8).
    case undelivered(ServerTransactionID)
}
