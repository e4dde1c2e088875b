import ClusterModel

// Agents who may sign in at workspaces, and what their sessions are signed with: sections of a credentials file.
extension TopologyDecoder {
    /// - Parameter isWanted: the topology names the file for them, so they must be there.
    mutating func decodeAccounts(
        _ fields: Fields, for topology: Topology, isWanted: Bool
    ) -> (accounts: [AgentAccount], keys: [[UInt8]]) {
        func missing(_ key: String) -> Bool { isWanted && fields[key] == nil && !fields.empty.contains(key) }
        if missing("agents") {
            report(
                .missingKey, "`agents` is missing, and the topology's `workspace` names this file", at: span(0),
                hint: "write `agents: { ann: { password: \"$scrypt$...\" } }`; `tandem password` makes a hash")
        }
        if missing("sessionKeys") {
            report(
                .missingKey, "`sessionKeys` is missing, and workspaces sign sessions with them", at: span(0),
                hint: "write `sessionKeys: [ \"...\" ]`; `openssl rand -hex 32` makes a good one")
        }
        return (
            fields["agents"].map { accounts($0, topology) } ?? [], fields["sessionKeys"].map { sessionKeys($0) } ?? []
        )
    }

    private mutating func accounts(_ section: Field, _ topology: Topology) -> [AgentAccount] {
        let declared = declarations(of: section, "accounts", atMost: AgentAccount.maximumCount) {
            $0.checkAgent($1)
        }
        var accounts: [AgentAccount] = []
        accounts.reserveCapacity(declared.count)
        for field in declared where !tree.isNull(field.value) {
            // What stands there instead may be a password, so it is not quoted.
            guard tree.kind(of: field.value) == .mapping else {
                report(
                    .wrongType, "\(quoted(field.key)) must be a mapping with the hash of a password",
                    at: span(field.value), hint: "it looks like `\(Shape.account.example ?? "")`")
                continue
            }
            let mapping = Field(name: "an agent", key: field.key, value: field.value)
            guard let fields = fields(of: mapping, .account) else { continue }
            let hash = fields["password"].flatMap { hashText($0) }
            let dns = fields["dns"].map { self.dns($0, topology) } ?? []
            let isSupervisor = fields["supervisor"].flatMap { word($0, ["true", "false"]) } == "true"
            guard let agent = AgentID(field.name), let hash else { continue }
            accounts.append(AgentAccount(agent: agent, hash: hash, dns: dns, isSupervisor: isSupervisor))
        }
        return accounts
    }

    /// What stands there may be a password, so it is not quoted.
    private mutating func hashText(_ field: Field) -> String? {
        let text = tree.kind(of: field.value) == .scalar ? tree.text(of: field.value) : ""
        guard PasswordHash(text) != nil else {
            report(
                .wrongValue, "an agent's password is a hash of scrypt, and this is none that can be used here",
                at: span(field.value), hint: "`tandem password` makes one from a password; passwords never stand here")
            return nil
        }
        return text
    }

    private mutating func dns(_ field: Field, _ topology: Topology) -> [DN] {
        guard let items = items(field, "a list such as `[ 7001, 1001 ]`") else { return [] }
        guard (1...AgentAccount.maximumDNs).contains(items.count) else {
            report(
                .wrongValue, "`dns` has 1 to \(AgentAccount.maximumDNs) DNs, and this one \(items.count)",
                at: span(field.value), hint: items.isEmpty ? "leave it out for every free DN" : nil)
            return []
        }
        var dns: [DN] = []
        for item in items {
            guard let text = text(item, "a DN such as `7001`") else { continue }
            guard let dn = DN(text), topology.directory.index(of: dn) != nil else {
                report(
                    .danglingReference, "no DN of the topology is \(quoted(item.value))", at: span(item.value),
                    hint: "an agent sits down at a DN that the topology declares")
                continue
            }
            if dns.contains(dn) {
                report(.duplicateKey, "\(quoted(item.value)) stands here twice", at: span(item.value))
            } else {
                dns.append(dn)
            }
        }
        return dns
    }

    private mutating func sessionKeys(_ field: Field) -> [[UInt8]] {
        guard tree.kind(of: field.value) == .sequence, let items = items(field, "a list") else {
            report(
                .wrongType, "`sessionKeys` must be a list of keys", at: span(field.value), hint: "put it into brackets")
            return []
        }
        guard (1...SessionKey.maximumCount).contains(items.count) else {
            report(
                .wrongValue, "`sessionKeys` has 1 to \(SessionKey.maximumCount) keys, and this one \(items.count)",
                at: span(field.value), hint: "`openssl rand -hex 32` makes a good one")
            return []
        }
        return items.compactMap { item in
            let text = tree.kind(of: item.value) == .scalar ? tree.text(of: item.value) : ""
            guard let key = Self.bytes(inHexadecimal: text), SessionKey.lengths.contains(key.count) else {
                report(
                    .wrongValue, "a session key has 64 to 128 hexadecimal digits, and this one has not",
                    at: span(item.value), hint: "`openssl rand -hex 32` makes a good one")
                return nil
            }
            return key
        }
    }

    /// - Returns: nil for anything but an even number of hexadecimal digits.
    static func bytes(inHexadecimal text: String) -> [UInt8]? {
        let digits = Array(text.utf8)
        let nibbles = digits.compactMap { Character(UnicodeScalar($0)).hexDigitValue.map { UInt8($0) } }
        guard nibbles.count == digits.count, nibbles.count.isMultiple(of: 2) else { return nil }
        return stride(from: 0, to: nibbles.count, by: 2).map { nibbles[$0] << 4 | nibbles[$0 + 1] }
    }
}
