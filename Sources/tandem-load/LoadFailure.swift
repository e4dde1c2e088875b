import LinuxSystem

/// Why a load or a measurement could not be brought to its end: a sentence for whoever started it.
struct LoadFailure: Error, CustomStringConvertible {
    let description: String

    init(_ description: String) {
        self.description = description
    }
}

/// Ctrl-C and a friendly kill, looked for between two steps: what was started is stopped on the way out.
final class Interruption {
    private let signals: SignalReader

    init() throws(SystemError) {
        SignalReader.ignoreBrokenPipes()
        signals = try SignalReader([.interrupt, .terminate])
    }

    /// - Throws: when somebody wants the program to end.
    func check() throws {
        guard let signal = try signals.next() else { return }
        throw LoadFailure("stopped by signal \(signal.rawValue)")
    }
}
