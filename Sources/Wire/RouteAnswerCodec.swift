import CTandemProto
import Orchestration

/// Whom routers would choose, in frames.
enum RouteAnswerCodec {
    static func pack(
        _ request: UInt64, _ question: RouteQuestion, _ arena: PackingArena
    ) -> UnsafeMutablePointer<Tandem__Control__RouteQuestion> {
        arena.make(tandem__control__route_question__init) {
            $0.request = request
            $0.routing_point = arena.string(question.routingPoint)
            $0.limit = question.limit
            $0.from = arena.string(question.from)
        }
    }

    static func question(
        _ message: borrowing Tandem__Control__RouteQuestion, type: UInt16
    ) throws(WireError) -> RouteQuestion {
        guard message.limit <= RouteQuestion.maximumLimit else { throw .tooMany(type: type) }
        var question = RouteQuestion()
        question.routingPoint = text(message.routing_point)
        question.limit = message.limit
        question.from = text(message.from)
        return question
    }

    static func pack(
        _ answer: RouteAnswer, _ arena: PackingArena
    ) -> UnsafeMutablePointer<Tandem__Control__RouteAnswer> {
        arena.make(tandem__control__route_answer__init) {
            $0.request = answer.request
            $0.router = arena.string(answer.router)
            $0.data_center = arena.string(answer.dataCenter)
            $0.location = arena.string(answer.location)
            $0.chosen = answer.chosen.map { pack($0, arena) }
            $0.after_overflow = answer.afterOverflow.map { pack($0, arena) }
            $0.n_others = answer.others.count
            $0.others = arena.array(answer.others.map { Optional(pack($0, arena)) })
        }
    }

    private static func pack(
        _ candidate: RouteCandidate, _ arena: PackingArena
    ) -> UnsafeMutablePointer<Tandem__Control__RouteCandidate> {
        arena.make(tandem__control__route_candidate__init) {
            $0.agent = arena.string(candidate.agent)
            $0.dn = arena.string(candidate.dn)
            $0.state = arena.string(candidate.state)
            $0.since = candidate.since
            $0.location = arena.string(candidate.location)
            $0.why_not = arena.string(candidate.whyNot)
            $0.lacks = arena.string(candidate.lacks)
        }
    }

    static func pack(
        _ answers: RouteAnswers, _ arena: PackingArena
    ) -> UnsafeMutablePointer<Tandem__Control__RouteAnswers> {
        arena.make(tandem__control__route_answers__init) {
            $0.routing_point = arena.string(answers.routingPoint)
            $0.n_answers = answers.answers.count
            $0.answers = arena.array(answers.answers.map { Optional(pack($0, arena)) })
        }
    }

    static func answer(
        _ message: borrowing Tandem__Control__RouteAnswer, type: UInt16
    ) throws(WireError) -> RouteAnswer {
        guard message.n_others <= RouteQuestion.maximumLimit else { throw .tooMany(type: type) }
        var answer = RouteAnswer()
        answer.request = message.request
        answer.router = text(message.router)
        answer.dataCenter = text(message.data_center)
        answer.location = text(message.location)
        answer.chosen = message.chosen.map { candidate($0.pointee) }
        answer.afterOverflow = message.after_overflow.map { candidate($0.pointee) }
        answer.others = messages(message.n_others, message.others).map { candidate($0.pointee) }
        return answer
    }

    private static func candidate(_ message: Tandem__Control__RouteCandidate) -> RouteCandidate {
        var candidate = RouteCandidate()
        candidate.agent = text(message.agent)
        candidate.dn = text(message.dn)
        candidate.state = text(message.state)
        candidate.since = message.since
        candidate.location = text(message.location)
        candidate.whyNot = text(message.why_not)
        candidate.lacks = text(message.lacks)
        return candidate
    }

    static func answers(
        _ message: borrowing Tandem__Control__RouteAnswers, type: UInt16
    ) throws(WireError) -> RouteAnswers {
        guard message.n_answers <= RouteAnswers.maximumCount else { throw .tooMany(type: type) }
        var answers = RouteAnswers()
        answers.routingPoint = text(message.routing_point)
        for packed in messages(message.n_answers, message.answers) {
            answers.answers.append(try answer(packed.pointee, type: type))
        }
        return answers
    }
}
