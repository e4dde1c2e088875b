import ClusterModel
import Orchestration

let history: DNHistory = {
    var history = DNHistory(request: 9)
    for number in 0..<Transition.maximumCount {
        let cause = Transition.Cause.allCases[number % Transition.Cause.allCases.count]
        history.transitions.append(
            Transition(
                time: UInt64(number), cause: cause, service: Service.allCases[number % Service.allCases.count],
                owner: "dc1/a", formerOwner: "dc1/b", stamp: Stamp(rawValue: .max), agent: "ann", phone: "[::1]:5060"))
    }
    return history
}()

let lostHistory: DNHistory = {
    var history = DNHistory(request: .max)
    history.problem = .unreadable
    return history
}()

let histories = DNHistories(
    dn: "1001",
    answers: [
        .init(node: "dc1/a", state: .ready, history: history), .init(node: "dc1/b", state: .starting, history: nil),
        .init(node: "dc1/c", state: .ready, history: lostHistory),
    ])
