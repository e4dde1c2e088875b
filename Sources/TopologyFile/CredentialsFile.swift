package import ClusterModel

/// The door to files with passwords of phones and agents, and secrets of clients and workspaces.
///
/// ```yaml
/// version: 1
/// users:
///   1001: a-password
///   1002: { sha-256: 64 hexadecimal digits }
/// clients:
///   stat1: at-least-16-bytes
/// agents:
///   ann: { password: "$scrypt$ln=15,r=8,p=3$SALT$HASH", dns: [ 7001 ] }
/// sessionKeys: [ 64 hexadecimal digits ]
/// ```
package enum CredentialsFile {
    /// The most users that one file may have.
    package static let maximumUsers = 1_000_000

    /// What a topology wants of a file.
    package struct Sections: OptionSet, Sendable {
        package let rawValue: UInt8

        package init(rawValue: UInt8) { self.rawValue = rawValue }

        package static let users = Sections(rawValue: 1)
        package static let clients = Sections(rawValue: 2)
        /// Accounts, and the keys of their sessions.
        package static let agents = Sections(rawValue: 4)
    }

    /// A file that a topology names.
    package struct Place: Equatable, Sendable {
        package var path: String
        package var sections: Sections
    }

    /// The files of a topology, by their places in it; fewer than there are sections where one file has several.
    ///
    /// - Parameter topologyPath: of the topology file; a path in it that is not absolute counts from there.
    package static func places(of topology: Topology, beside topologyPath: String) -> [Place] {
        let wanted: [(String?, Sections)] = [
            (topology.authentication?.users, .users), (topology.clientAuthentication?.secrets, .clients),
            (topology.workspaces.isEmpty ? nil : topology.workspacePolicy.agents, .agents),
        ]
        var places: [Place] = []
        for (name, section) in wanted {
            guard let path = name.map({ TopologyFile.path($0, beside: topologyPath) }) else { continue }
            if let position = places.firstIndex(where: { $0.path == path }) {
                places[position].sections.insert(section)
            } else {
                places.append(Place(path: path, sections: section))
            }
        }
        return places
    }

    /// Checks a file and, unless it has an error, takes the credentials from it.
    ///
    /// - Parameter sections: what it must have; the others are checked where they are there.
    package static func load(
        _ source: TopologySource, for topology: Topology, _ sections: Sections
    ) -> CredentialsResult {
        var faults = FaultList()
        let tree: YAMLTree
        do throws(YAMLFault) {
            tree = try YAMLReader.read(source.text)
        } catch {
            faults.append(error.diagnostic)
            return CredentialsResult(contents: nil, diagnostics: faults.sorted)
        }
        var decoder = TopologyDecoder(tree: tree)
        let contents = decoder.decodeCredentials(for: topology, sections)
        return CredentialsResult(
            contents: decoder.faults.hasErrors ? nil : contents, diagnostics: decoder.faults.sorted)
    }
}

extension Diagnostic {
    /// For people, and without the line of the file, which may have a password in it.
    package func renderedWithoutSource(file: String) -> String {
        "\(file):\(line):\(column): \(severity.rawValue)[\(code)]: \(message)\n"
            + (hint.map { "   = help: \($0)\n" } ?? "")
    }
}

/// What loading a file with passwords and secrets gave.
package struct CredentialsResult: Equatable, Sendable {
    /// In the order of the file.
    package struct Contents: Equatable, Sendable {
        package var users: [Credential] = []
        package var clients: [ClientSecret] = []
        package var agents: [AgentAccount] = []
        /// What sessions are signed with, the first of them; all count.
        package var sessionKeys: [[UInt8]] = []
    }

    /// Nil if any diagnostic is an error.
    package var contents: Contents?
    /// By position in the file.
    package var diagnostics: [Diagnostic]
}

extension TopologyDecoder {
    fileprivate mutating func decodeCredentials(
        for topology: Topology, _ sections: CredentialsFile.Sections
    ) -> CredentialsResult.Contents {
        var contents = CredentialsResult.Contents()
        guard let fields = fields(of: Field(name: "", key: 0, value: 0), .credentials) else { return contents }
        if let field = fields["version"], let text = text(field, "a number such as `1`"), text != "1" {
            report(
                .wrongValue, "version \(quoted(field.value)) of credentials files is not known; this is version 1",
                at: span(field.value), hint: "write `version: 1`")
        }
        if let users = fields["users"] {
            contents.users = decodeUsers(users, topology)
        } else if sections.contains(.users) {
            report(
                .missingKey, "`users` is missing, and the topology's `authentication` names this file", at: span(0),
                hint: "write `users: { 1001: a-password }`")
        }
        if let clients = fields["clients"] {
            contents.clients = decodeClientSecrets(clients)
            if sections.contains(.clients) { reportMissingSecrets(clients, contents.clients, topology) }
        } else if sections.contains(.clients) {
            report(
                .missingKey, "`clients` is missing, and the topology's `clients: { secrets }` names this file",
                at: span(0), hint: "write `clients: { stat1: at-least-16-bytes }`")
        }
        (contents.agents, contents.sessionKeys) = decodeAccounts(
            fields, for: topology, isWanted: sections.contains(.agents))
        return contents
    }

    private mutating func decodeClientSecrets(_ section: Field) -> [ClientSecret] {
        let declared = declarations(of: section, "secrets", atMost: ClientSecret.maximumCount) { decoder, field in
            decoder.checkClientName(field)
        }
        return declared.compactMap { field in
            guard ClientSecret.isName(field.name), let secret = clientSecret(field) else { return nil }
            return ClientSecret(name: field.name, secret: secret)
        }
    }

    /// The cluster's own Stat Servers, routers and workspaces are clients of the nodes, too.
    private mutating func reportMissingSecrets(_ section: Field, _ given: [ClientSecret], _ topology: Topology) {
        guard tree.kind(of: section.value) == .mapping else { return }
        // One with a fault is reported as that.
        let declared = Set(tree.children(of: section.value).map { tree.text(of: tree.resolved($0)) })
        let names =
            topology.statServers.map(\.name) + topology.routers.map(\.name) + topology.workspaces.map(\.name)
        for name in names where !declared.contains(name) {
            report(
                .missingKey, "`clients` has no secret for `\(name)`, and the nodes would refuse it",
                at: span(section.key),
                hint: "add `\(name): ` with a secret of its own; `openssl rand -hex 32` makes a good one")
        }
    }

    private mutating func checkClientName(_ field: Field) -> Bool {
        if ClientSecret.isName(field.name) { return true }
        report(
            .badName,
            "a client's name has 1 to 64 letters, digits, `.`, `_`, `-` and `/`, and \(quoted(field.key)) has not",
            at: span(field.key), hint: "it is how the client calls itself in its hello")
        return false
    }

    private mutating func clientSecret(_ field: Field) -> [UInt8]? {
        if tree.isNull(field.value) { return nil }
        var value = field.value
        if tree.kind(of: value) != .scalar {
            let mapping = Field(name: "a client", key: field.key, value: field.value)
            guard let given = fields(of: mapping, .client)?["secret"] else { return nil }
            value = given.value
        }
        guard tree.kind(of: value) == .scalar else {
            report(.wrongType, "a secret is a text", at: span(value), hint: "put it into quotes")
            return nil
        }
        let secret = Array(tree.text(of: value).utf8)
        guard ClientSecret.lengths.contains(secret.count) else {
            report(
                .wrongValue, "a client's secret has 16 to 256 bytes, and this one \(secret.count)", at: span(value),
                hint: "`openssl rand -hex 32` makes a good one")
            return nil
        }
        return secret
    }

    private mutating func decodeUsers(_ users: Field, _ topology: Topology) -> [Credential] {
        let declared = declarations(of: users, "passwords", atMost: CredentialsFile.maximumUsers) { decoder, field in
            decoder.checkUser(field, topology)
        }
        var credentials: [Credential] = []
        credentials.reserveCapacity(declared.count)
        for field in declared {
            guard let dn = DN(field.name), let secret = secret(field) else { continue }
            credentials.append(Credential(dn: dn, secret: secret))
        }
        return credentials
    }

    private mutating func checkUser(_ field: Field, _ topology: Topology) -> Bool {
        if let dn = DN(field.name), topology.directory.index(of: dn) != nil { return true }
        report(
            .danglingReference, "no DN of the topology is \(quoted(field.key))", at: span(field.key),
            hint: "a phone's user name is its DN; remove the user, or declare the DN"
        )
        return false
    }

    /// What a mistake quotes never has the secret in it.
    private mutating func secret(_ field: Field) -> Credential.Secret? {
        if tree.isNull(field.value) { return nil }
        if tree.kind(of: field.value) == .scalar {
            return password(tree.text(of: field.value), at: field.value).map { .password($0) }
        }
        guard let fields = fields(of: Field(name: "a user", key: field.key, value: field.value), .user) else {
            return nil
        }
        let hashes = [("md5", 16), ("sha-256", 32), ("sha-512-256", 32)].map { name, count in
            fields[name].map { hash($0, count) } ?? []
        }
        if let given = fields["password"] {
            guard fields.entries.count == 1 else {
                report(
                    .contradiction, "a user has a password or hashes, not both", at: span(given.key),
                    hint: "remove the password: the hashes are enough")
                return nil
            }
            guard tree.kind(of: given.value) == .scalar else {
                report(.wrongType, "a password is a text", at: span(given.value), hint: "put it into quotes")
                return nil
            }
            return password(tree.text(of: given.value), at: given.value).map { .password($0) }
        }
        guard hashes.contains(where: { !$0.isEmpty }) else {
            if fields.entries.isEmpty {
                report(
                    .missingKey, "\(quoted(field.key)) has neither a password nor a hash", at: span(field.key),
                    hint: "write `\(field.name): a-password`")
            }
            return nil
        }
        return .hashes(md5: hashes[0], sha256: hashes[1], sha512_256: hashes[2])
    }

    private mutating func password(_ text: String, at node: Int) -> String? {
        guard (1...256).contains(text.utf8.count) else {
            report(.wrongValue, "a password has 1 to 256 bytes, and this one \(text.utf8.count)", at: span(node))
            return nil
        }
        return text
    }

    private mutating func hash(_ field: Field, _ count: Int) -> [UInt8] {
        let digits = tree.kind(of: field.value) == .scalar ? tree.text(of: field.value) : ""
        guard let hash = Self.bytes(inHexadecimal: digits), hash.count == count else {
            report(
                .wrongValue,
                "`\(field.name)` must be \(2 * count) hexadecimal digits, and has \(digits.utf8.count) characters",
                at: span(field.value), hint: "it is the hash of `user:realm:password`, without spaces")
            return []
        }
        return hash
    }
}
