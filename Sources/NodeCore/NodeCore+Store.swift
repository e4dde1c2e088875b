import AgentSessions
package import ClusterModel
import DNOwnership
package import SIPCore
import TLibraryPorts

// What the node writes down, and what it takes back. ARCHITECTURE.md ("What a node remembers") states the rules. What only
// reads is mutating where it is asked in the middle of a change: otherwise the whole node would be copied.
extension NodeCore {
    /// Seconds until a phone that could not be registered should try again.
    private static let retryAfter: UInt32 = 5

    // MARK: The shell's side

    /// What is to be written down, in order. The shell says later what became of it.
    package mutating func takeWrites(now: Instant) -> [StoreWrite] {
        guard commits != nil else { return [] }
        let due = commits!.takeDue(now: now)
        if !due.isEmpty {
            let greatest = ownership.greatestStamp
            for dn in due { commits!.write(topology.directory.dn(at: dn), dn, row(of: dn, now), greatest) }
        }
        return commits!.takeWrites()
    }

    /// Everything up to this number will be found by the next life of this node.
    package mutating func storeCommitted(through number: UInt64, now: Instant) {
        storeSettled(through: number, isWritten: true, now)
    }

    /// What had been asked for up to this number and was not told yet could not be written down.
    package mutating func storeFailed(through number: UInt64, now: Instant) {
        storeSettled(through: number, isWritten: false, now)
    }

    /// Whether somebody waits over a stream for an answer that comes when something is written down.
    package func isAwaited(over flow: FlowID) -> Bool { commits?.isAwaited(over: flow) ?? false }

    private mutating func storeSettled(through number: UInt64, isWritten: Bool, _ now: Instant) {
        while let dn = commits?.settled(through: number, isWritten: isWritten, now: now) {
            guard let held = commits!.release(dn) else { continue }
            if isWritten {
                finish(held, of: dn, now)
            } else if !held.isVoid {
                refuse(held.work, of: dn, now)
            }
            while commits!.held[dn] == nil, let next = commits!.nextWaiting(dn) {
                carryOut(next, of: dn, written: nil, now)
            }
        }
    }

    // MARK: REGISTERs that wait

    /// Whether the node has heard this very REGISTER, and the store not yet.
    mutating func isOnItsWay(_ datagram: Span<UInt8>, from source: SIPSource) -> Bool {
        guard commits != nil, commits!.heldCount > 0, let name = message.to.uri.dn(in: datagram),
            let dn = topology.directory.index(of: name)
        else { return false }
        return commits!.isHere(datagram, from: source, of: dn)
    }

    mutating func isHeld(_ dn: DNIndex) -> Bool { commits != nil && commits!.holds(dn) }

    /// Whether what a REGISTER would do has to be written down before it is done.
    mutating func mustBeWritten(
        _ plan: RegisterPlan, _ dn: DNIndex, _ limits: RegistrationLimits, _ source: SIPSource, _ now: Instant
    ) -> Bool {
        guard commits != nil, !faults.contains(.acknowledgedUnwritten) else { return false }
        switch plan {
        case .adds: return true
        case .refreshes:
            return !registrar.isKept(refreshedBy: message, of: dn, limits: limits, source: source, now: now)
        case .removes: return ownership.owns(dn) ? registrar.hasBindings(dn) : !hasNothingElsewhere(dn)
        case .query, .retransmission, .reject: return false
        }
    }

    /// Has what a REGISTER will do written down, and keeps it until that is done.
    ///
    /// - Returns: false, and nothing happens, when too many wait already.
    mutating func hold(
        _ request: CommitDesk.Request, _ plan: RegisterPlan, _ dn: DNIndex, _ limits: RegistrationLimits, _ now: Instant
    ) -> Bool {
        guard !commits!.isFull else { return false }
        let datagram = request.datagram.span
        belated = request.belated
        let stamp = registrationStamp(now)
        let own = ownership.ownClaim(of: dn)
        var scratch = Registrar(dnCount: 0)
        swap(&scratch, &commits!.scratch)
        let kept = registrar.kept(
            of: dn, after: message, in: datagram, limits: limits, source: request.source, now: now, scratch: &scratch)
        swap(&scratch, &commits!.scratch)
        // The last word of a phone counts, whether it comes or goes.
        var registered = max(stamp, own?.registered ?? .zero)
        if plan == .removes(all: false), let own { registered = own.registered }
        let row = StoredDN(
            claim: own?.claim ?? stamp, registered: registered,
            service: kept.isEmpty ? .unregistered : .inService, session: ownership.session(of: dn),
            contacts: Self.contacts(kept, now))
        let held = CommitDesk.Held(work: .register(request), came: now, stamp: stamp, row: row)
        commits!.hold(
            held, of: dn, named: topology.directory.dn(at: dn), greatestStamp: ownership.greatestStamp)
        return true
    }

    /// What somebody has asked is written down: now it is done, if that is still right.
    private mutating func finish(_ held: CommitDesk.Held, of dn: DNIndex, _ now: Instant) {
        // The store is ahead of what this node knows; unless that comes to be, it is put right.
        commits!.note(dn)
        guard !held.isVoid else { return }
        if ownership.isSuperseded(dn, held.stamp) {
            refuse(held.work, of: dn, now)
        } else if held.row.claim == ownership.ownClaim(of: dn)?.claim ?? held.stamp {
            carryOut(held.work, of: dn, written: held, now)
        } else {
            // The DN has gone to another node meanwhile, or has come back: done now, it would make another claim than is written.
            carryOut(held.work, of: dn, written: nil, now)
        }
        if commits!.held[dn] == nil, let row = row(of: dn, now), row.isSame(as: held.row) { commits!.forget(dn) }
    }

    private mutating func refuse(_ work: CommitDesk.Work, of dn: DNIndex, _ now: Instant) {
        switch work {
        case .register(let request): refuse(request, now)
        case .agent(let ask): answer(ask, of: dn, ownership.owns(dn) ? .refused(.notWritten) : .notOwner, now)
        }
        settle(now)
    }

    private mutating func carryOut(
        _ work: CommitDesk.Work, of dn: DNIndex, written held: CommitDesk.Held?, _ now: Instant
    ) {
        switch work {
        case .register(let request): carryOut(request, written: held, now)
        case .agent(let ask):
            if let decided = decide(ask, of: dn, written: held, now) { answer(ask, of: dn, decided, now) }
            settle(now)
        }
    }

    private mutating func refuse(_ request: CommitDesk.Request, _ now: Instant) {
        let datagram = request.datagram.span
        guard message.parse(datagram) == .request else { return }
        counters.requestsRefused += 1
        counters.registrationsRefused += 1
        var output: [UInt8] = []
        writer.write(Self.notWritten, to: message, in: datagram, from: request.source.address, into: &output)
        send(output, to: request, now)
    }

    /// The answer to what could not be written down.
    static var notWritten: SIPResponse { SIPResponse(.serviceUnavailable, extra: .retryAfter(retryAfter)) }

    /// - Parameter held: nil of one that has waited behind another, and is judged only now.
    private mutating func carryOut(_ request: CommitDesk.Request, written held: CommitDesk.Held?, _ now: Instant) {
        if let returned = request.returned {
            registerHere(returned, written: held, now)
        } else {
            let datagram = request.datagram.span
            guard message.parse(datagram) == .request else { return }
            answerLimit = request.answerLimit
            belated = request.belated
            var answers = DatagramBatch()
            register(by: request.sender, datagram, request.source, written: held, now, &answers)
            for entry in answers.entries { send(Array(answers.bytes(of: entry)), to: request, now) }
        }
        if !ownershipActions.isEmpty { settle(now) }
        settleSIP(now)
    }

    /// An answer that could not go at once.
    private mutating func send(_ answer: [UInt8], to request: CommitDesk.Request, _ now: Instant) {
        if let returned = request.returned {
            statefulProxy.answer(returned, answer, now: now)
            settleSIP(now)
        } else if let peer = request.source.flow.peer {
            peerMessages[peer.position].append(answer)
        } else if request.source.flow != .none {
            actions.append(.send(answer, to: request.source))
        } else {
            var target = request.source
            target.address = writer.target(of: message, from: request.source.address)
            actions.append(.send(answer, to: target))
        }
    }

    // MARK: Agents that wait

    /// What somebody asks of the agent of a DN that this node owns.
    ///
    /// - Parameter held: what is written down of it; nil of what comes now.
    /// - Returns: nil when the answer comes later.
    mutating func decide(
        _ ask: CommitDesk.AgentAsk, of dn: DNIndex, written held: CommitDesk.Held? = nil, _ now: Instant
    ) -> ProxyAnswer? {
        guard ownership.owns(dn) else { return .notOwner }
        if let session = held?.row.session, ownership.sessionChanged(dn, to: session, &ownershipActions) {
            return .agent(session)
        }
        if isHeld(dn) { return commits!.wait(.agent(ask), of: dn) ? nil : .refused(.notWritten) }
        let session: AgentSession
        switch judge(ask.request, of: dn, now) {
        case .failure(let error): return .refused(error)
        case .success(let judged): session = judged
        }
        guard commits != nil, var row = row(of: dn, now) else {
            ownership.sessionChanged(dn, to: session, &ownershipActions)
            return .agent(session)
        }
        guard !commits!.isFull else { return .refused(.notWritten) }
        row.session = session
        let held = CommitDesk.Held(work: .agent(ask), came: now, stamp: session.stamp, row: row)
        commits!.hold(
            held, of: dn, named: topology.directory.dn(at: dn), greatestStamp: ownership.greatestStamp)
        return nil
    }

    /// The answer to what somebody had to wait for.
    private mutating func answer(
        _ ask: CommitDesk.AgentAsk, of dn: DNIndex, _ answer: ProxyAnswer, _ now: Instant
    ) {
        switch ask.asker {
        case .client(let request): take(answer, 0, to: request, now)
        case .peer(let peer, let number, let connection):
            proxy.owe(number, topology.directory.dn(at: dn), answer, to: peer, on: connection)
        }
    }

    // MARK: What nobody waits for

    /// What this node shows of a DN has changed: if it is part of what is kept, it is written down.
    mutating func noteForStore(_ dn: DNIndex, from before: View, to after: View, _ now: Instant) {
        guard commits != nil, !commits!.isRestoring, before.owner == me || after.owner == me else { return }
        if before.service != after.service || before.owner != after.owner || before.stamp != after.stamp
            || before.agent != after.agent
        {
            commits!.note(dn)
        }
        guard let cause = Transition.cause(from: before, to: after, at: me) else { return }
        var transition = transition(cause, to: after, now)
        if before.owner != after.owner { transition.formerOwner = name(of: before.owner) }
        if cause == .loggedOut { transition.agent = before.agent?.agent.text ?? "" }
        if cause == .registered, let phone = registrar.newestSource(of: dn) { transition.phone = "\(phone.address)" }
        commits!.write(topology.directory.dn(at: dn), transition, ownership.greatestStamp)
    }

    private mutating func transition(_ cause: Transition.Cause, to view: View, _ now: Instant) -> Transition {
        Transition(
            time: now.wallMilliseconds, cause: cause, service: view.service, owner: name(of: view.owner),
            stamp: view.stamp, agent: view.agent.flatMap { $0.isLoggedIn ? $0.agent.text : nil } ?? "")
    }

    private mutating func name(of node: NodeIndex) -> String {
        node == .none ? "" : topology.nodes[node.position].name
    }

    /// What is kept of a DN; nil of one that another node owns.
    private mutating func row(of dn: DNIndex, _ now: Instant) -> StoredDN? {
        guard let own = ownership.ownClaim(of: dn) else { return nil }
        return StoredDN(
            claim: own.claim, registered: own.registered, service: ownership.lastWord(of: dn),
            session: ownership.session(of: dn), contacts: Self.contacts(registrar.kept(of: dn), now))
    }

    private static func contacts(_ kept: [Registrar.Kept], _ now: Instant) -> [StoredDN.Contact] {
        kept.map { kept in
            let milliseconds = UInt64(kept.second) * 1_000
            let present = now.monotonic / 1_000_000
            let until =
                milliseconds >= present
                ? now.wallMilliseconds + (milliseconds - present)
                : now.wallMilliseconds - min(now.wallMilliseconds, present - milliseconds)
            return StoredDN.Contact(kept.binding, keptUntil: until)
        }
    }

    // MARK: A new life

    mutating func restore(_ stored: StoredState, now: Instant) {
        commits = CommitDesk()
        commits!.isRestoring = true
        var dns: [(DNIndex, StoredDN)] = []
        dns.reserveCapacity(stored.rows.count)
        for row in stored.rows {
            if let dn = topology.directory.index(of: row.dn) {
                // What was written of another DN that had the same number counts no more.
                if !topology.directory.isVoid(row.row.claim, of: dn) { dns.append((dn, row.row)) }
            } else if row.row.service != .notProvisioned {
                // Not one that was taken leave of when the topology changed.
                findings.storedUnknown(row.dn, now: now)
            }
        }
        // Numbers of one length have the same order as texts.
        let isSorted = zip(dns, dns.dropFirst()).allSatisfy { $0.0 < $1.0 }
        if !isSorted { dns.sort { $0.0 < $1.0 } }
        var changed: [(DNIndex, StoredDN)] = []
        for (dn, row) in dns where restore(dn, row, now) { changed.append((dn, row)) }
        settle(now)
        // The rest stands in the store already. An agent who was on two DNs is on one now.
        for (dn, row) in dns where ownership.session(of: dn) != row.session { commits!.note(dn) }
        for (dn, row) in changed {
            commits!.note(dn)
            // What has become of it meanwhile.
            let view = ownership.view(of: dn)
            guard view.owner == me, view.service != row.service else { continue }
            commits!.write(topology.directory.dn(at: dn), transition(.lost, to: view, now), ownership.greatestStamp)
        }
        commits!.isRestoring = false
    }

    /// - Returns: whether what is in the store is not so any more.
    private mutating func restore(_ dn: DNIndex, _ row: StoredDN, _ now: Instant) -> Bool {
        let block = topology.directory.block(of: dn)
        let type = topology.agentTypes[block.agentType]
        var session = row.session
        var (claim, registered) = (row.claim, row.registered)
        if ownership.configuration.refuses(max(claim, registered), now: now) {
            // The clock was wrong then, and no other node would take such a stamp.
            // Nor one of now, if it is this clock that is wrong, and the DN was introduced later.
            guard ownership.canClaim(dn, now: now) else { return true }
            claim = ownership.nextStamp(now: now)
            registered = claim
        }
        if let stamp = session.map({ max($0.stamp, $0.login) }), ownership.configuration.refuses(stamp, now: now) {
            session = nil
        }
        var service = row.service
        if service.isInService {
            if type.phone == .sip, mayRegisterHere(block) {
                let lost = restoreBindings(of: dn, row, type.registration, now)
                if !registrar.hasBindings(dn) { service = lost }
            } else {
                service = type.phone == .pstn ? .desktopGone : .restarted
            }
        }
        if !faults.contains(.claimNotKept) {
            ownership.restore(
                dn, claim: claim, registered: registered, service: service, session: session, &ownershipActions)
        }
        return claim != row.claim || registered != row.registered || service != row.service || session != row.session
            || registrar.kept(of: dn).count != row.contacts.count
    }

    /// Takes the phones back that can still be reached.
    ///
    /// - Returns: why the DN is out of service if there is none.
    private mutating func restoreBindings(
        of dn: DNIndex, _ row: StoredDN, _ limits: RegistrationLimits, _ now: Instant
    ) -> Service {
        var reason = Service.expired
        // Each is put before the others.
        for contact in row.contacts.prefix(limits.contacts).reversed() {
            if contact.binding.isTied {
                // The stream that it was reached over has ended with the process.
                reason = .flowLost
                continue
            }
            // No longer than a new registration could last, whatever the clock was then.
            let most = UInt64(limits.maximumExpires) * 1_100 + 1_000
            var left = min(contact.keptUntil, now.wallMilliseconds + most)
            if faults.contains(.expiredRevived), left <= now.wallMilliseconds { left = now.wallMilliseconds + most }
            guard left > now.wallMilliseconds else { continue }
            var binding = contact.binding
            binding.expiry = now.monotonic + (left - now.wallMilliseconds) * 1_000_000
            // As far as it goes in whole seconds.
            registrar.restore(binding, of: dn, keptSecond: UInt32(clamping: binding.expiry / 1_000_000_000), now: now)
        }
        if let interval = limits.probeInterval { registrar.watch(dn, every: interval.nanoseconds, now: now) }
        return reason
    }
}

extension StoredState {
    /// Where the clock of the next life begins. A stamp from far ahead is of a clock that was wrong; everybody would refuse it.
    func greatestStamp(for configuration: OwnershipConfiguration, now: Instant) -> Stamp {
        configuration.refuses(greatestStamp, now: now) ? .zero : greatestStamp
    }
}

extension NodeSetup {
    /// Above what is stored, and above the introduction of every DN: what a node claims whose clock is slow would be void otherwise. A
    /// time that is far ahead is nobody's, as no peer would hear this node any more; until then the node claims no new DN.
    func greatestStamp(for configuration: OwnershipConfiguration, now: Instant) -> Stamp {
        let stored = stored?.greatestStamp(for: configuration, now: now) ?? .zero
        let introduced = Stamp(milliseconds: topology.directory.latestIntroduction, counter: 0)
        return configuration.refuses(introduced, now: now) ? stored : max(stored, introduced)
    }
}
