import ClusterModel

extension ExplorationAlphabet.Budget {
    /// What may happen at any node, or between any two.
    fileprivate static func anywhere(
        _ count: Int, _ letter: (NodeIndex) -> ExplorationAlphabet.Letter
    ) -> ExplorationAlphabet.Budget {
        var budget = ExplorationAlphabet.Budget(count)
        budget.letters = [letter(alpha), letter(beta), letter(gamma)]
        return budget
    }

    fileprivate static func anyPair(
        _ count: Int, _ letter: (NodeIndex, NodeIndex) -> ExplorationAlphabet.Letter
    ) -> ExplorationAlphabet.Budget {
        var budget = ExplorationAlphabet.Budget(count)
        budget.letters = [letter(alpha, beta), letter(alpha, gamma), letter(beta, gamma)]
        return budget
    }
}

private let alpha = NodeIndex(0)
private let beta = NodeIndex(1)
private let gamma = NodeIndex(2)

/// The alphabets that are explored again and again, each to its end or to the depth that it states. Alpha dials both others, beta dials gamma.
extension ExplorationAlphabet {
    package static var named: [ExplorationAlphabet] {
        [
            claimants, refreshes, claimantsAndCut, ownerBehindCuts, toldAcrossABreak, firstContact, pings, offTheRing,
            stall, resets, lateHello, crashAndReturn, slowClock, forgottenBehindACut, newOwnerForgets, newOwnerDies,
            claimantsCutAndCrash,
        ]
    }

    // MARK: Nobody dies

    private static var claimants: Self {
        Self(
            name: "claimants", purpose: "Three nodes claim at once, and a contact is removed somewhere.",
            budgets: [
                Budget(1, .register(alpha)), Budget(1, .register(beta)), Budget(1, .register(gamma)),
                .anywhere(1, Letter.remove),
            ]
        )
    }

    private static var claimantsAndCut: Self {
        Self(
            name: "two-claimants-cut-heal", purpose: "Two nodes that may be cut off from each other claim.",
            budgets: [
                Budget(1, .register(alpha)), Budget(1, .register(beta)), .anywhere(1, Letter.remove),
                Budget(1, .cut(alpha, beta)),
            ]
        )
    }

    private static var ownerBehindCuts: Self {
        Self(
            name: "owner-behind-cuts", purpose: "The owner's peers learn of a new claim from each other.",
            budgets: [
                Budget(1, .register(beta), .register(gamma)), Budget(1, .cut(alpha, beta)),
                Budget(1, .cut(beta, gamma)),
            ],
            prelude: [.register(alpha)]
        )
    }

    private static var refreshes: Self {
        Self(
            name: "refreshes", purpose: "The owner's phone refreshes while another node, perhaps cut off, claims.",
            budgets: [Budget(2, .register(alpha)), Budget(1, .register(beta)), Budget(1, .cut(alpha, beta))],
            prelude: [.register(alpha)]
        )
    }

    private static var toldAcrossABreak: Self {
        Self(
            name: "told-across-a-break", purpose: "Who has to tell a former owner of a new claim loses the connection.",
            budgets: [
                Budget(1, .register(beta), .register(gamma)), .anyPair(1, Letter.cut), .anyPair(1, Letter.reset),
            ],
            prelude: [.register(alpha)]
        )
    }

    private static var firstContact: Self {
        Self(
            name: "first-contact", purpose: "Three nodes meet for the first time while one of them claims.",
            budgets: [Budget(1, .register(beta))]
        ) { $0.startsLinked = false }
    }

    private static var pings: Self {
        Self(
            name: "pings", purpose: "Sums are compared at any moment.",
            budgets: [.anywhere(1, Letter.register), .anywhere(1, Letter.ping), .anyPair(1, Letter.reset)],
            prelude: [.register(beta)]
        )
    }

    private static var offTheRing: Self {
        Self(
            name: "off-the-ring", purpose: "An owner says more than its ring holds while its connections have no room.",
            budgets: [Budget(4, .register(alpha), .remove(alpha)), Budget(1, .reset(alpha, beta))]
        ) { alphabet in
            alphabet.capacity = 1
            alphabet.ringCapacity = 2
            alphabet.chunkRecords = 1
        }
    }

    private static var stall: Self {
        Self(
            name: "stall", purpose: "A node that did not run for a while claims, or its peers do.",
            budgets: [
                Budget(1, .register(beta)), Budget(1, .stall(beta)),
                Budget(1, .reset(alpha, beta), .reset(beta, gamma)),
            ],
            prelude: [.register(alpha)]
        ) { $0.keepsLeftovers = true }
    }

    private static var resets: Self {
        Self(
            name: "resets", purpose: "Connections are replaced by newer ones, and what the older carried comes late.",
            budgets: [.anywhere(1, Letter.register), .anyPair(2, Letter.reset)],
            prelude: [.register(beta)]
        ) { $0.keepsLeftovers = true }
    }

    // MARK: A node dies

    private static var lateHello: Self {
        Self(
            name: "late-hello", purpose: "An earlier life introduces itself after the present one.",
            budgets: [
                Budget(1, .reset(alpha, beta)), Budget(1, .crash(alpha)), Budget(1, .register(alpha), .register(beta)),
            ]
        ) { $0.keepsLeftovers = true }
    }

    private static var crashAndReturn: Self {
        Self(
            name: "crash-and-return", purpose: "Any node loses its memory around a claim.",
            budgets: [.anywhere(1, Letter.register), .anywhere(1, Letter.crash)],
            prelude: [.register(beta)]
        ) { $0.keepsLeftovers = true }
    }

    private static var slowClock: Self {
        Self(
            name: "slow-clock", purpose: "An owner is back with a clock behind its own claims.",
            budgets: [Budget(2, .register(beta)), Budget(1, .crash(beta))],
            prelude: [.register(alpha)]
        ) { $0.restartedClock = .behind }
    }

    private static var forgottenBehindACut: Self {
        Self(
            name: "forgotten-behind-a-cut",
            purpose:
                "An owner that forgot its claim hears of it after a greater one, from a node that cannot hear that.",
            budgets: [Budget(1, .register(beta)), Budget(1, .crash(alpha)), Budget(1, .cut(beta, gamma))],
            prelude: [.register(alpha)]
        ) { $0.cutsHeal = false }
    }

    private static var newOwnerForgets: Self {
        Self(
            name: "new-owner-forgets",
            purpose: "A new owner loses its memory, and the former one, cut off from it, passes the claim on.",
            budgets: [
                Budget(1, .register(beta)), Budget(1, .crash(beta)), Budget(1, .cut(alpha, beta)),
                Budget(1, .reset(alpha, gamma)),
            ],
            prelude: [.register(alpha)]
        ) { alphabet in
            alphabet.cutsHeal = false
            // To its end there are over forty million states.
            alphabet.depth = 28
        }
    }

    private static var newOwnerDies: Self {
        Self(
            name: "new-owner-dies", purpose: "A new owner that half of the others know of loses its memory.",
            budgets: [
                Budget(1, .register(alpha), .register(beta)), Budget(1, .cut(alpha, beta)), Budget(1, .crash(beta)),
            ],
            prelude: [.register(gamma)]
        )
    }

    private static var claimantsCutAndCrash: Self {
        Self(
            name: "two-claimants-cut-heal-crash",
            purpose: "Two nodes that may be cut off from each other claim, and one loses its memory.",
            budgets: [
                Budget(1, .register(alpha)), Budget(1, .register(beta)), Budget(1, .cut(alpha, beta)),
                Budget(1, .crash(beta)),
            ]
        )
    }
}
