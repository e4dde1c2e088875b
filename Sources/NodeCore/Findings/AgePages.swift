import ClusterModel

/// For how long each of many DNs has been in a state, roughly: in four bits a DN, and without memory where none is in it.
///
/// A DN is looked at once a pass. Whoever is found in the state gets older by as many steps as have gone by since its page was
/// looked at; whoever is not begins anew. What comes and goes between two looks is not seen.
struct AgePages: Sendable {
    /// DNs of a page: as many as are looked at in one go.
    static let size = 4_096
    /// The greatest age; it stands for all that are greater.
    static let oldest: UInt8 = 7

    /// By page; empty where no DN of it is in the state.
    private var pages: [[UInt8]]
    /// How many DNs of each page are.
    private var counts: [UInt16]

    init(count: Int) {
        let number = (count + Self.size - 1) / Self.size
        pages = Array(repeating: [], count: number)
        counts = Array(repeating: 0, count: number)
    }

    /// Whether a DN of a page was in the state.
    func isEmpty(page: Int) -> Bool { counts[page] == 0 }

    func age(of dn: DNIndex) -> UInt8 {
        let (page, offset) = (dn.position / Self.size, dn.position % Self.size)
        guard counts[page] > 0 else { return 0 }
        return pages[page][offset / 2] >> UInt8(offset % 2 * 4) & 0xF
    }

    mutating func set(_ dn: DNIndex, to age: UInt8) {
        let (page, offset) = (dn.position / Self.size, dn.position % Self.size)
        let former = self.age(of: dn)
        guard former != age else { return }
        if pages[page].isEmpty { pages[page] = [UInt8](repeating: 0, count: Self.size / 2) }
        let shift = UInt8(offset % 2 * 4)
        pages[page][offset / 2] = pages[page][offset / 2] & ~(0xF << shift) | age << shift
        if former == 0 { counts[page] += 1 }
        if age == 0 { counts[page] -= 1 }
    }

    /// Gives the memory of a page back if no DN of it is in the state any more.
    mutating func sweep(page: Int) {
        if counts[page] == 0, !pages[page].isEmpty { pages[page] = [] }
    }

    /// Bytes that it has for its DNs.
    var bytes: Int { pages.reduce(0) { $0 + $1.count } }
}
