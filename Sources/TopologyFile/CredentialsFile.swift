package import ClusterModel

/// The door to files with phones' passwords.
///
/// ```yaml
/// version: 1
/// users:
///   1001: a-password
///   1002: { sha-256: 64 hexadecimal digits }
/// ```
package enum CredentialsFile {
    /// The most users that one file may have.
    package static let maximumUsers = 1_000_000

    /// Where the file of a topology is.
    ///
    /// - Parameter topologyPath: of the topology file; a path in it that is not absolute counts from there.
    package static func path(of policy: AuthenticationPolicy, beside topologyPath: String) -> String {
        TopologyFile.path(policy.users, beside: topologyPath)
    }

    /// Checks a file and, unless it has an error, takes the credentials from it.
    package static func load(_ source: TopologySource, for topology: Topology) -> CredentialsResult {
        var faults = FaultList()
        let tree: YAMLTree
        do throws(YAMLFault) {
            tree = try YAMLReader.read(source.text)
        } catch {
            faults.append(error.diagnostic)
            return CredentialsResult(credentials: nil, diagnostics: faults.sorted)
        }
        var decoder = TopologyDecoder(tree: tree)
        let credentials = decoder.decodeCredentials(for: topology)
        let isValid = !decoder.faults.hasErrors
        return CredentialsResult(credentials: isValid ? credentials : nil, diagnostics: decoder.faults.sorted)
    }
}

extension Diagnostic {
    /// For people, and without the line of the file, which may have a password in it.
    package func renderedWithoutSource(file: String) -> String {
        "\(file):\(line):\(column): \(severity.rawValue)[\(code)]: \(message)\n"
            + (hint.map { "   = help: \($0)\n" } ?? "")
    }
}

/// What loading a file with passwords gave.
package struct CredentialsResult: Equatable, Sendable {
    /// In the order of the file; nil if any diagnostic is an error.
    package var credentials: [Credential]?
    /// By position in the file.
    package var diagnostics: [Diagnostic]
}

extension TopologyDecoder {
    fileprivate mutating func decodeCredentials(for topology: Topology) -> [Credential] {
        guard let fields = fields(of: Field(name: "", key: 0, value: 0), .credentials) else { return [] }
        if let field = fields["version"], let text = text(field, "a number such as `1`"), text != "1" {
            report(
                .wrongValue, "version \(quoted(field.value)) of credentials files is not known; this is version 1",
                at: span(field.value), hint: "write `version: 1`")
        }
        guard let users = fields["users"] else { return [] }
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
        let digits = tree.kind(of: field.value) == .scalar ? Array(tree.text(of: field.value).utf8) : []
        let nibbles = digits.compactMap { Character(UnicodeScalar($0)).hexDigitValue.map { UInt8($0) } }
        guard digits.count == 2 * count, nibbles.count == digits.count else {
            report(
                .wrongValue,
                "`\(field.name)` must be \(2 * count) hexadecimal digits, and has \(digits.count) characters",
                at: span(field.value), hint: "it is the hash of `user:realm:password`, without spaces")
            return []
        }
        return stride(from: 0, to: nibbles.count, by: 2).map { nibbles[$0] << 4 | nibbles[$0 + 1] }
    }
}
