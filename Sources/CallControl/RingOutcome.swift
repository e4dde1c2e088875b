/// What the phones' best answer says of the agent.
enum RingOutcome: Equatable {
    /// Another call is there.
    case busy
    /// The phone was there or was to be there, and nobody took the call.
    case notTaken
    /// Somebody on the way has trouble of his own.
    case trouble

    /// - Parameter status: a final response other than 2xx (RFC 3261 section 21).
    init(status: UInt16) {
        switch status {
        case 486, 600: self = .busy
        case 408, 480, 603: self = .notTaken
        case _: self = .trouble
        }
    }
}
