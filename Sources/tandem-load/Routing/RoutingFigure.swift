import ClusterModel

/// A figure of calls that find their agents.
enum RoutingFigure: Hashable {
    /// What the calls go through.
    enum Subject: String, CaseIterable {
        case few, many, dispatcher

        var name: String {
            switch self {
            case .few: "1,000 agents"
            case .many: "100,000 agents"
            case .dispatcher: "Kamailio's dispatcher"
            }
        }
    }

    enum Quantity: String, CaseIterable {
        case rate, cpu, generatorCPU, arrivalMedian, arrivalTail, answerMedian, answerTail, failed
    }

    case calls(Quantity, Subject)
    /// From an agent's becoming ready to the call, while callers wait.
    case dispatchMedian, dispatchTail
    /// Who gets a call, with 100,000 free agents: found, and found and asked for.
    case choice(RoutingStrategy)
    case request(RoutingStrategy)
}

extension RoutingFigure: MeasuredFigure {
    static var allCases: [RoutingFigure] {
        Quantity.allCases.flatMap { quantity in Subject.allCases.map { .calls(quantity, $0) } }
            + [.dispatchMedian, .dispatchTail] + RoutingStrategy.allCases.flatMap { [.choice($0), .request($0)] }
    }

    var key: String {
        switch self {
        case .calls(let quantity, let subject): "routing-\(quantity.rawValue)-\(subject.rawValue)"
        case .dispatchMedian: "routing-dispatchMedian"
        case .dispatchTail: "routing-dispatchTail"
        case .choice(let strategy): "routing-choice-\(strategy.rawValue)"
        case .request(let strategy): "routing-request-\(strategy.rawValue)"
        }
    }

    var name: String {
        switch self {
        case .calls(let quantity, let subject): "\(quantity.name): \(subject.name)"
        case .dispatchMedian: "agent ready to INVITE at the phone, p50: 10,000 callers waiting"
        case .dispatchTail: "agent ready to INVITE at the phone, p99: 10,000 callers waiting"
        case .choice(let strategy): "choice among 100,000 agents: \(strategy.rawValue)"
        case .request(let strategy): "request to reservation, 100,000 agents: \(strategy.rawValue)"
        }
    }

    var unit: String {
        switch self {
        case .calls(let quantity, _): quantity.unit
        case .dispatchMedian, .dispatchTail, .choice, .request: "µs"
        }
    }

    var meaning: String {
        switch self {
        case .calls(let quantity, let subject): quantity.meaning(subject)
        case .dispatchMedian, .dispatchTail:
            "TAgentSetReady of \(Bench.readyRate) agents a second at either node, of 1,000; the call that has waited for longest comes"
        case .choice: "in this process: which agent would get the call, all of them free; to be under 5 µs"
        case .request: "in this process: what a router does with a call until it asks for an agent; to be under 5 µs"
        }
    }
}

extension RoutingFigure.Quantity {
    fileprivate var name: String {
        switch self {
        case .rate: "routed calls"
        case .cpu: "CPU of all workers for each routed call"
        case .generatorCPU: "CPU of the generator for each routed call"
        case .arrivalMedian: "INVITE to INVITE at the phone, p50"
        case .arrivalTail: "INVITE to INVITE at the phone, p99"
        case .answerMedian: "INVITE to answer, p50"
        case .answerTail: "INVITE to answer, p99"
        case .failed: "routed calls that failed"
        }
    }

    fileprivate var unit: String {
        switch self {
        case .rate: "1/s"
        case .cpu, .generatorCPU, .arrivalMedian, .arrivalTail, .answerMedian, .answerTail: "µs"
        case .failed: "calls"
        }
    }

    fileprivate func meaning(_ subject: RoutingFigure.Subject) -> String {
        switch (self, subject) {
        case (.rate, .dispatcher):
            "\(Bench.routedInFlight) in flight, held for 20 ms; static destinations by turns, no agents, no reservations"
        case (.rate, _):
            "\(Bench.routedInFlight) in flight, held for 20 ms; half of the agents at the other data center; nobody pinned"
        case (.cpu, .dispatcher): "all processes of Kamailio, user and kernel, of the same calls"
        case (.cpu, _): "nodes, Stat Servers and routers of both data centers, user and kernel, of the same calls"
        case (.generatorCPU, _): "both ends of each"
        case (.arrivalTail, .few), (.arrivalTail, .many):
            "\(Bench.routedRate) calls a second, from the moment at which each was due; to be under 10 ms"
        case (.arrivalMedian, _), (.arrivalTail, _), (.answerMedian, _):
            "\(Bench.routedRate) calls a second, from the moment at which each was due"
        case (.answerTail, _): "of the same calls; phones answer at once"
        case (.failed, _): "of all of them"
        }
    }
}
