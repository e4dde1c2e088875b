/// What is said of DNs that are not as they should be.
struct DNExceptionWords: Sendable {
    /// After one DN, and after several.
    var one: String
    var many: String
    var byItself: String
    var remedy: String
    /// `DN` stands for the first of them.
    var command: String

    init(_ one: String, _ many: String, byItself: String = "", remedy: String = "", _ command: String) {
        self.one = one
        self.many = many
        self.byItself = byItself
        self.remedy = remedy
        self.command = command
    }
}

extension DNExceptionWords {
    static let notProvisioned = DNExceptionWords(
        "is owned, and the topology does not provision it",
        "are owned, and the topology does not provision them",
        byItself: "dropped when the owner has the present topology",
        remedy: "if it stays, declare it under `dns`, or take the phone away", "tandem history DN")
    static let forbiddenHome = DNExceptionWords(
        "is owned in a data center that its homes forbid",
        "are owned in data centers that their homes forbid",
        byItself: "the next registration there is refused, and the phone has to register elsewhere",
        remedy: "send the phone to a data center of its homes", "tandem dn show DN")
    static let awayFromHome = DNExceptionWords(
        "is away from the data center that it prefers", "are away from the data centers that they prefer",
        byItself: "goes home when the phone registers there again", "tandem explain DN")
    static let claimedTwice = DNExceptionWords(
        "is claimed by two nodes", "are claimed by two nodes each",
        byItself: "the latest registration wins when the two nodes hear each other",
        remedy: "mend the link between them", "tandem links")
    static let ownerGone = DNExceptionWords(
        "is out of service: its owner has been gone for longer than the grace",
        "are out of service: their owners have been gone for longer than the grace",
        byItself: "in service again when the phone registers at another node",
        remedy: "bring the owner back, or remove it from the topology", "tandem nodes")
    static let notInService = DNExceptionWords(
        "is expected in service, and is not", "are expected in service, and are not",
        byItself: "in service when the phone registers", remedy: "look at the phone", "tandem explain DN")
    static let wrongPhone = DNExceptionWords(
        "is registered by the wrong kind of phone", "are registered by the wrong kind of phone",
        byItself: "refused each time; not told any more ten minutes after it tried last",
        remedy: "correct the agent type, or the number that the phone has", "tandem dn show DN")
    static let flapping = DNExceptionWords(
        "goes back and forth between nodes", "go back and forth between nodes",
        byItself: "over when fewer than four changes are less than two minutes old",
        remedy: "give one of the phones that share the number another one, or let them register at one node",
        "tandem history DN")
    static let agentWithoutDesktop = DNExceptionWords(
        "has an agent and no desktop", "have an agent and no desktop",
        remedy: "log the agent out, or connect the desktop", "tandem agent logout DN")
    static let endlessReservation = DNExceptionWords(
        "is reserved without an end", "are reserved without an end",
        byItself: "free when the agent logs out", remedy: "find out who holds it", "tandem reservations")
    static let endlessCall = DNExceptionWords(
        "has a call without an end", "have calls without an end",
        byItself: "over after `maxCall`", remedy: "find out whether somebody still speaks", "tandem calls")
}

extension DNException.Kind {
    var words: DNExceptionWords {
        switch self {
        case .notProvisioned: .notProvisioned
        case .forbiddenHome: .forbiddenHome
        case .awayFromHome: .awayFromHome
        case .claimedTwice: .claimedTwice
        case .ownerGone: .ownerGone
        case .notInService: .notInService
        case .wrongPhone: .wrongPhone
        case .flapping: .flapping
        case .agentWithoutDesktop: .agentWithoutDesktop
        case .endlessReservation: .endlessReservation
        case .endlessCall: .endlessCall
        }
    }
}
