package import Orchestration

/// What `tandem route` shows people.
package enum RouteScreen {
    /// - Parameter now: milliseconds since 1970.
    package static func rendered(_ answers: RouteAnswers, now: UInt64, _ style: Style) -> String {
        answers.answers.map { answer in
            let isNamedAlike = ["", answer.dataCenter].contains(answer.location)
            let place = isNamedAlike ? answer.dataCenter : "\(answer.dataCenter) (\(answer.location))"
            let head = style.bold("A call to \(answers.routingPoint) at \(Wording.printable(place))")
            return "\(head) \(sentence(answer))\n" + table(answer, now: now, style)
        }.joined(separator: "\n")
    }

    private static func sentence(_ answer: RouteAnswer) -> String {
        guard !answer.router.isEmpty else { return "is not told of, as no router of it answers." }
        let source = "as \(answer.router) has it"
        if let chosen = answer.chosen { return "would go to \(words(chosen)), \(source)." }
        guard let later = answer.afterOverflow else { return "would wait for an agent, \(source)." }
        return "would wait for an agent of its location, and after the overflow time go to \(words(later)), \(source)."
    }

    private static func words(_ candidate: RouteCandidate) -> String {
        "\(Wording.printable(candidate.agent)) on \(candidate.dn)"
    }

    private static func table(_ answer: RouteAnswer, now: UInt64, _ style: Style) -> String {
        let rows = (answer.chosen.map { [$0] } ?? []) + answer.others
        guard !rows.isEmpty else {
            return answer.router.isEmpty ? "" : "No agent is known to it.\n"
        }
        var table = Table([
            .init("AGENT"), .init("DN"), .init("STATE"), .init("FOR", .right), .init("LOCATION"), .init("WHY NOT"),
        ])
        for row in rows {
            let age = row.since == 0 ? "" : Wording.duration(milliseconds: now - min(now, row.since))
            table.add([
                .init(Wording.printable(row.agent)), .init(row.dn),
                .init(row.state, row.whyNot.isEmpty ? .good : .plain),
                .init(age), .init(Wording.printable(row.location)),
                .init(row.lacks.isEmpty ? row.whyNot : "lacks \(Wording.printable(row.lacks))"),
            ])
        }
        return table.rendered(style)
    }
}

/// What `tandem route --json` prints.
package struct RoutesJSON: Encodable, Equatable, Sendable {
    package struct Candidate: Encodable, Equatable, Sendable {
        var agent: String
        var dn: String
        var state: String
        @OrNull var since: String?
        @OrNull var location: String?
        @OrNull var whyNot: String?
        @OrNull var lacks: String?

        init(_ candidate: RouteCandidate) {
            func known(_ text: String) -> String? { text.isEmpty ? nil : text }
            agent = candidate.agent
            dn = candidate.dn
            state = candidate.state
            since = candidate.since == 0 ? nil : Wording.isoTime(milliseconds: candidate.since)
            location = known(candidate.location)
            whyNot = known(candidate.whyNot)
            lacks = known(candidate.lacks)
        }
    }

    package struct Answer: Encodable, Equatable, Sendable {
        var dataCenter: String
        @OrNull var location: String?
        @OrNull var router: String?
        @OrNull var chosen: Candidate?
        @OrNull var afterOverflow: Candidate?
        var others: [Candidate]

        init(_ answer: RouteAnswer) {
            dataCenter = answer.dataCenter
            location = answer.location.isEmpty ? nil : answer.location
            router = answer.router.isEmpty ? nil : answer.router
            chosen = answer.chosen.map { Candidate($0) }
            afterOverflow = answer.afterOverflow.map { Candidate($0) }
            others = answer.others.map { Candidate($0) }
        }
    }

    var routingPoint: String
    var answers: [Answer]

    package init(_ answers: RouteAnswers) {
        routingPoint = answers.routingPoint
        self.answers = answers.answers.map { Answer($0) }
    }
}
