import ClusterModel

// `expect`: when DNs should be in service.
extension TopologyDecoder {
    /// - Returns: a position in `DNDeclarations.expectations`; 0, for nothing, of one with faults.
    mutating func expectationPosition(_ field: Field) -> Int {
        guard let expectation = expectation(field) else { return 0 }
        if let position = dns.expectationPositions[expectation] { return position }
        dns.expectationPositions[expectation] = dns.expectations.count
        dns.expectations.append(expectation)
        return dns.expectations.count - 1
    }

    private mutating func expectation(_ field: Field) -> ServiceExpectation? {
        if tree.kind(of: field.value) == .scalar {
            return word(field, ["in-service"]).map { _ in ServiceExpectation() }
        }
        if tree.kind(of: field.value) == .sequence {
            reportType(field, "`in-service`, or a mapping that says when", hint: "write `expect: in-service`")
            return nil
        }
        guard let fields = fields(of: field, .expect) else { return nil }
        var expectation = ServiceExpectation()
        if let service = fields["service"] { _ = word(service, ["in-service"]) }
        expectation.hours = fields["hours"].flatMap { hours($0) }
        if let days = fields["days"] { expectation.days = self.days(days) }
        if let zone = fields["timezone"], let offset = offset(zone) { expectation.offset = offset }
        return expectation
    }

    // MARK: Hours

    private mutating func hours(_ field: Field) -> ServiceExpectation.Hours? {
        guard let text = text(field, "two times such as `08:00-18:00`") else { return nil }
        let ends = text.utf8.split(separator: UInt8(ascii: "-"), omittingEmptySubsequences: false).map(Array.init)
        guard ends.count == 2, let start = Self.minutes(ends[0], most: 24 * 60 - 1),
            let end = Self.minutes(ends[1], most: 24 * 60)
        else {
            report(
                .badHours, "\(quoted(field.value)) are no hours: two times of a day with a hyphen, such as 08:00-18:00",
                at: span(field.value), hint: Self.hoursHint(ends))
            return nil
        }
        guard start != end else {
            report(
                .badHours, "\(quoted(field.value)) ends when it begins", at: span(field.value),
                hint: "leave `hours` out for the whole day")
            return nil
        }
        return ServiceExpectation.Hours(start: start, end: end)
    }

    /// `8:00-18:00` and `8-18` are meant as everybody understands them, and one spelling is enough.
    private static func hoursHint(_ ends: [[UInt8]]) -> String {
        let repaired = ends.map { end -> String? in
            let digits = end.filter { $0 != UInt8(ascii: " ") }
            let parts = digits.split(separator: UInt8(ascii: ":"), omittingEmptySubsequences: false)
            guard (1...2).contains(parts.count), let hour = number(parts[0], most: 24),
                let minute = parts.count == 1 ? 0 : number(parts[1], most: 59), hour < 24 || minute == 0
            else { return nil }
            return "\(hour < 10 ? "0" : "")\(hour):\(minute < 10 ? "0" : "")\(minute)"
        }
        guard repaired.count == 2, let start = repaired[0], let end = repaired[1], start != end, start != "24:00" else {
            return "hours look like `08:00-18:00`, `22:00-06:00`, `00:00-24:00`"
        }
        return "write `\(start)-\(end)`"
    }

    private static func number(_ digits: some Collection<UInt8>, most: Int) -> Int? {
        guard (1...2).contains(digits.count), digits.allSatisfy(\.isASCIIDigit),
            let value = Int(String(decoding: digits, as: UTF8.self)), value <= most
        else { return nil }
        return value
    }

    /// Of `hh:mm`.
    private static func minutes(_ bytes: some Collection<UInt8>, most: Int) -> Int? {
        let parts = Array(bytes).split(separator: UInt8(ascii: ":"), omittingEmptySubsequences: false)
        guard parts.count == 2, parts.allSatisfy({ $0.count == 2 }), let hour = number(parts[0], most: 24),
            let minute = number(parts[1], most: 59), hour * 60 + minute <= most
        else { return nil }
        return hour * 60 + minute
    }

    // MARK: Days

    private mutating func days(_ field: Field) -> ServiceExpectation.Days {
        let isList = tree.kind(of: field.value) == .sequence
        guard let items = isList ? items(field, "days") : [field] else { return .all }
        if items.isEmpty {
            report(
                .badHours, "`days` names no day, so nothing would ever be expected", at: span(field.key),
                hint: "remove `expect`, or `days` for every day")
            return .all
        }
        return items.reduce(into: ServiceExpectation.Days()) { days, item in days.formUnion(self.days(in: item)) }
    }

    private mutating func days(in field: Field) -> ServiceExpectation.Days {
        guard let text = text(field, "days such as `mon-fri`, or a list of these") else { return .all }
        let names = ServiceExpectation.Days.names
        let ends = text.split(separator: "-", omittingEmptySubsequences: false).map(String.init)
        let positions = ends.compactMap { names.firstIndex(of: $0) }
        guard (1...2).contains(ends.count), positions.count == ends.count else {
            let nearest = ends.count <= 2 ? ends.map { Self.day(meantBy: $0) } : []
            let written = nearest.compactMap { $0 }.joined(separator: "-")
            report(
                .badHours,
                "\(quoted(field.value)) is no day of a week: \(Self.listed(names, "or")), or two with a hyphen",
                at: span(field.value),
                hint: nearest.isEmpty || nearest.contains(nil)
                    ? "days look like `mon-fri`, `sat`, `[ mon, wed-fri ]`" : "write `\(written)`")
            return .all
        }
        var days = ServiceExpectation.Days()
        var position = positions[0]
        days.insert(.day(position))
        while position != positions[positions.count - 1] {
            position = (position + 1) % 7
            days.insert(.day(position))
        }
        return days
    }

    private static func day(meantBy text: String) -> String? {
        let small = text.lowercased().filter { $0 != " " }
        return ServiceExpectation.Days.names.first { small.hasPrefix($0) }
    }

    // MARK: Time zones

    private mutating func offset(_ field: Field) -> Int? {
        guard let text = text(field, "an offset from UTC such as `+01:00`") else { return nil }
        if text == "utc" { return 0 }
        let sign = text.utf8.first
        if sign == UInt8(ascii: "+") || sign == UInt8(ascii: "-"),
            let minutes = Self.minutes(text.utf8.dropFirst(), most: ServiceExpectation.offsetBounds.upperBound)
        {
            return sign == UInt8(ascii: "-") ? -minutes : minutes
        }
        report(
            .badHours, "\(quoted(field.value)) is no offset from UTC: `utc`, or -14:00 to +14:00",
            at: span(field.value), hint: "names of time zones are not looked up: write an offset such as `+01:00`")
        return nil
    }
}
