package import ClusterModel
import DNOwnership
package import SIPCore

// The way of a registration (RFC 3261 section 10.3): parsed, judged, applied, claimed, answered.
extension NodeCore {
    /// An answer to a sender who has not proven who it is has at most so many times the request's bytes. Over UDP a source is
    /// easily forged, and whoever does so makes the node send to somebody else no more than this.
    package static let maximumAmplification = 4

    /// When a message reached the node's socket and when it was read, milliseconds since 1970 by the clock of the host. A node
    /// that did not run for a while reads what has waited meanwhile.
    package struct Arrival: Sendable {
        package var came: UInt64
        package var read: UInt64

        package init(came: UInt64, read: UInt64) {
            self.came = came
            self.read = read
        }

        /// After half the time after which its sender would repeat it (T1, RFC 3261 section 17.1.2.1) a REGISTER is no news: a later
        /// copy may have been served, or the phone may have given up and registered elsewhere.
        package var isBelated: Bool { read > came + 250 }

        /// Nobody waits for the answer any more (timer F, RFC 3261 section 17.1.2.2).
        var isOutdated: Bool { read > came + 32_000 }
    }

    /// A datagram came to the first of the node's SIP ports. Its answer, if it has one, is appended to `answers`.
    package mutating func datagramReceived(
        _ datagram: Span<UInt8>, from source: NetworkAddress, arrival: Arrival? = nil, now: Instant,
        answers: inout DatagramBatch
    ) {
        messageReceived(datagram, from: SIPSource(source), arrival: arrival, now: now, answers: &answers)
    }

    /// A datagram, or a whole message of a stream, came to one of the node's SIP ports. Its answer, if it has one, is
    /// appended to `answers`; over a stream it goes back over this stream, whatever its destination says.
    ///
    /// - Parameter arrival: nil for now.
    package mutating func messageReceived(
        _ datagram: Span<UInt8>, from source: SIPSource, arrival: Arrival? = nil, now: Instant,
        answers: inout DatagramBatch
    ) {
        guard source.flow.peer != nil || mayBeRead(from: source.address, now: now) else { return }
        answerLimit = source.flow == .none ? Self.maximumAmplification * datagram.count : .max
        belated = arrival.flatMap { $0.isBelated && !faults.contains(.belatedTakenForNews) ? $0.came : nil }
        switch message.parse(datagram) {
        case .notSIP:
            counters.notSIP += 1
        case .response(let status):
            responseReceived(status, datagram, now)
        case .refused(let response):
            answer(response, datagram, source, &answers)
        case .request where source.flow != .none && !message.hasContentLength:
            answer(SIPResponse(.contentLength), datagram, source, &answers)
        case .request:
            switch message.disposition {
            case .register:
                if arrival?.isOutdated != true { register(datagram, source, now, &answers) }
            case .options:
                answer(options(datagram), datagram, source, &answers)
            case .answer(let response):
                answer(response, datagram, source, &answers)
            case .forward:
                forward(datagram, source, now, &answers)
            }
        }
        // Calls make their DNs busy.
        if !ownershipActions.isEmpty { settle(now) }
    }

    mutating func answer(
        _ response: SIPResponse, _ datagram: Span<UInt8>, _ source: SIPSource, _ answers: inout DatagramBatch
    ) {
        let target = writer.target(of: message, from: source.address)
        var isSent = true
        answers.append(to: target) {
            let start = $0.count
            writer.write(response, to: message, in: datagram, from: source.address, into: &$0)
            isSent = Self.isKept(&$0, from: start, limit: answerLimit)
        }
        guard response.status != .ok || !isSent else { return }
        counters.requestsRefused += 1
        if message.method == .register, response.status != .unauthorized { counters.registrationsRefused += 1 }
    }

    /// Takes an answer back that is too large.
    private static func isKept(_ output: inout [UInt8], from start: Int, limit: Int) -> Bool {
        guard output.count - start > limit else { return true }
        output.removeLast(output.count - start)
        return false
    }

    /// Without a user: whether the node is there. With one: what a call to the DN would meet now (RFC 3261 section 11).
    private mutating func options(_ datagram: Span<UInt8>) -> SIPResponse {
        guard message.requestURI.hasUser else { return SIPResponse(.ok, extra: .capabilities) }
        guard let dn = message.requestURI.dn(in: datagram), let index = topology.directory.index(of: dn) else {
            return SIPResponse(.notFound)
        }
        return ownership.view(of: index).service.isInService
            ? SIPResponse(.ok, extra: .capabilities) : SIPResponse(.temporarilyUnavailable)
    }

    // MARK: REGISTER

    /// Whoever sent it comes first (RFC 3261 section 10.3, step 3): others learn nothing about DNs.
    private mutating func register(
        _ datagram: Span<UInt8>, _ source: SIPSource, _ now: Instant, _ answers: inout DatagramBatch
    ) {
        if faults.contains(.repetitionTaken) { registrar.forgetEnded() }
        // Before its password is looked at: the same again would be taken for somebody else's.
        if isOnItsWay(datagram, from: source) || hasGoneOn(datagram) { return }
        // A peer has asked already who it is.
        guard authenticator != nil, source.flow.peer == nil else {
            return register(by: nil, datagram, source, written: nil, now, &answers)
        }
        guard message.authorizationCount == 0 || mayAttempt(from: source.address, now: now) else { return }
        let isStale: Bool
        switch authenticator!.check(message, in: datagram, directory: topology.directory, now: now) {
        case .authenticated(let sender):
            answerLimit = .max
            return register(by: sender, datagram, source, written: nil, now, &answers)
        case .repeated(let sender):
            // The same nonce count again: by the phone that has heard no answer, or by somebody who has seen its request, and
            // who may name any source. So the answer is bounded like those to strangers.
            if isRetransmission(datagram, by: sender, source, now) {
                return register(by: sender, datagram, source, written: nil, now, &answers)
            }
            isStale = true
        case .challenge(let stale):
            isStale = stale
        case .failed:
            counters.failedAuthentications += 1
            sourceLimits?.attemptFailed(from: source.address, now: now)
            isStale = false
        }
        let nonce = authenticator!.challenge(now: now)
        answer(SIPResponse(.unauthorized, extra: .challenge(nonce, isStale: isStale)), datagram, source, &answers)
    }

    private mutating func isRetransmission(
        _ datagram: Span<UInt8>, by sender: DNIndex, _ source: SIPSource, _ now: Instant
    ) -> Bool {
        guard let name = message.to.uri.dn(in: datagram), topology.directory.index(of: name) == sender else {
            return false
        }
        let limits = topology.agentTypes[topology.directory.block(of: sender).agentType].registration
        return registrar.evaluate(message, in: datagram, for: sender, limits: limits, flow: source.flow, now: now)
            == .retransmission
    }

    /// - Parameters:
    ///   - sender: whose password the sender knows; nil where anybody may register.
    ///   - written: what this very request will do, if it is in the store already.
    mutating func register(
        by sender: DNIndex?, _ datagram: Span<UInt8>, _ source: SIPSource, written: CommitDesk.Held?, _ now: Instant,
        _ answers: inout DatagramBatch
    ) {
        guard Self.isHost(message.requestURI.host, in: datagram, among: ownHosts),
            Self.isHost(message.to.uri.host, in: datagram, among: ownHosts),
            let name = message.to.uri.dn(in: datagram), let dn = topology.directory.index(of: name)
        else { return answer(SIPResponse(.notFound), datagram, source, &answers) }
        let block = topology.directory.block(of: dn)
        let isSIP = topology.agentTypes[block.agentType].phone == .sip
        guard isSIP, mayRegisterHere(block), sender == nil || sender == dn else {
            if sender == nil || sender == dn {
                findings.refused.refused(
                    dn, source.address, isSIP ? .dataCenter : .kind, agent: datagram.userAgent, now: now)
            }
            return answer(SIPResponse(.forbidden), datagram, source, &answers)
        }
        if message.lacksOutbound(in: datagram) {
            return answer(SIPResponse(.noOutbound), datagram, source, &answers)
        }
        // Also of one that has waited for the store.
        if hasGoneOn(datagram) { return }
        if isHeld(dn) {
            let request = CommitDesk.Request(
                datagram, sender: sender, source: source, answerLimit: answerLimit, belated: belated)
            if !commits!.wait(.register(request), of: dn) { answer(Self.notWritten, datagram, source, &answers) }
            return
        }
        let limits = topology.agentTypes[block.agentType].registration
        let plan = registrar.evaluate(
            message, in: datagram, for: dn, limits: limits, flow: source.flow, now: now)
        // What it does must not happen and then be left unanswered, so it is refused while nothing has happened yet.
        guard plan == .retransmission || hasRoomForAnswer(plan, datagram, dn, limits, source.address, now) else {
            return answer(SIPResponse(.answerLength), datagram, source, &answers)
        }
        switch plan {
        case .adds, .refreshes:
            if let peer = source.flow.peer, !takes(phoneOf: peer, dn, datagram) {
                return answer(SIPResponse(.movedTemporarily), datagram, source, &answers)
            }
            // Who has a binding to refresh owns the DN.
            if plan != .refreshes, mayBeAnotherDevice(of: dn, datagram, source) {
                return registerAtOwner(of: dn, mayReturn: true, datagram, source, now, &answers)
            }
        case .removes:
            guard hasNothingElsewhere(dn) || !ownership.isReachable(ownership.view(of: dn).owner) else {
                return registerAtOwner(of: dn, datagram, source, now, &answers)
            }
        case .query, .reject, .retransmission: break
        }
        if written == nil, belated == nil, !ownership.canClaim(dn, now: now), claims(plan, dn) {
            return answer(SIPResponse(.serviceUnavailable), datagram, source, &answers)
        }
        if drain != nil, written == nil, sendsElsewhere(plan, dn, datagram, source, now) {
            return answer(SIPResponse(.serviceUnavailable), datagram, source, &answers)
        }
        if written == nil, mustBeWritten(plan, dn, limits, source, now) {
            let request = CommitDesk.Request(
                datagram, sender: sender, source: source, answerLimit: answerLimit, belated: belated)
            if !hold(request, plan, dn, limits, now) { answer(Self.notWritten, datagram, source, &answers) }
            return
        }
        switch plan {
        case .reject(let response):
            return answer(response, datagram, source, &answers)
        case .query:
            guard hasNothingElsewhere(dn) else { return registerAtOwner(of: dn, datagram, source, now, &answers) }
        case .retransmission:
            break
        case .refreshes:
            registrar.refresh(
                message, in: datagram, for: dn, limits: limits, source: source, isWritten: written != nil,
                now: written?.came ?? now)
            accepted(dn, limits, written, now)
        case .adds:
            _ = registrar.apply(
                message, in: datagram, for: dn, limits: limits, source: source, now: written?.came ?? now)
            accepted(dn, limits, written, now)
        case .removes:
            remove(datagram, dn, limits, source, written, now)
        }
        let target = writer.target(of: message, from: source.address)
        // Not in a closure: it would have the registrar and the message copied.
        var output = answers.takeBytes()
        let start = output.count
        writer.writeRegistered(
            dn, of: registrar, to: message, in: datagram, from: source.address, now: now, into: &output)
        // Only of a retransmission: another phone has registered the DN since.
        if !Self.isKept(&output, from: start, limit: answerLimit) { counters.requestsRefused += 1 }
        answers.giveBack(output, withDatagramTo: target)
        if !ownershipActions.isEmpty { settle(now) }
    }

    /// Whether a REGISTER that came at a time when nobody heard it does nothing any more: another node has the DN, and can be
    /// heard, or has claimed it since. A phone that still waits sends it again, and then it is new.
    private mutating func hasGoneOn(_ datagram: Span<UInt8>) -> Bool {
        guard let belated, message.contactCount > 0 || message.hasStarContact,
            let dn = message.to.uri.dn(in: datagram).flatMap({ topology.directory.index(of: $0) })
        else { return false }
        let stamp = Stamp(milliseconds: belated, counter: 0)
        // The DN was not provisioned then, or was another one: nobody would take such a claim.
        if topology.directory.isVoid(stamp, of: dn) { return true }
        let owner = ownership.view(of: dn).owner
        guard owner != me, owner != .none else { return false }
        return ownership.isReachable(owner) || ownership.isSuperseded(dn, stamp)
    }

    /// The stamp of a registration. One that has waited bears the time when it came: whatever was registered since, and wherever,
    /// is later, though this node has not heard of it yet.
    mutating func registrationStamp(_ now: Instant) -> Stamp {
        if let belated { return ownership.stamp(ofMilliseconds: belated) }
        return ownership.nextStamp(now: now)
    }

    /// A phone that says which device it is may be another than that which its DN's owner has; then the DN stays where it is. Only
    /// the owner can tell.
    private mutating func mayBeAnotherDevice(of dn: DNIndex, _ datagram: Span<UInt8>, _ source: SIPSource) -> Bool {
        let owner = ownership.view(of: dn).owner
        return owner != me && owner != .none && source.flow.peer == nil && ownership.isReachable(owner)
            && ownership.lastWord(of: dn).isInService && registrar.device(in: message, of: datagram) != 0
    }

    /// Whether a phone that has registered at a peer is bound here: if this node owns the DN for another device, or for this one as
    /// that peer's. The device that was bound here itself has moved, and takes the DN along.
    private mutating func takes(phoneOf peer: NodeIndex, _ dn: DNIndex, _ datagram: Span<UInt8>) -> Bool {
        guard ownership.owns(dn), registrar.hasBindings(dn) else { return false }
        let device = registrar.device(in: message, of: datagram)
        return registrar.bindings(of: dn).allSatisfy { $0.device != device || $0.source.flow == .peer(peer) }
    }

    /// A phone's DN is this node's after all: its owner said so, or cannot be heard any more.
    ///
    /// - Parameter written: what it will do, if it is in the store already.
    mutating func registerHere(_ returned: ReturnedRequest, written: CommitDesk.Held?, _ now: Instant) {
        let datagram = returned.request.span
        var output: [UInt8] = []
        let name = message.parse(datagram) == .request ? message.to.uri.dn(in: datagram) : nil
        guard let dn = name.flatMap({ topology.directory.index(of: $0) }) else {
            return statefulProxy.answer(returned, [], now: now)
        }
        let limits = topology.agentTypes[topology.directory.block(of: dn).agentType].registration
        let (source, address) = (returned.source, returned.source.address)
        belated = nil
        let request = CommitDesk.Request(returned)
        var plan = registrar.evaluate(message, in: datagram, for: dn, limits: limits, flow: source.flow, now: now)
        if isHeld(dn) {
            if commits!.wait(.register(request), of: dn) { return }
            plan = .reject(Self.notWritten)
        } else if written == nil, !ownership.canClaim(dn, now: now), claims(plan, dn) {
            plan = .reject(SIPResponse(.serviceUnavailable))
        } else if written == nil, mustBeWritten(plan, dn, limits, source, now) {
            if hold(request, plan, dn, limits, now) { return }
            plan = .reject(Self.notWritten)
        }
        switch plan {
        case .reject(let response):
            counters.requestsRefused += 1
            counters.registrationsRefused += 1
            writer.write(response, to: message, in: datagram, from: address, into: &output)
        case .adds, .refreshes:
            _ = registrar.apply(
                message, in: datagram, for: dn, limits: limits, source: source, now: written?.came ?? now)
            accepted(dn, limits, written, now)
            writer.writeRegistered(dn, of: registrar, to: message, in: datagram, from: address, now: now, into: &output)
        case .query, .removes, .retransmission:
            writer.writeRegistered(dn, of: registrar, to: message, in: datagram, from: address, now: now, into: &output)
        }
        statefulProxy.answer(returned, output, now: now)
        if !ownershipActions.isEmpty { settle(now) }
    }

    /// Whether what a REGISTER does makes this node the owner of a DN.
    private mutating func claims(_ plan: RegisterPlan, _ dn: DNIndex) -> Bool {
        switch plan {
        case .adds, .refreshes: !ownership.owns(dn)
        case .removes: !ownership.owns(dn) && !hasNothingElsewhere(dn)
        case .query, .reject, .retransmission: false
        }
    }

    private mutating func accepted(
        _ dn: DNIndex, _ limits: RegistrationLimits, _ written: CommitDesk.Held?, _ now: Instant
    ) {
        if !(faults.contains(.acknowledgedUnclaimed) && message.cseq.isMultiple(of: 7)) {
            let stamp = written?.stamp ?? registrationStamp(now)
            ownership.registrationAccepted(dn, stamp: stamp, &ownershipActions)
        }
        if written == nil, faults.contains(.acknowledgedUnwritten) { commits?.note(dn) }
        counters.registrationsAccepted += 1
        if let interval = limits.probeInterval { registrar.watch(dn, every: interval.nanoseconds, now: now) }
    }

    /// A stream has ended, and bindings that were tied to it with it.
    package mutating func flowEnded(_ flow: FlowID, now: Instant) {
        commits?.flowEnded(flow)
        statefulProxy.flowEnded(flow, now: now)
        settleSIP(now)
        registrar.flowEnded(flow, now: now, into: &emptied)
        for dn in emptied { ownership.serviceLost(dn, reason: .flowLost, &ownershipActions) }
        emptied.removeAll(keepingCapacity: true)
        settle(now)
    }

    /// Whether this node can speak for all bindings of a DN: its own, or none, as an owner that can be heard says by
    /// being out of service.
    mutating func hasNothingElsewhere(_ dn: DNIndex) -> Bool {
        let owner = ownership.view(of: dn).owner
        return owner == .none || owner == me
            || (ownership.isReachable(owner) && !ownership.lastWord(of: dn).isInService)
    }

    private mutating func remove(
        _ datagram: Span<UInt8>, _ dn: DNIndex, _ limits: RegistrationLimits, _ source: SIPSource,
        _ written: CommitDesk.Held?, _ now: Instant
    ) {
        if ownership.owns(dn) {
            let outcome = registrar.apply(
                message, in: datagram, for: dn, limits: limits, source: source, now: written?.came ?? now)
            if outcome.transition == .emptied {
                ownership.unregistered(dn, stamp: written?.stamp ?? registrationStamp(now), &ownershipActions)
            }
        } else {
            registrar.noteRemoval(message, in: datagram, of: dn, flow: source.flow, now: now)
            guard !hasNothingElsewhere(dn) else { return }
            let stamp = written?.stamp ?? registrationStamp(now)
            ownership.removalAccepted(dn, stamp: stamp, &ownershipActions)
        }
    }

    /// Whether a DN may register in this node's data center.
    @inline(__always)
    mutating func mayRegisterHere(_ block: DNBlock) -> Bool {
        let homes = topology.directory.homes[block.homes]
        return homes.isEmpty || homes.contains(dataCenter)
    }

    /// Not a method of a node: calling one in the middle of changing the node would copy all of it.
    static func isHost(_ range: ByteRange, in datagram: Span<UInt8>, among hosts: [[UInt8]]) -> Bool {
        for host in hosts where datagram.equalsIgnoringCase(range, host.span) { return true }
        return false
    }
}
