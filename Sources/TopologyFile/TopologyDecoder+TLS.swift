package import ClusterModel

// Certificates: of the cluster, of nodes, and of those whose word counts.
extension TopologyDecoder {
    /// After everything that listens.
    package mutating func decodeTLS(_ top: Fields, domain: String?) {
        let section = top["tls"]
        // Where the section is faulty as a whole, what refers to it is not at fault.
        let fields: Fields? = section.map { self.fields(of: $0, .tls) } ?? Fields()
        guard let fields else { return }
        if section != nil || !nodeIdentities.isEmpty { decodePolicy(section, fields) }
        reportUncertified(hasIdentity: fields["certificate"] != nil || fields["key"] != nil, section, fields)
        if let domain { reportLongNames(domain) }
    }

    private mutating func decodePolicy(_ section: Field?, _ fields: Fields) {
        var policy = TLSPolicy(
            identity: section.flatMap { commonIdentity($0, fields) },
            authorities: fields["ca"].flatMap { path($0, "ca.pem") })
        policy.nodeIdentities = nodeIdentities
        if let demand = demand("phones", fields) { policy.phones = demand }
        if let demand = demand("clients", fields) { policy.clients = demand }
        tls = policy
    }

    private mutating func commonIdentity(_ section: Field, _ fields: Fields) -> TLSPolicy.Identity? {
        let pair = [("certificate", "key", "key.pem"), ("key", "certificate", "certificate.pem")]
        for (there, missing, example) in pair
        where fields[there] != nil && fields[missing] == nil && !fields.empty.contains(missing) {
            report(
                .missingKey, "`tls` has no `\(missing)`", at: span(section.key), hint: "add `\(missing): \(example)`")
        }
        return readIdentity(fields)
    }

    /// The `tls` of a node or workspace.
    package mutating func identity(_ section: Field) -> TLSPolicy.Identity? {
        fields(of: section, .identity).flatMap { readIdentity($0) }
    }

    private mutating func readIdentity(_ fields: Fields) -> TLSPolicy.Identity? {
        let certificate = fields["certificate"].flatMap { path($0, "certificate.pem") }
        let key = fields["key"].flatMap { path($0, "key.pem") }
        guard let certificate, let key else { return nil }
        return TLSPolicy.Identity(certificate: certificate, key: key)
    }

    private mutating func demand(_ name: String, _ fields: Fields) -> TLSPolicy.Demand? {
        guard let field = fields[name] else { return nil }
        if fields["ca"] == nil, !fields.empty.contains("ca") {
            report(
                .missingKey, "`\(name)` asks for certificates, and `tls` has no `ca` to judge them by",
                at: span(field.key), hint: "add `ca: ca.pem`")
        }
        return word(field, TLSPolicy.Demand.allCases.map(\.rawValue)).flatMap { TLSPolicy.Demand(rawValue: $0) }
    }

    /// The path of a file.
    mutating func path(_ field: Field, _ example: String) -> String? {
        guard let text = text(field, "the path of a file such as `\(example)`") else { return nil }
        guard !text.isEmpty, !text.utf8.contains(0) else {
            report(
                .wrongValue, "`\(field.name)` is no path of a file", at: span(field.value), hint: "write `\(example)`")
            return nil
        }
        return text
    }

    // MARK: What listens over TLS

    private mutating func reportUncertified(hasIdentity: Bool, _ section: Field?, _ fields: Fields) {
        let mesh = secureListeners.first { $0.isMesh && $0.isSecure }
        // The first of each kind: what mends it mends the others.
        let missing = secureListeners.first { listener in
            !hasIdentity && !listener.hasIdentity && (listener.isSecure || mesh != nil)
        }
        if let listener = missing {
            let what = listener.isSecure ? "listens" : "connects to other nodes"
            report(
                .danglingReference,
                "`\(listener.node)` \(what) over TLS, and the topology has no `tls` with its certificate",
                at: span(listener.place), secondary: section.map { span($0.key).labelled("no `certificate` here") },
                hint: section == nil
                    ? "add `tls: \(Shape.tls.example ?? "")`"
                    : "add `certificate` and `key` here, or `tls: \(Shape.identity.example ?? "")` to the node")
        }
        guard missing == nil || section != nil, fields["ca"] == nil, !fields.empty.contains("ca"),
            let listener = mesh
        else { return }
        report(
            .danglingReference,
            "the mesh of `\(listener.node)` is one of mutual TLS, and no `ca` under `tls` says whose certificates count",
            at: span(listener.place), secondary: section.map { span($0.key).labelled("no `ca` here") },
            hint: "add `ca: ca.pem` to `tls`: the certificates of those that have signed the nodes' own")
    }

    /// Certificates could not name such a node.
    private mutating func reportLongNames(_ domain: String) {
        let isNeeded = secureListeners.contains(where: \.isSecure)
        let first = secureListeners.first { listener in
            isNeeded && Node.certificateName(of: listener.node, domain: domain).utf8.count > Node.maximumCertificateName
        }
        guard let first else { return }
        report(
            .badName,
            "the name of `\(first.node)` in a certificate would be longer than \(Node.maximumCertificateName) characters",
            at: span(first.place), hint: "it is made of the names of node and data center and the domain: shorten one")
    }
}
