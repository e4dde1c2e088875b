import ClusterModel

extension TopologyDecoder {
    /// Agent types, sorted by name. One with faults stands in the list all the same, so that what refers to it is not
    /// reported as well.
    package mutating func decodeAgentTypes(_ top: Fields) {
        guard let section = top["agentTypes"] else { return }
        let declared = declarations(of: section, "agent types").sorted { $0.name < $1.name }
        for field in declared {
            agentTypePositions[field.name] = agentTypes.count
            agentTypes.append(agentType(field))
        }
        if declared.isEmpty, tree.kind(of: section.value) == .mapping {
            report(
                .missingKey, "`agentTypes` declares no agent type", at: span(section.key),
                hint: "add one, such as `sip-phone: { phone: sip }`"
            )
        }
    }

    private mutating func agentType(_ field: Field) -> AgentType {
        var type = AgentType(name: field.name, phone: .sip)
        guard !tree.isNull(field.value), let fields = fields(of: field, .agentType) else { return type }
        let phone = fields["phone"].flatMap { word($0, AgentType.Phone.allCases.map(\.rawValue)) }
        type.phone = phone.flatMap { AgentType.Phone(rawValue: $0) } ?? .sip
        if let trunk = fields["trunk"], let name = text(trunk, "the name of a trunk") {
            type.trunk = name
            if phone == "sip" { reportWrongPhone(trunk, "is reached where it registers, so it has no `trunk`", field) }
            if !trunkNames.contains(name) { reportDangling(trunk, "trunk", trunkNames, section: "trunks") }
        }
        // Who declares no trunk has others dial.
        if phone == "pstn", !trunkNames.isEmpty, fields["trunk"] == nil, !fields.empty.contains("trunk") {
            reportNoTrunk(field)
        }
        if let registration = fields["registration"] {
            if phone == "pstn" { reportWrongPhone(registration, "does not register with SIP", field) }
            type.registration = self.registration(registration)
        }
        return type
    }

    private mutating func reportNoTrunk(_ type: Field) {
        faults.append(
            Diagnostic(
                code: .noTrunk, severity: .warning,
                message:
                    "phones of agent type `\(type.name)` cannot be called: they are dialled, and it names no trunk",
                at: span(type.key),
                hint: "add `trunk: \(trunkNames.min() ?? "")`"))
    }

    private mutating func reportWrongPhone(_ key: Field, _ why: String, _ type: Field) {
        report(
            .wrongPhone, "agent type `\(type.name)` has phone `\(why.hasPrefix("is") ? "sip" : "pstn")`, which \(why)",
            at: span(key.key), hint: "remove `\(key.name)`, or change `phone`"
        )
    }

    private mutating func registration(_ field: Field) -> RegistrationLimits {
        var limits = RegistrationLimits()
        guard let fields = fields(of: field, .registration) else { return limits }
        if let contacts = fields["contacts"].flatMap({ number($0, 1...64) }) { limits.contacts = contacts }
        if let probe = fields["probe"], !isOff(probe) {
            limits.probeInterval = duration(probe, .seconds(5) ... .seconds(3600))
        }
        guard let expires = fields["expires"], let bounds = self.fields(of: expires, .expires) else {
            return limits
        }
        if let seconds = bounds["min"].flatMap({ wholeSeconds($0) }) { limits.minimumExpires = seconds }
        if let seconds = bounds["default"].flatMap({ wholeSeconds($0) }) { limits.defaultExpires = seconds }
        if let seconds = bounds["max"].flatMap({ wholeSeconds($0) }) { limits.maximumExpires = seconds }
        checkOrder(
            ("min", bounds["min"], limits.minimumExpires), ("default", bounds["default"], limits.defaultExpires)
        )
        checkOrder(
            ("default", bounds["default"], limits.defaultExpires), ("max", bounds["max"], limits.maximumExpires)
        )
        return limits
    }

    func isOff(_ field: Field) -> Bool {
        tree.kind(of: field.value) == .scalar && tree.text(of: field.value) == "off"
    }

    private mutating func checkOrder(
        _ lower: (name: String, field: Field?, seconds: UInt32), _ upper: (name: String, field: Field?, seconds: UInt32)
    ) {
        guard lower.seconds > upper.seconds else { return }
        let words = { (seconds: UInt32) in Self.words(.seconds(Int64(seconds))) }
        let given = [lower.field, upper.field].compactMap { $0 }
        // Where one of the two was left out, its value is the product's own and must be told.
        let note = given.count == 2 ? "" : " (which it is unless said)"
        let lowerNote = lower.field == nil ? note : ""
        let upperNote = upper.field == nil ? note : ""
        guard let place = given.last else { return }
        report(
            .contradiction,
            "`\(lower.name)` is \(words(lower.seconds))\(lowerNote), which is more than `\(upper.name)`, "
                + "\(words(upper.seconds))\(upperNote)",
            at: span(place.value),
            secondary: given.count == 2 ? span(given[0].value).labelled("`\(lower.name)` is here") : nil,
            hint: "expiry times must grow from `min` over `default` to `max`"
        )
    }

    /// SIP counts expiry in whole seconds.
    private mutating func wholeSeconds(_ field: Field) -> UInt32? {
        guard let duration = duration(field, .seconds(1) ... .seconds(7 * 86_400)) else { return nil }
        guard duration.components.attoseconds == 0 else {
            report(
                .wrongValue, "`\(field.name)` must be whole seconds, and is \(quoted(field.value))",
                at: span(field.value),
                hint: "SIP counts the expiry of registrations in seconds"
            )
            return nil
        }
        return UInt32(duration.components.seconds)
    }

    /// A name that refers to nothing.
    package mutating func reportDangling(
        _ field: Field, _ what: String, _ known: some Collection<String>, section: String
    ) {
        let names = faults.isFull ? [] : known.sorted()
        let nearest = Suggestion.nearest(to: tree.text(of: field.value), among: names)
        let all = names.isEmpty ? "none is declared" : "declared are \(Self.listed(names))"
        report(
            .danglingReference, "no \(what) is named \(quoted(field.value))", at: span(field.value),
            hint: nearest.map { "did you mean `\($0)`? If not, declare it under `\(section)`" }
                ?? (names.count > 8
                    ? "declare it under `\(section)`, or mend the name" : "declare it under `\(section)`; \(all)")
        )
    }
}
