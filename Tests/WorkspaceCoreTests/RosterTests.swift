import Testing
import WorkspaceCore

@Suite struct `what a machine looks at` {
    private func roster(_ count: Int) -> Roster<Int, [Int]> {
        var roster = Roster<Int, [Int]>()
        for key in 0..<count { roster[key] = [] }
        while roster.due().count > Roster<Int, [Int]>.least {}
        return roster
    }

    @Test func `is what was changed, at once, and all of it after a while`() {
        var roster = roster(5_000)
        roster[4_711]!.append(1)
        roster.watch(17)
        roster.watch(9_999)
        let due = roster.due()
        #expect(due.contains(4_711))
        #expect(due.contains(17))
        #expect(!due.contains(9_999))
        #expect(due.count <= Roster<Int, [Int]>.least + 2)
        #expect(due == due.sorted())
        var all: Set<Int> = []
        for _ in 0..<Roster<Int, [Int]>.round { all.formUnion(roster.due()) }
        #expect(all == Set(0..<5_000))
    }

    @Test func `is not too much at once, and nobody is passed over`() {
        var roster = Roster<Int, Int>()
        for key in 0..<5_000 { roster[key] = 0 }
        var all: Set<Int> = []
        for _ in 0..<5 {
            let due = roster.due()
            #expect(due.count <= Roster<Int, Int>.most + Roster<Int, Int>.least)
            all.formUnion(due)
            // They are never done.
            for key in due { roster.watch(key) }
        }
        #expect(all == Set(0..<5_000))
    }

    @Test func `is nothing that has gone, however often it comes again`() {
        var roster = roster(0)
        for _ in 0..<1_000 {
            roster[1] = []
            roster[1]?.append(2)
            #expect(roster.removeValue(forKey: 1) == [2])
        }
        #expect(roster.due() == [])
        roster[1] = []
        roster[2] = []
        roster[2] = nil
        #expect(roster.due() == [1])
        #expect(roster.count == 1)
    }
}
