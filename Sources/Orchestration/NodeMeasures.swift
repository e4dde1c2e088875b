/// What a node says of itself only when it is measured: more than a status shows, and it has to look at every DN for it.
package struct NodeMeasures: Equatable, Sendable {
    /// How long it took until the node heard what a peer said, from when it came to be true there.
    package struct Peer: Equatable, Sendable {
        package var name: String
        package var propagation: DurationHistogram

        package init(_ name: String, _ propagation: DurationHistogram) {
            self.name = name
            self.propagation = propagation
        }
    }

    /// How many service codes there may be.
    package static let maximumServices = 64

    /// How many DNs the node shows with each service code, by code.
    package var dns: [UInt64] = []
    /// REGISTERs that were refused, but not those that were asked for a password.
    package var registrationsRefused: UInt64 = 0
    /// Since the process began.
    package var callsBegun: UInt64 = 0
    /// How long the store took to write what it was given.
    package var commits = DurationHistogram()
    /// One for each other node.
    package var peers: [Peer] = []

    package init() {}
}
