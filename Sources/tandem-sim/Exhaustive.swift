import LinuxSystem
import Simulation

/// Explores alphabets of events in every order, and prints what was reached.
struct Exhaustive {
    /// Nil for all alphabets.
    let alphabet: String?
    let depth: Int?
    let injection: Injection?

    static var names: [String] { ExplorationAlphabet.named.map(\.name) }

    /// - Returns: whether all rules held.
    func run() -> Bool {
        let start = SystemClock.monotonicNanoseconds()
        let alphabets = ExplorationAlphabet.named.filter { alphabet == nil || $0.name == alphabet }
        let width = alphabets.map(\.name.count).max() ?? 0
        var states = 0
        print("\(padded("alphabet", width))      states       steps  depth  at rest  what for")
        for alphabet in alphabets {
            guard let report = explore(alphabet) else { return false }
            states += report.states
            print(
                "\(padded(report.alphabet, width))  \(right(report.states, 10))  \(right(report.transitions, 10))"
                    + "  \(right(report.depth, 5))  \(right(report.calmStates, 7))  \(alphabet.purpose)"
                    + (report.isExhausted ? "" : " (to this depth; there is more)"))
        }
        let seconds = Double(SystemClock.monotonicNanoseconds() - start) / 1e9
        print("\n\(grouped(UInt64(states))) states, every order of events, in \(decimal(seconds)) s; all rules hold")
        return true
    }

    private func explore(_ alphabet: ExplorationAlphabet) -> Exploration.Report? {
        var options = Exploration.Options(alphabet, depth: depth)
        options.injection = injection
        var exploration = Exploration(options)
        do {
            return try exploration.run { report in
                guard StandardError.isTerminal else { return }
                StandardError.write(
                    "\r\(report.alphabet): depth \(report.depth), \(grouped(UInt64(report.states))) states   \r")
            }
        } catch {
            print("\n\(alphabet.name) breaks a rule: \(error)")
            print("commit: \(Commit.current ?? "unknown; this does not run in a clone of the repository")")
            return nil
        }
    }

    private func right(_ number: Int, _ width: Int) -> String {
        let text = grouped(UInt64(number))
        return String(repeating: " ", count: max(0, width - text.count)) + text
    }
}
