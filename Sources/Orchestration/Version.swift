/// The version of this source tree.
package enum TandemVersion {
    package static let current = "0.1.0"
}
