/// Anybody: every free agent is as likely as every other.
///
/// That is no ranking. If agents kept numbers that they have drawn, those who drew badly would stay, and who comes back from a
/// call would nearly always be the least again.
package enum RandomChoice {
    /// Which of so many is chosen.
    ///
    /// - Parameters:
    ///   - excluded: positions that are not chosen, in rising order.
    ///   - draw: any number.
    /// - Returns: nil when all are excluded.
    package static func position(among count: Int, excluding excluded: [Int], draw: UInt64) -> Int? {
        guard count > excluded.count else { return nil }
        var position = Int(draw % UInt64(count - excluded.count))
        for other in excluded where other <= position { position += 1 }
        return position
    }
}
