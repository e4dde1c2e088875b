import ClusterModel

/// Where the parts of a workspace stand that are judged when the whole file is known.
package struct WorkspacePlace {
    /// Its address, under `http` or `https`.
    package var listen: Int
    /// It says what browsers call it, with or without faults.
    package var hasURL: Bool
    /// It says who stands before it, with or without faults.
    package var hasProxies: Bool
}

// Where agents sit down with a browser.
extension TopologyDecoder {
    mutating func decodeWorkspace(_ field: Field) {
        guard let fields = fields(of: field, .workspace) else { return }
        checkHost(fields)
        if workspaces.count == WorkspaceDeclaration.maximumCount {
            report(
                .tooMany, "there are more than \(WorkspaceDeclaration.maximumCount) workspaces", at: span(field.key))
        }
        let place = workspaceListener(field, fields)
        if let tls = fields["tls"] {
            nodeIdentities[field.name] = identity(tls)
            if let http = fields["http"], fields["https"] == nil {
                report(
                    .contradiction, "`\(field.name)` has `tls`, and speaks none at `http`", at: span(tls.key),
                    secondary: span(http.key).labelled("`http` is here"), hint: "write `https` instead of `http`")
            }
        }
        let isSecure = fields["https"] != nil
        let url = fields["url"].flatMap { self.url($0, of: field, isSecure: isSecure) }
        let proxies = fields["proxies"].map { self.proxies($0, of: field) } ?? []
        guard let place, let address = networkAddress(place) else { return }
        listen(.tcp, address, at: place.value, "`\(place.name)` of `\(field.name)`")
        if isSecure {
            secureListeners.append(
                SecureListener(place: place.value, node: field.name, hasIdentity: fields["tls"] != nil))
        }
        workspacePlaces[field.name] = WorkspacePlace(
            listen: place.value, hasURL: fields["url"] != nil || fields.empty.contains("url"),
            hasProxies: fields["proxies"].map { tree.nodes[$0.value].count > 0 } ?? fields.empty.contains("proxies"))
        workspaces.append(
            WorkspaceDeclaration(
                name: field.name, dataCenter: dataCenters.count - 1, listen: address, isSecure: isSecure,
                url: url ?? WebOrigin(address, isSecure: isSecure).description, proxies: proxies))
    }

    /// - Returns: that one of the two which counts.
    private mutating func workspaceListener(_ field: Field, _ fields: Fields) -> Field? {
        if let http = fields["http"], let https = fields["https"] {
            report(
                .contradiction, "`\(field.name)` has both `http` and `https`", at: span(http.key),
                secondary: span(https.key).labelled("`https` is here"), hint: "remove one of the two")
            return https
        }
        let isEmpty = fields.empty.contains("http") || fields.empty.contains("https")
        if fields["http"] == nil, fields["https"] == nil, !isEmpty {
            report(
                .missingKey, "`\(field.name)` has neither `http` nor `https`, where browsers connect",
                at: span(field.key), hint: "add `http: \"127.0.0.1:8081\"`")
        }
        return fields["https"] ?? fields["http"]
    }

    private mutating func url(_ field: Field, of workspace: Field, isSecure: Bool) -> String? {
        guard let text = text(field, "an address such as `https://desk1.example.com`") else { return nil }
        guard let origin = WebOrigin(text) else {
            let path = text.hasSuffix("/") ? WebOrigin(String(text.dropLast())) : nil
            report(
                .wrongValue, "\(quoted(field.value)) is not where browsers find a workspace", at: span(field.value),
                hint: path.map { "write `\($0)`, without a path" }
                    ?? "write `http://` or `https://`, a host and perhaps a port, such as `https://desk1.example.com`")
            return nil
        }
        if isSecure, !origin.isSecure {
            report(
                .contradiction, "`\(workspace.name)` speaks TLS, and its `url` does not", at: span(field.value),
                hint: "write `https://\(origin.description.dropFirst("http://".count))`")
        }
        return origin.description
    }

    private mutating func proxies(_ field: Field, of workspace: Field) -> [NetworkAddress] {
        guard let items = items(field, "a list such as `[ \"192.0.2.10\" ]`") else { return [] }
        if items.count > WorkspaceDeclaration.maximumProxies {
            report(
                .tooMany, "`\(workspace.name)` has more than \(WorkspaceDeclaration.maximumProxies) proxies",
                at: span(field.key))
        }
        return items.prefix(WorkspaceDeclaration.maximumProxies).compactMap { item in
            guard let text = text(item, "an IP address such as `192.0.2.10`") else { return nil }
            if let address = NetworkAddress("\(text):1") ?? NetworkAddress("[\(text)]:1") {
                return address.with(port: 0)
            }
            report(
                .badAddress, "\(quoted(item.value)) is not an IP address without a port", at: span(item.value),
                hint: "a proxy is known by where its connections come from, such as `192.0.2.10` or `2001:db8::10`")
            return nil
        }
    }

    // MARK: What holds for all

    mutating func decodeWorkspacePolicy(_ section: Field) {
        guard let fields = fields(of: section, .workspacePolicy) else {
            mentionsAgents = true
            return
        }
        mentionsAgents = fields["agents"] != nil || fields.empty.contains("agents")
        workspacePolicy.agents = fields["agents"].flatMap { path($0, "credentials.yaml") }
        if let reasons = fields["reasons"].flatMap({ reasons($0) }) { workspacePolicy.reasons = reasons }
        if let time = fields["idle"].flatMap({ duration($0, WorkspacePolicy.idleBounds) }) {
            workspacePolicy.idle = time
        }
        if let time = fields["session"].flatMap({ duration($0, WorkspacePolicy.sessionBounds) }) {
            workspacePolicy.session = time
        }
    }

    private mutating func reasons(_ field: Field) -> [String]? {
        guard let items = items(field, "a list such as `[ break, lunch ]`") else { return nil }
        guard (1...WorkspacePolicy.maximumReasons).contains(items.count) else {
            report(
                .wrongValue, "`reasons` has 1 to \(WorkspacePolicy.maximumReasons) texts, and this one \(items.count)",
                at: span(field.value), hint: items.isEmpty ? "leave it out for the usual ones" : nil)
            return nil
        }
        var reasons: [String] = []
        for item in items {
            guard let text = text(item, "a text such as `break`") else { continue }
            let isGood = WorkspacePolicy.reasonLengths.contains(text.utf8.count)
            if !isGood || text.unicodeScalars.contains(where: { $0.properties.generalCategory == .control }) {
                report(
                    .wrongValue,
                    "a reason has 1 to 48 bytes and no control character, and \(quoted(item.value)) has not",
                    at: span(item.value))
            } else if reasons.contains(text) {
                report(.duplicateKey, "\(quoted(item.value)) stands here twice", at: span(item.value))
            } else {
                reasons.append(text)
            }
        }
        return reasons
    }

    // MARK: What is judged at the end

    /// After everything else: passwords must not go over a network for all to read.
    mutating func reportWorkspaces() {
        var toldOfAgents = mentionsAgents
        for workspace in workspaces {
            guard let place = workspacePlaces[workspace.name], !workspace.listen.isLoopback else { continue }
            if !workspace.isSecure, !place.hasProxies {
                report(
                    .workspaceNotProtected,
                    "agents' passwords would go to `\(workspace.name)` for all to read: `http` is not loopback",
                    at: span(place.listen),
                    hint: "write `https`, or name under `proxies` who speaks TLS before it")
            }
            if workspace.listen.isWildcard, !place.hasURL {
                report(
                    .noURL, "browsers cannot go to \(workspace.listen.host), and `\(workspace.name)` has no `url`",
                    at: span(place.listen), hint: "add `url: \"https://desk1.example.com\"`")
            }
            // Once: what mends it mends the others.
            if !toldOfAgents {
                toldOfAgents = true
                report(
                    .noAgents, "nobody could sign in at `\(workspace.name)`: no file has the agents' passwords",
                    at: span(place.listen), hint: "add `workspace: { agents: credentials.yaml }`")
            }
        }
    }
}
