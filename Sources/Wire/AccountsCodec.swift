import CProtobufC
import CTandemProto
import ClusterModel
import Orchestration

/// What workspaces know agents by, as the controller tells it.
enum AccountsCodec {
    static func pack(
        _ piece: AgentAccountPiece, _ arena: PackingArena
    ) -> UnsafeMutablePointer<Tandem__Control__AgentAccounts> {
        let accounts = piece.accounts
        return arena.make(tandem__control__agent_accounts__init) {
            $0.first = piece.isFirst ? 1 : 0
            $0.last = piece.isLast ? 1 : 0
            $0.n_agents = accounts.count
            $0.agents = arena.strings(accounts.map(\.agent.text))
            $0.n_hashes = accounts.count
            $0.hashes = arena.strings(accounts.map(\.hash))
            $0.n_dn_counts = accounts.count
            $0.dn_counts = arena.array(accounts.map { UInt32($0.dns.count) })
            let dns = accounts.flatMap(\.dns)
            $0.dns = arena.bytes(MeshCodec.packed(dns, count: dns.count))
            $0.supervisors = arena.bytes(accounts.map { $0.isSupervisor ? 1 : 0 })
        }
    }

    static func piece(_ message: borrowing Tandem__Control__AgentAccounts) throws(WireError) -> AgentAccountPiece {
        let type = FrameType.agentAccounts
        let count = message.n_agents
        guard count <= AgentAccountPiece.maximumCount else { throw .tooMany(type: type) }
        let counts = values(message.n_dn_counts, message.dn_counts)
        guard message.n_hashes == count, counts.count == count, message.supervisors.len == count else {
            throw .badValue(type: type, field: "length of a column")
        }
        guard counts.allSatisfy({ $0 <= AgentAccount.maximumDNs }) else { throw .tooMany(type: type) }
        let total = counts.reduce(0) { $0 + Int($1) }
        guard message.dns.len == total * MeshCodec.dnSize else {
            throw .badValue(type: type, field: "length of a column")
        }
        let hashes = texts(message.n_hashes, message.hashes)
        let supervisors = bytes(message.supervisors)
        var piece = AgentAccountPiece(isFirst: message.first != 0, isLast: message.last != 0, accounts: [])
        var next = 0
        for (position, name) in texts(message.n_agents, message.agents).enumerated() {
            guard let agent = AgentID(name) else { throw .badValue(type: type, field: "agent") }
            guard PasswordHash(hashes[position]) != nil else { throw .badValue(type: type, field: "hash") }
            var dns: [DN] = []
            for place in next..<next + Int(counts[position]) {
                guard let dn = MeshCodec.dn(place, in: message.dns) else { throw .badValue(type: type, field: "DN") }
                dns.append(dn)
            }
            next += dns.count
            piece.accounts.append(
                AgentAccount(
                    agent: agent, hash: hashes[position], dns: dns, isSupervisor: supervisors[position] != 0))
        }
        return piece
    }

    static func pack(
        _ keys: [[UInt8]], _ arena: PackingArena
    ) -> UnsafeMutablePointer<Tandem__Control__SessionKeys> {
        arena.make(tandem__control__session_keys__init) {
            $0.n_keys = keys.count
            $0.keys = arena.array(keys.map { arena.bytes($0) })
        }
    }

    static func keys(_ message: borrowing Tandem__Control__SessionKeys) throws(WireError) -> [[UInt8]] {
        let type = FrameType.sessionKeys
        guard message.n_keys <= SessionKey.maximumCount else { throw .tooMany(type: type) }
        let keys = values(message.n_keys, message.keys).map { Array(bytes($0)) }
        guard !keys.isEmpty, keys.allSatisfy({ SessionKey.lengths.contains($0.count) }) else {
            throw .badValue(type: type, field: "key")
        }
        return keys
    }
}
