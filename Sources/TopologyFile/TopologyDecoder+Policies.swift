import ClusterModel

extension TopologyDecoder {
    /// Authentication, clients, agents, workspaces, timing, limits and rollout.
    package mutating func decodePolicies(_ top: Fields) {
        if let section = top["authentication"] { decodeAuthentication(section) }
        if let section = top["clients"] { decodeClients(section) }
        if let section = top["agents"] { decodeAgents(section) }
        if let section = top["workspace"] { decodeWorkspacePolicy(section) }
        if let section = top["timing"] { decodeTiming(section) }
        if let section = top["limits"] { decodeLimits(section) }
        if let section = top["rollout"] { decodeRollout(section) }
    }

    private mutating func decodeAuthentication(_ section: Field) {
        guard let fields = fields(of: section, .authentication) else { return }
        let realm = fields["realm"].flatMap { realmText($0) }
        let users = fields["users"].flatMap { text($0, "the path of a file such as `credentials.yaml`") }
        let algorithms = fields["algorithms"].flatMap { self.algorithms($0) }
        guard let realm, let users else { return }
        authentication = AuthenticationPolicy(
            realm: realm, users: users, algorithms: algorithms ?? AuthenticationPolicy.strongestFirst)
    }

    private mutating func decodeClients(_ section: Field) {
        guard let fields = fields(of: section, .clients), let field = fields["secrets"],
            let path = text(field, "the path of a file such as `credentials.yaml`")
        else { return }
        clientAuthentication = ClientAuthenticationPolicy(secrets: path)
    }

    private mutating func decodeAgents(_ section: Field) {
        guard let fields = fields(of: section, .agents) else { return }
        if let word = fields["secondLogin"].flatMap({ word($0, SecondLogin.allCases.map(\.rawValue)) }) {
            secondLogin = SecondLogin(rawValue: word) ?? .latest
        }
        if let word = fields["noAnswer"].flatMap({ word($0, NoAnswerAction.allCases.map(\.rawValue)) }) {
            noAnswer = NoAnswerAction(rawValue: word) ?? .notReady
        }
        if let profiles = fields["profiles"] { decodeProfiles(profiles) }
    }

    private mutating func algorithms(_ field: Field) -> [DigestAlgorithm]? {
        guard let items = items(field, "a list such as `[ sha-256, md5 ]`") else { return nil }
        var algorithms: [DigestAlgorithm] = []
        for item in items {
            guard let word = word(item, AuthenticationPolicy.strongestFirst.map(\.key)),
                let algorithm = DigestAlgorithm.allCases.first(where: { $0.key == word })
            else { continue }
            if algorithms.contains(algorithm) {
                report(.duplicateKey, "\(quoted(item.value)) stands here twice", at: span(item.value))
            } else {
                algorithms.append(algorithm)
            }
        }
        if items.isEmpty {
            report(
                .wrongValue, "`algorithms` is empty, and phones could not answer any challenge", at: span(field.value),
                hint: "leave it out for all of them, the strongest first")
        }
        return algorithms.isEmpty ? nil : algorithms
    }

    /// It is answered in quotes, and phones count its bytes into their hashes.
    private mutating func realmText(_ field: Field) -> String? {
        guard let text = text(field, "a text such as `cc.example.com`") else { return nil }
        let isGood =
            (1...128).contains(text.utf8.count)
            && text.utf8.allSatisfy { (32..<127).contains($0) && $0 != UInt8(ascii: "\"") && $0 != UInt8(ascii: "\\") }
        guard isGood else {
            report(
                .wrongValue, "`realm` has 1 to 128 ASCII characters, none of them a quote or backslash",
                at: span(field.value), hint: "the domain of the phones would do"
            )
            return nil
        }
        return text
    }

    private mutating func decodeLimits(_ section: Field) {
        guard let fields = fields(of: section, .limits) else { return }
        if let perSource = fields["perSource"], isLimit(perSource, .perSource) { decodeSourceLimits(perSource) }
        if let perClient = fields["perClient"], isLimit(perClient, .perClient),
            let limits = self.fields(of: perClient, .perClient), let requests = limits["requests"]
        {
            clientRequestLimit = number(requests, Topology.clientRequestBounds)
        }
    }

    /// Whether a kind of limits is given; `off` is as good as nothing.
    private mutating func isLimit(_ field: Field, _ shape: Shape) -> Bool {
        if tree.kind(of: field.value) == .mapping { return true }
        if tree.kind(of: field.value) == .scalar && tree.text(of: field.value) == "off" { return false }
        reportType(
            field, "`off` or a mapping with \(Self.listed(shape.keys))",
            hint: shape.example.map { "it looks like `\($0)`" })
        return false
    }

    private mutating func decodeSourceLimits(_ section: Field) {
        guard let fields = fields(of: section, .perSource) else { return }
        if tree.nodes[section.value].count == 0 {
            report(
                .wrongValue, "`perSource` is empty, and would limit nothing", at: span(section.value),
                hint: "write `perSource: off` if that is meant")
        }
        sourceLimits = SourceLimitPolicy(
            datagrams: fields["datagrams"].flatMap { number($0, SourceLimitPolicy.datagramBounds) },
            attempts: fields["attempts"].flatMap { number($0, SourceLimitPolicy.attemptBounds) },
            connections: fields["connections"].flatMap { number($0, SourceLimitPolicy.connectionBounds) })
    }

    private mutating func decodeTiming(_ section: Field) {
        guard let fields = fields(of: section, .timing) else { return }
        let day = Duration.seconds(86_400)
        if let value = fields["keepalive"].flatMap({ duration($0, .milliseconds(10) ... .seconds(60)) }) {
            timing.keepalive = value
        }
        if let value = fields["linkTimeout"].flatMap({ duration($0, .milliseconds(20) ... .seconds(300)) }) {
            timing.linkTimeout = value
        }
        if let value = fields["clockSkewLimit"].flatMap({ duration($0, .milliseconds(1)...day) }) {
            timing.clockSkewLimit = value
        }
        if let value = fields["desktopGrace"].flatMap({ duration($0, .zero...day) }) { timing.desktopGrace = value }
        if let value = fields["maxCall"].flatMap({ duration($0, .seconds(60)...(day * 7)) }) {
            timing.maximumCall = value
        }
        // RFC 4028 section 4: no less than 90 s.
        if let value = fields["sessionExpires"].flatMap({ duration($0, .seconds(90)...day) }) {
            timing.sessionExpires = value
        }
        if let value = fields["reservation"].flatMap({ duration($0, .milliseconds(100) ... .seconds(3600)) }) {
            timing.reservation = value
        }
        if let value = fields["reservationWindow"].flatMap({ duration($0, .zero ... .seconds(10)) }) {
            timing.reservationWindow = value
        }
        if let value = fields["afterCallWork"].flatMap({ duration($0, .zero ... .seconds(3600)) }) {
            timing.afterCallWork = value
        }
        if let value = fields["ageing"].flatMap({ duration($0, .zero ... .seconds(3600)) }) { timing.ageing = value }
        if let value = fields["handoverHold"].flatMap({ duration($0, .milliseconds(10) ... .seconds(60)) }) {
            timing.handoverHold = value
        }
        guard timing.linkTimeout <= timing.keepalive else { return }
        let given = [fields["keepalive"], fields["linkTimeout"]].compactMap { $0 }
        guard let place = given.last else { return }
        report(
            .contradiction,
            "`linkTimeout` is \(Self.words(timing.linkTimeout)), which is not longer than `keepalive`, "
                + "\(Self.words(timing.keepalive)): every quiet link would be lost before it is pinged",
            at: span(place.value),
            secondary: given.count == 2 ? span(given[0].value).labelled("`keepalive` is here") : nil,
            hint: "let `linkTimeout` be about four times `keepalive`"
        )
    }

    private mutating func decodeRollout(_ section: Field) {
        guard let fields = fields(of: section, .rollout) else { return }
        if let count = fields["maxUnavailable"].flatMap({ number($0, RolloutPolicy.unavailableBounds) }) {
            rollout.maxUnavailable = count
        }
        if let time = fields["minHealthy"].flatMap({ duration($0, RolloutPolicy.healthyBounds) }) {
            rollout.minHealthy = time
        }
        if let time = fields["deadline"].flatMap({ duration($0, RolloutPolicy.deadlineBounds) }) {
            rollout.deadline = time
        }
        let words = RolloutPolicy.OnFailure.allCases.map(\.rawValue)
        if let word = fields["onFailure"].flatMap({ word($0, words) }).flatMap(RolloutPolicy.OnFailure.init) {
            rollout.onFailure = word
        }
    }
}
