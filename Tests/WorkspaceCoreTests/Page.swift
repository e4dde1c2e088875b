import ClusterModel
import WorkspaceCore

/// A browser's page.
final class Page {
    private let town: Town
    var desk: Int
    var cookie = ""
    var csrf = ""
    var ticket = ""
    /// Where the browser is: an IPv4 address.
    var source: UInt32 = 0x0A00_0001
    private(set) var stream: StreamID?
    /// Of the stream's events.
    private var obeyed = 0
    private(set) var lastReply: WorkspaceReply?

    init(_ town: Town, at desk: Int = 0) {
        self.town = town
        self.desk = desk
    }

    /// A copy of what the browser has.
    func copy(at desk: Int) -> Page {
        let page = Page(town, at: desk)
        page.cookie = cookie
        page.csrf = csrf
        page.ticket = ticket
        return page
    }

    /// By the last answer.
    var isSeated: Bool {
        if case .session(let view, _) = lastReply { return view.state != nil }
        return false
    }

    var proof: SessionProof { SessionProof(token: cookie, csrf: csrf) }

    /// - Returns: what was refused; nil where it was done.
    @discardableResult
    func ask(_ command: WorkspaceCommand, patience: UInt64 = 0) -> WorkspaceProblem? {
        guard let gateway = town.desks[desk] else { return .noNode }
        let id = gateway.ask(command, source: source)
        if gateway.answers[id] == nil { town.pass(milliseconds: patience) }
        lastReply = gateway.answers[id]
        return take(lastReply)
    }

    private func take(_ reply: WorkspaceReply?) -> WorkspaceProblem? {
        switch reply {
        case .session(let view, let order):
            csrf = view.csrf
            ticket = view.ticket
            obey(order)
        case .state(_, let order), .done(let order): obey(order)
        case .refused(let refusal): return refusal.problem
        case .agents, .explained, .gateway, .healthy: break
        case nil: return .unknownOutcome
        }
        return nil
    }

    private func obey(_ order: CookieOrder?) {
        switch order {
        case .set(let token, _): cookie = token
        case .clear: cookie = ""
        case nil: break
        }
    }

    @discardableResult
    func logIn(_ agent: String, password: String = "right") -> WorkspaceProblem? {
        ask(.logIn(agent: agent, password: Array(password.utf8)))
    }

    @discardableResult
    func sit(_ dn: String, takeBack: Bool = false) -> WorkspaceProblem? {
        if let problem = ask(.choose(proof, dn: dn, takeBack: takeBack)) { return problem }
        // As the page is told.
        return ask(.renew(proof))
    }

    @discardableResult
    func listen(after: String? = nil) -> StreamID {
        let id = town.desks[desk]!.stream(.session, cookie, after: after)
        stream = id
        obeyed = 0
        return id
    }

    /// Does what the stream has said since the page looked last: pages ask for a younger ticket when they are told to.
    func obey() {
        let news = events.dropFirst(obeyed)
        obeyed = events.count
        if news.contains(where: { $0.content == .renew }) { ask(.renew(proof)) }
    }

    func leave() {
        if let stream { town.desks[desk]?.closed(stream) }
        stream = nil
    }

    var events: [StreamEvent] { stream.flatMap { town.desks[desk]?.pushed[$0] } ?? [] }

    /// The latest that the page was told.
    var state: AgentView? {
        for event in events.reversed() {
            if case .state(let view) = event.content { return view }
            if case .notSeated = event.content { return nil }
        }
        return nil
    }

    var notices: [StreamNotice] {
        events.compactMap { event in
            guard case .notice(let notice) = event.content else { return nil }
            return notice
        }
    }

    var end: StreamEnd? { stream.flatMap { town.desks[desk]?.ended[$0] } }
}

extension Town {
    /// A page at which an agent sits and listens.
    func seated(_ agent: String = "ann", _ dn: String = "7000", at desk: Int = 0) -> Page {
        let page = Page(self, at: desk)
        page.logIn(agent)
        page.listen()
        page.sit(dn)
        return page
    }
}
