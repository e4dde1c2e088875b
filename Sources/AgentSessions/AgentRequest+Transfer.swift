package import ClusterModel

extension AgentRequest: Restorable {
    package static var blank: AgentRequest { .logout(Reasons()) }

    private enum Kind: UInt8 {
        case login = 1
        case logout = 2
        case ready = 3
        case notReady = 4
    }

    package mutating func transfer(_ state: inout StateTransfer) {
        var (kind, agent, mode) = (Kind.logout, AgentID?.none, WorkMode.unknown)
        var (reasons, profile) = (Reasons(), AgentProfile?.none)
        switch self {
        case .login(let who, let how, let why, let skills):
            (kind, agent, mode, reasons, profile) = (.login, who, how, why, skills)
        case .logout(let why): (kind, reasons) = (.logout, why)
        case .ready(let how, let why): (kind, mode, reasons) = (.ready, how, why)
        case .notReady(let how, let why): (kind, mode, reasons) = (.notReady, how, why)
        }
        state.choice(1, &kind)
        state.optional(2, &agent)
        state.choice(3, &mode)
        state.message(4, &reasons)
        state.optional(5, &profile)
        guard state.isReading else { return }
        switch kind {
        case .login:
            guard let agent else { return state.refuse("nobody is named who logs in") }
            self = .login(agent, mode, reasons, profile: profile)
        case .logout: self = .logout(reasons)
        case .ready: self = .ready(mode, reasons)
        case .notReady: self = .notReady(mode, reasons)
        }
    }
}
