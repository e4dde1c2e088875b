// swift-format-ignore-file: AllPublicDeclarationsHaveDocumentation
// Public so that it is inlined in other rooms, as Identity.swift says; nothing of it is a library's.

/// Whether a DN can take a call, and if not, why. One byte, also on the wire: the raw values never change their meaning.
public enum Service: UInt8, Hashable, Sendable, CaseIterable {
    case inService = 0
    case neverRegistered = 1
    case unregistered = 2
    case expired = 3
    case flowLost = 4
    case desktopGone = 5
    case ownerUnreachable = 6
    case restarted = 7
    case draining = 8
    case notProvisioned = 9
    case superseded = 10

    @inlinable public var isInService: Bool { self == .inService }

    /// The reason in the words of interfaces and scripts (kebab case); nil while in service.
    package var reason: String? {
        switch self {
        case .inService: nil
        case .neverRegistered: "never-registered"
        case .unregistered: "unregistered"
        case .expired: "expired"
        case .flowLost: "flow-lost"
        case .desktopGone: "desktop-gone"
        case .ownerUnreachable: "owner-unreachable"
        case .restarted: "restarted"
        case .draining: "draining"
        case .notProvisioned: "not-provisioned"
        case .superseded: "superseded"
        }
    }

    /// `in-service` or `out-of-service`.
    package var word: String { isInService ? "in-service" : "out-of-service" }
}
