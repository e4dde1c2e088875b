import ClusterModel
import SIPCore
import Testing

/// What can happen to a transaction's machine.
enum MachineEvent {
    /// The request came again.
    case request
    /// A response came, or is to be sent.
    case response(UInt16)
    case ack
    case cancel
    case transportError
    case tick
}

protocol TracedMachine {
    associatedtype State: Equatable
    var state: State { get }
    mutating func take(_ event: MachineEvent, now: Instant) -> TransactionSteps
}

/// A time in seconds, what happens, and what comes of it.
typealias Arrow<State> = (Double, MachineEvent, TransactionSteps, State)

/// Follows arrows of a figure.
///
/// - Returns: the machine after them.
@discardableResult
func follow<Machine: TracedMachine>(
    _ machine: Machine, _ arrows: [Arrow<Machine.State>], sourceLocation: SourceLocation = #_sourceLocation
) -> Machine {
    var machine = machine
    for (number, (seconds, event, steps, state)) in arrows.enumerated() {
        let taken = machine.take(event, now: at(seconds))
        #expect(taken == steps, "arrow \(number): \(event) at \(seconds)", sourceLocation: sourceLocation)
        #expect(machine.state == state, "arrow \(number): \(event) at \(seconds)", sourceLocation: sourceLocation)
    }
    return machine
}

/// What the timers do by themselves: tenths of a second, and what is wanted then. Looks at them every tenth.
func firings<Machine: TracedMachine>(
    _ machine: Machine, from tenth: UInt64 = 0, to last: UInt64 = 4000
) -> [(tenth: UInt64, steps: TransactionSteps)] {
    var machine = machine
    var firings: [(tenth: UInt64, steps: TransactionSteps)] = []
    for tenth in tenth...last {
        let steps = machine.take(.tick, now: tenths(tenth))
        if !steps.isEmpty { firings.append((tenth, steps)) }
    }
    return firings
}

func tenths(_ count: UInt64) -> Instant { Instant(monotonic: count * 100_000_000, wallMilliseconds: 0) }

private let timings = TransactionTimings()

extension InviteServerMachine: TracedMachine {
    mutating func take(_ event: MachineEvent, now: Instant) -> TransactionSteps {
        switch event {
        case .request: requestCame()
        case .response(let status): respond(status, now: now, timings)
        case .ack: acknowledged(now: now, timings)
        case .cancel: []
        case .transportError: transportFailed()
        case .tick: tick(now: now, timings)
        }
    }
}

extension NonInviteServerMachine: TracedMachine {
    init(isReliable: Bool) { self.init(isReliable: isReliable, now: at(0), timings) }

    mutating func take(_ event: MachineEvent, now: Instant) -> TransactionSteps {
        switch event {
        case .request: requestCame()
        case .response(let status): respond(status, now: now, timings)
        case .ack, .cancel: []
        case .transportError: transportFailed()
        case .tick: tick(now: now, timings)
        }
    }
}

extension InviteClientMachine: TracedMachine {
    init(isReliable: Bool) { self.init(isReliable: isReliable, now: at(0), timings) }

    mutating func take(_ event: MachineEvent, now: Instant) -> TransactionSteps {
        switch event {
        case .request, .ack: []
        case .response(let status): responseCame(status, now: now, timings)
        case .cancel: cancel(now: now, timings)
        case .transportError: transportFailed()
        case .tick: tick(now: now, timings)
        }
    }
}

extension NonInviteClientMachine: TracedMachine {
    init(isReliable: Bool) { self.init(isReliable: isReliable, now: at(0), timings) }

    mutating func take(_ event: MachineEvent, now: Instant) -> TransactionSteps {
        switch event {
        case .request, .ack, .cancel: []
        case .response(let status): responseCame(status, now: now, timings)
        case .transportError: transportFailed()
        case .tick: tick(now: now, timings)
        }
    }
}
