package import ClusterModel

/// What one kind of hostile input is held against. `make fuzz` makes inputs up, and tests repeat those that once found
/// something; both ask here.
package enum FuzzTarget: String, CaseIterable, Sendable {
    /// One datagram for the SIP parser, and the answer to it.
    case sip
    /// Datagrams from several sources for a whole node, with time passing.
    case datagrams
    /// A stream of SIP messages, torn anywhere.
    case streams
    /// One frame for every decoder of every port.
    case frames
    /// What peers, strangers, clients and phones do to a whole node.
    case machines
    /// What phones at two nodes say in calls.
    case calls
    /// A topology file.
    case topology
    /// A log of decisions, and decisions that are made again.
    case decisions
    /// What comes to a TLS session, and what happens between two.
    case tls
    /// A stream of requests for figures, torn anywhere.
    case http
    /// Tokens and other texts that browsers bring back to a workspace.
    case tokens

    /// Does with the input what the programs do with it.
    ///
    /// - Throws: what is wrong with what came of it. A trap is a finding too.
    package func check(_ input: [UInt8]) throws(FuzzFinding) {
        switch self {
        case .sip: try SIPCheck.check(input)
        case .datagrams: try DatagramsCheck.check(input)
        case .streams: try StreamsCheck.check(input)
        case .frames: try FramesCheck.check(input)
        case .machines: try MachinesCheck.check(input)
        case .calls: try CallsCheck.check(input)
        case .topology: try TopologyCheck.check(input)
        case .decisions: try DecisionsCheck.check(input)
        case .tls: try TLSCheck.check(input)
        case .http: try HTTPCheck.check(input)
        case .tokens: try TokensCheck.check(input)
        }
    }
}

extension FuzzTarget {
    /// The same among machines that have these mistakes: they must be found.
    package static func checkMachines(_ input: [UInt8], with faults: Faults) throws(FuzzFinding) {
        try MachinesCheck.check(input, MachinesCheck(faults: faults))
    }
}

/// A promise that an input broke.
package struct FuzzFinding: Error, CustomStringConvertible {
    package var description: String
}

func expect(_ condition: Bool, _ promise: @autoclosure () -> String) throws(FuzzFinding) {
    if !condition { throw FuzzFinding(description: promise()) }
}

/// The door for the fuzzer, which is linked by hand and knows only what is public.
public enum FuzzDriver {
    /// Their names.
    public static let targets = FuzzTarget.allCases.map(\.rawValue)

    /// - Returns: the promise that the input broke, if it broke one.
    public static func finding(of target: String, in input: [UInt8]) -> String? {
        guard let target = FuzzTarget(rawValue: target) else { return "there is no target \(target)" }
        do throws(FuzzFinding) {
            try target.check(input)
            return nil
        } catch {
            return error.description
        }
    }
}
