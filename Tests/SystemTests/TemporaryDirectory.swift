import Glibc
import Testing

/// A directory of a test's own.
struct TemporaryDirectory {
    let path: String

    init() throws {
        var template = Array("/tmp/tandem-test-XXXXXX".utf8CString)
        try #require(mkdtemp(&template) != nil)
        path = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    func remove() {
        _ = try? Program.run(["/bin/rm", "-rf", path])
    }
}
