/// How workers are restarted one after the other.
package struct RolloutPolicy: Hashable, Sendable {
    /// What becomes of the rest when a worker does not come back as it was. The raw values are those of topology files.
    package enum OnFailure: String, Hashable, Sendable, CaseIterable {
        /// Nothing more is restarted until somebody says so.
        case stop
        /// Those that were restarted go back to the program that they ran before.
        case revert
    }

    /// How many workers of a data center may be away at a time.
    package var maxUnavailable = 1
    /// How long a worker has to be well before the next one is restarted.
    package var minHealthy = Duration.seconds(5)
    /// How long a worker may take to be well again.
    package var deadline = Duration.seconds(120)
    package var onFailure = OnFailure.stop

    package static let unavailableBounds = 1...512
    package static let healthyBounds = Duration.zero ... .seconds(3600)
    package static let deadlineBounds = Duration.seconds(1) ... .seconds(86_400)

    package init() {}
}
