import FuzzChecks
import Glibc

// What libFuzzer calls: it makes inputs up, learns from the branches that each takes, and keeps those that go somewhere
// new. `Sources/FuzzChecks` says what is checked; `--target=…` says which of it.

nonisolated(unsafe) private var target = ""

/// Before the first input.
@_cdecl("LLVMFuzzerInitialize")
public func initialize(
    _ count: UnsafeMutablePointer<CInt>,
    _ arguments: UnsafeMutablePointer<UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>>
) -> CInt {
    // libFuzzer leaves arguments alone that begin with two dashes.
    for position in 1..<max(1, Int(count.pointee)) {
        let argument = arguments.pointee[position].map { String(cString: $0) } ?? ""
        if argument.hasPrefix("--target=") { target = String(argument.dropFirst("--target=".count)) }
    }
    guard FuzzDriver.targets.contains(target) else {
        say("give --target=\(FuzzDriver.targets.joined(separator: "|"))")
        exit(64)
    }
    return 0
}

/// Each input.
@_cdecl("LLVMFuzzerTestOneInput")
public func testOneInput(_ bytes: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    guard let finding = FuzzDriver.finding(of: target, in: Array(UnsafeBufferPointer(start: bytes, count: count)))
    else { return 0 }
    say("\nFOUND: \(finding)")
    abort()
}

private func say(_ text: String) {
    let line = Array("\(text)\n".utf8)
    _ = write(2, line, line.count)
}
