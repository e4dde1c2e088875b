/// How a topology names many DNs.
enum DNShape: String, CaseIterable {
    /// Many with each entry.
    case ranges
    /// An entry for each.
    case lines

    var words: String {
        switch self {
        case .ranges: "ranges"
        case .lines: "single lines"
        }
    }
}
