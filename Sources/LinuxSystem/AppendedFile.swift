import Glibc

/// A file that is written at its end.
package struct AppendedFile {
    private let path: String
    private let descriptor: OwnedDescriptor
    /// Bytes that it has.
    package private(set) var count = 0

    /// A new file, in the place of one that may stand there.
    package init(replacing path: String, mode: UInt32 = 0o600) throws(SystemError) {
        self.path = path
        descriptor = OwnedDescriptor(
            adopting: try systemCall("write", path) {
                open(path, O_WRONLY | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC | O_NOFOLLOW, mode_t(mode))
            })
    }

    /// One that is there and goes on.
    ///
    /// - Parameter count: bytes that stay; what stands behind them goes.
    package init(continuing path: String, after count: Int) throws(SystemError) {
        self.path = path
        self.count = count
        descriptor = OwnedDescriptor(
            adopting: try systemCall("write", path) { open(path, O_WRONLY | O_APPEND | O_CLOEXEC | O_NOFOLLOW) })
        try systemCall("shorten", path) { ftruncate(descriptor.number, off_t(count)) }
    }

    /// Not flushed to the disk.
    ///
    /// - Throws: when not all of it could be written. Then none of it is there, unless the disk refuses even that.
    package mutating func append(_ bytes: [UInt8]) throws(SystemError) {
        do throws(SystemError) {
            try Files.write(bytes, to: descriptor, path: path)
            count += bytes.count
        } catch {
            _ = try? systemCall("shorten", path) { ftruncate(descriptor.number, off_t(count)) }
            throw error
        }
    }
}
