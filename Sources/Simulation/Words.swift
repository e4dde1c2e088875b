import AgentSessions
import CallControl
import ClusterModel
import DNOwnership
import NodeCore
import TLibraryPorts
import Trunks

/// Events in words, and as numbers for the trace's hash.
enum Words {
    static func isHeartbeat(_ message: PeerMessage) -> Bool {
        switch message {
        case .ping, .pong: true
        case .hello, .syncBegin, .records, .syncEnd, .claims, .snapshotRequest: false
        }
    }

    static func of(_ message: PeerMessage, _ topology: Topology) -> String {
        switch message {
        case .hello(let hello):
            let resume = hello.resume.map { "resuming \($0.lineage.rawValue)/\($0.revision)" } ?? "knowing nothing"
            return "hello of \(hello.node), life \(hello.incarnation.rawValue), \(resume)"
        case .syncBegin(let begin):
            return (begin.isSnapshot ? "snapshot begins" : "stream resumes") + " at revision \(begin.revision)"
        case .records(let batch):
            let owned = batch.owned.map { "\($0.dn) \($0.service.reason ?? "in service") since \($0.stamp)" }
            let yielded = batch.yielded.map { "\($0.dn) yielded to \(of($0.claim, topology))" }
            let what = batch.revisions.map { "revisions \($0.lowerBound) to \($0.upperBound)" } ?? "piece of a snapshot"
            return what + ": " + (owned + yielded).joined(separator: ", ")
        case .syncEnd(let position):
            return "end of the sync at revision \(position.revision): \(position.count) DNs"
        case .claims(let claims):
            return "claims: " + claims.map { "\($0.dn) is of \(of($0.claim, topology))" }.joined(separator: ", ")
        case .snapshotRequest: return "please send a snapshot"
        case .ping(let ping): return "ping" + (ping.position.map { " at revision \($0.revision)" } ?? "")
        case .pong: return "pong"
        }
    }

    static func of(_ message: ProxyMessage) -> String {
        switch message {
        case .request(let number, let dn, let request): "request \(number) for \(dn): \(of(request))"
        case .answer(let number, let answer): "answer to \(number): \(of(answer))"
        case .clientGone(let client): "client \(client) has gone"
        }
    }

    static func of(_ message: CallMessage) -> String {
        switch message {
        case .calls(let dn, let calls, let ended):
            let words = calls.map { "\($0.connection) \($0.word)" }.joined(separator: ", ")
            return "calls of \(dn): \(calls.isEmpty ? "none" : words)"
                + (ended.map { ", \($0.connection) \($0.end)" } ?? "")
        case .recounted: return "those are all calls"
        }
    }

    static func of(_ request: TRequest) -> String {
        switch request {
        case .registerAddress(let id, let dn, _, _, _): "request \(id), registers \(dn)"
        case .reserveAgent(let id, let dn, let reservation): "request \(id), reserves \(dn), \(reservation.duration)"
        case .queuePosition(let id, let connection, let word):
            "TPrivateService \(id): \(connection) is \(word.position) of \(word.waiting)"
        case .routeCall(let id, let connection, let token):
            "request \(id), call \(connection) to \(token.map { "\($0.dn)" } ?? "the default")"
        case .unregisterAddress, .queryAddress, .queryServer, .monitorAll, .setInputMask, .agent, .invalid:
            "request \(request.referenceID)"
        }
    }

    static func firstLine(of bytes: [UInt8]) -> String {
        String(decoding: bytes.prefix { $0 != 13 }, as: UTF8.self)
    }

    private static func of(_ request: OwnerRequest) -> String {
        switch request {
        case .query: "how is it?"
        case .agent(let request): "\(request)"
        case .reserve(let request, let client): "client \(client) reserves, \(request.duration)"
        case .resume(let desktop): "is desktop \(desktop.number) yours?"
        case .redeem(let token, let call): "call \(call) brings token \(token.number)"
        }
    }

    private static func of(_ answer: ProxyAnswer) -> String {
        switch answer {
        case .notOwner: "not the owner"
        case .addressInfo(let word, let detail):
            "\(word.service.reason ?? "in service") since \(word.stamp), \(detail.contacts) contacts,"
                + " \(detail.desktops) desktops"
        case .agent(let session): "\(session)"
        case .reserved(let reservation):
            "\(reservation.agent) reserved for \(reservation.milliseconds) ms, token \(reservation.token.number)"
        case .done: "done"
        case .refused(let error): "refused: \(error.message)"
        }
    }

    static func of(_ claim: Claim, _ topology: Topology) -> String {
        "\(claim.owner == .none ? "nobody" : topology.name(of: claim.owner)) since \(claim.stamp)"
    }

    static func of(_ event: TEvent, _ topology: Topology) -> String {
        func words(_ status: DNStatus) -> String {
            "\(status.dn) \(status.view.service.reason ?? "in service")"
                + (status.view.agent.map { ", \($0)" } ?? "")
        }
        switch event {
        case .serverInfo(_, let info):
            let heard = info.links.filter(\.isConnected).map { topology.name(of: $0.peer) }
            return "server: hears \(heard.isEmpty ? "nobody" : heard.joined(separator: ", "))"
        case .linkConnected(let peer): return "link to \(topology.name(of: peer)) connected"
        case .linkDisconnected(let peer): return "link to \(topology.name(of: peer)) disconnected"
        case .ownerHint(let dn, let owner): return "\(dn) is with \(topology.name(of: owner))"
        case .moveHint(let dn, let node): return "\(dn) should go to \(topology.name(of: node))"
        case .error(let id, let error): return "error \(id): \(error.message)"
        case .registered(_, let status, _): return "registered: \(words(status))"
        case .unregistered(_, let dn, let reason): return "unregistered: \(dn) \(reason?.reason ?? "as asked")"
        case .addressInfo(let id, let status, let detail):
            return "answer \(id): \(words(status))" + (detail == nil ? "" : ", says its owner")
        case .done(let id): return "answer \(id): done"
        case .agent(let event, let id, let sequence):
            let answer = id.map { "answer \($0): " } ?? ""
            return answer + "\(event.type.name) on \(event.dn): \(event.session), event \(sequence ?? 0)"
        case .agentReserved(let id, let reservation):
            return "answer \(id): \(of(.reserved(reservation)))"
        case .call(let event, let sequence):
            return "\(event.type.name) on \(event.dn): call \(event.call.connection), event \(sequence ?? 0)"
        case .point(let event, let sequence):
            return "call \(event.connection) at \(event.point): \(event.outcome.word), event \(sequence ?? 0)"
        case .routeRequest(let request):
            return "asked where call \(request.connection) to \(request.routingPoint) shall go"
        case .routeUsed(let id, let connection, _, let dn):
            return "\(id.map { "answer \($0): " } ?? "")call \(connection) goes to \(dn)"
        case .routeEnded(let connection, _): return "call \(connection) need not be routed"
        case .monitoring(_, let isResumed, let position, _):
            return (isResumed ? "goes on" : "begins") + " at event \(position.sequence)"
        case .serviceChanged(let status, let sequence): return "changed: \(words(status)), event \(sequence ?? 0)"
        case .status(let statuses, let sequence):
            return "state: " + statuses.map(words).joined(separator: ", ") + ", event \(sequence ?? 0)"
        case .endOfSnapshot(let position): return "end of the snapshot, event \(position.sequence)"
        case .ownerUnreachable(let owner, _): return "\(topology.name(of: owner)) cannot be reached"
        case .ownerReachable(let owner, _): return "\(topology.name(of: owner)) can be reached"
        }
    }

    /// What a node holds of a DN.
    static func of(_ record: DNInspection, _ topology: Topology) -> String {
        var words = record.service.reason ?? "in service"
        if record.owner != .none { words += " by \(topology.name(of: record.owner)) since \(record.stamp)" }
        if record.view != record.service { words += ", shows \(record.view.reason ?? "in service")" }
        if record.isProvisional { words += ", provisionally" }
        if record.hasBindings { words += ", has bindings" }
        if record.isHeld { words += ", held by a desktop" }
        return words
    }

    // MARK: For the hash

    static func digest(of message: PeerMessage) -> UInt64 {
        var fold = Fold()
        switch message {
        case .hello(let hello):
            fold.add(1)
            fold.add(hello.incarnation.rawValue)
            fold.add(hello.greatestStamp.rawValue)
            fold.add(hello.resume?.revision ?? .max)
        case .syncBegin(let begin):
            fold.add(begin.isSnapshot ? 2 : 3)
            fold.add(begin.revision)
        case .records(let batch):
            fold.add(4)
            fold.add(batch.revisions?.upperBound ?? .max)
            for record in batch.owned {
                fold.add(record.dn.low ^ record.dn.high)
                fold.add(record.stamp.rawValue ^ UInt64(record.service.rawValue))
                fold.add(record.session?.digest ?? UInt64(record.occupancy.rawValue))
                if let calls = record.calls { fold.add(calls.digest) }
            }
            for yielded in batch.yielded { fold.add(yielded.claim.stamp.rawValue ^ (yielded.session?.digest ?? 0)) }
        case .syncEnd(let position):
            fold.add(5)
            fold.add(position.digest)
        case .claims(let claims):
            fold.add(6)
            for heard in claims { fold.add(heard.claim.stamp.rawValue ^ (heard.session?.digest ?? 0)) }
        case .snapshotRequest: fold.add(7)
        case .ping(let ping):
            fold.add(8)
            fold.add(ping.position?.digest ?? 0)
        case .pong(let pong): fold.add(pong.sentAt)
        }
        return fold.value
    }

    static func digest(of message: ProxyMessage) -> UInt64 {
        var fold = Fold()
        switch message {
        case .request(let number, let dn, let request):
            fold.add(number)
            fold.add(dn.low ^ dn.high)
            switch request {
            case .query, .agent: break
            case .reserve(_, let client): fold.add(client)
            case .resume(let desktop): fold.add(desktop.number)
            case .redeem(let token, let call): fold.add(token.number ^ call)
            }
        case .clientGone(let client): fold.add(client)
        case .answer(let number, let answer):
            fold.add(~number)
            fold.add(digest(of: answer))
        }
        return fold.value
    }

    static func of(_ word: CapacityWord) -> String {
        let question = word.question == 0 ? "" : ", asks for \(word.wanted) (\(word.question))"
        return
            "\(word.name): given \(word.given), taken \(word.taken), spare \(word.spare)\(question), answers \(word.answer)"
    }

    static func digest(of word: CapacityWord) -> UInt64 {
        var fold = Fold()
        for number in [word.given, word.taken, UInt64(word.spare), UInt64(word.question), UInt64(word.answer)] {
            fold.add(number)
        }
        return fold.value
    }

    static func digest(of message: CallMessage) -> UInt64 {
        var fold = Fold()
        if case .calls(let dn, let calls, let ended) = message {
            fold.add(dn.low ^ dn.high)
            fold.add(DNCalls(calls, lastEnded: ended).digest)
        }
        return fold.value
    }

    private static func digest(of answer: ProxyAnswer) -> UInt64 {
        var fold = Fold()
        switch answer {
        case .addressInfo(let word, let detail):
            fold.add(word.stamp.rawValue ^ UInt64(word.service.rawValue))
            fold.add(UInt64(detail.contacts) << 32 | UInt64(detail.desktops))
        case .agent(let session): fold.add(session.digest)
        case .reserved(let reservation): fold.add(reservation.token.number)
        case .refused(let error): fold.add(UInt64(error.rawValue))
        case .notOwner, .done: break
        }
        return fold.value
    }

    static func digest(of event: TEvent) -> UInt64 {
        var fold = Fold()
        fold.add(UInt64(event.type.rawValue))
        switch event {
        case .status(let statuses, let sequence):
            fold.add(sequence ?? 0)
            for status in statuses { fold.add(status.view.stamp.rawValue ^ UInt64(status.view.service.rawValue)) }
        case .serviceChanged(let status, let sequence):
            fold.add(sequence ?? 0)
            fold.add(status.view.stamp.rawValue ^ UInt64(status.view.service.rawValue))
        case .ownerUnreachable(let owner, let sequence), .ownerReachable(let owner, let sequence):
            fold.add(owner)
            fold.add(sequence)
        case .agent(let event, let id, let sequence):
            fold.add(event.session.digest)
            fold.add(UInt64(id ?? 0) << 32 | (sequence ?? 0))
        case .agentReserved(let id, let reservation): fold.add(reservation.token.number ^ UInt64(id))
        case .monitoring(_, _, let position, _), .endOfSnapshot(let position): fold.add(position.sequence)
        case .addressInfo(let id, let status, let detail):
            fold.add(UInt64(id))
            fold.add(status.view.stamp.rawValue ^ UInt64(status.view.service.rawValue))
            fold.add(UInt64(detail?.contacts ?? .max))
        case .linkConnected(let peer), .linkDisconnected(let peer), .ownerHint(_, let peer), .moveHint(_, let peer):
            fold.add(peer)
        case .call(let event, let sequence):
            fold.add(event.call.connection.rawValue)
            fold.add(sequence ?? 0)
        case .point(let event, let sequence):
            fold.add(event.connection.rawValue ^ UInt64(event.outcome.rawValue))
            fold.add(event.waited)
            fold.add(sequence ?? 0)
        case .routeRequest(let request): fold.add(request.connection.rawValue)
        case .routeUsed(let id, let connection, _, let dn):
            fold.add(connection.rawValue ^ UInt64(id ?? 0))
            fold.add(dn.high ^ dn.low)
        case .routeEnded(let connection, _): fold.add(connection.rawValue)
        case .serverInfo(_, let info): for link in info.links where link.isConnected { fold.add(link.peer) }
        case .error, .registered, .unregistered, .done: break
        }
        return fold.value
    }

    // MARK: Stimuli

    package static func of(_ stimulus: Stimulus, _ topology: Topology) -> String {
        func at(_ node: NodeIndex) -> String { topology.name(of: node) }
        func ms(_ time: UInt64) -> String { "\(time / .millisecond) ms" }
        switch stimulus {
        case .register(let phone, let node, let seconds):
            return "phone \(1000 + phone) registers at \(at(node)) for \(seconds) s"
        case .registerTwice(let phone, let first, let second, let seconds, let apart):
            return "phone \(1000 + phone) registers at \(at(first)) and, \(apart / .microsecond) µs later, at"
                + " \(at(second)) for \(seconds) s"
        case .unregister(let phone, let node):
            return "phone \(1000 + phone) unregisters \(node.map { "at " + at($0) } ?? "where it is registered")"
        case .vanish(let phone): return "phone \(1000 + phone) vanishes"
        case .query(let phone, let node): return "phone \(1000 + phone) asks \(at(node)) for its bindings"
        case .retransmit(let phone): return "phone \(1000 + phone) sends its last request again"
        case .desktopRegisters(let dn, let node, let desktop, let takeover):
            return "desktop \(desktop) of \(at(node)) \(takeover ? "takes over" : "registers") \(7000 + dn)"
        case .desktopUnregisters(let dn, let node, let desktop):
            return "desktop \(desktop) of \(at(node)) unregisters \(7000 + dn)"
        case .desktopAsks(let dn, let node, let desktop):
            return "desktop \(desktop) of \(at(node)) asks for \(topology.directory.dn(at: DNIndex(dn)))"
        case .desktopReturns(let dn, let node, let desktop):
            return "desktop \(desktop) of \(at(node)) comes back for \(7000 + dn)"
        case .agentLogsIn(let agent, let dn, let node, let desktop, let mode):
            let dn = topology.directory.dn(at: DNIndex(dn))
            return "agent\(agent) logs in on \(dn) through desktop \(desktop) of \(at(node)), \(mode.word)"
        case .agentChanges(let dn, let node, let desktop, let state):
            let dn = topology.directory.dn(at: DNIndex(dn))
            return "the agent of \(dn) is to be \(state), through desktop \(desktop) of \(at(node))"
        case .reserve(let node, let dn, let agent, let priority, let milliseconds):
            let who = [dn.map { "\(topology.directory.dn(at: DNIndex($0)))" }, agent.map { "agent\($0)" }]
            let words = who.compactMap { $0 }.joined(separator: " and ")
            return "the reserver of \(at(node)) wants \(words) for \(milliseconds) ms, priority \(priority)"
        case .redeem(let reserver, let token, let node):
            return "a call comes to \(at(node)) with a token of \(at(reserver))'s, \(token) before the latest"
        case .call(let number, let point, let node, let manner):
            let parts = [
                manner.patience.map { "waits for \(ms($0))" }, manner.talk.map { "talks for \(ms($0))" },
                manner.life.map { "is gone after \(ms($0))" },
            ].compactMap { $0 }
            return "caller \(number) calls \(CallPlan.points[point]) at \(at(node))"
                + parts.map { ", " + $0 }.joined()
        case .routerCrash(let router, let time): return "the router of dc\(router + 1) dies for \(ms(time))"
        case .routerStalls(let router, let time): return "the router of dc\(router + 1) does not run for \(ms(time))"
        case .statCrash(let router, let time): return "the Stat Server of dc\(router + 1) dies for \(ms(time))"
        case .feedLoss(let router, let time): return "the Stat Server of dc\(router + 1) has no feed for \(ms(time))"
        case .routerLeaves(let node, let time): return "the router leaves \(at(node)) for \(ms(time))"
        case .clientLeaves(let node, let client, let time):
            return "client \(client) of \(at(node)) leaves for \(ms(time))"
        case .clientStalls(let node, let client, let time):
            return "client \(client) of \(at(node)) reads nothing for \(ms(time))"
        case .cut(let first, let second, let bothWays, let time):
            return "\(at(first)) \(bothWays ? "and" : "is not heard by") \(at(second))"
                + (bothWays ? " lose each other" : "") + " for \(ms(time))"
        case .split(let group, let time):
            let inside = topology.nodes.indices.filter { group & 1 << UInt16($0) != 0 }.map { at(NodeIndex($0)) }
            return "\(inside.joined(separator: ", ")) lose all others for \(ms(time))"
        case .flap(let first, let second, let times, let period):
            return "\(at(first)) and \(at(second)) lose each other \(times) times, for \(ms(period)) each"
        case .delay(let first, let second, let factor, let time):
            return "what \(at(first)) and \(at(second)) say takes \(factor) times as long for \(ms(time))"
        case .reset(let first, let second): return "the connection of \(at(first)) and \(at(second)) breaks"
        case .halfClose(let first, let second, let time):
            return "\(at(first)) loses its connection to \(at(second)), which learns of it \(ms(time)) later"
        case .duplicateDial(let first, let second): return "\(at(first)) dials \(at(second)) a second time"
        case .abandonedDial(let first, let second, let time):
            return "\(at(first)) dials \(at(second)) and says nothing for \(ms(time))"
        case .stranger(let node, let kind): return "a stranger (\(kind.rawValue)) connects to \(at(node))"
        case .drain(let node, let time): return "\(at(node)) is drained for \(ms(time))"
        case .handover(let node, let mishap):
            let what = mishap.map { "; at step \($0.step) \($0.kind)" } ?? ""
            return "\(at(node)) hands over to another process\(what)"
        case .crash(let node, let time): return "\(at(node)) is killed, and started \(ms(time)) later"
        case .topology(let number): return "topology \(number + 1) is declared"
        case .controllerCrash(let time): return "the controller dies, down for \(ms(time))"
        case .stop(let node, let time): return "\(at(node)) is stopped for \(ms(time))"
        case .slow(let node, let lag, let time):
            return "\(at(node)) needs \(ms(lag)) for each event, for \(ms(time))"
        case .clockJump(let node, let milliseconds): return "\(at(node))'s clock is now \(milliseconds) ms wrong"
        case .wrongClock(let node, let milliseconds, let time):
            return "\(at(node))'s clock is \(milliseconds) ms wrong for \(ms(time))"
        }
    }
}
