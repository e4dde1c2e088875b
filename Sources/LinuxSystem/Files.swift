internal import CLinuxSystem
import Glibc

/// The few things that processes do with files besides their stores.
package enum Files {
    /// What stands at a path; symbolic links are followed.
    package enum Kind: Hashable, Sendable {
        case file, directory, socket, other
    }

    /// - Returns: nil when nothing is there.
    package static func kind(of path: String) throws(SystemError) -> Kind? {
        try status(of: path)?.kind
    }

    /// Permission bits and owner, for checks of who may read a secret; nil when nothing is there.
    package static func permissions(of path: String) throws(SystemError) -> (mode: UInt32, owner: UInt32)? {
        try status(of: path).map { ($0.mode, $0.owner) }
    }

    private static func status(of path: String) throws(SystemError) -> (kind: Kind, mode: UInt32, owner: UInt32)? {
        var mode: mode_t = 0
        var owner: uid_t = 0
        let kind: Kind
        switch try systemCall("look at", path, { tandem_file_kind(path, &mode, &owner) }) {
        case 0: return nil
        case 1: kind = .file
        case 2: kind = .directory
        case 3: kind = .socket
        default: kind = .other
        }
        return (kind, mode, owner)
    }

    /// Whether a path is a file that we may execute.
    package static func isExecutable(_ path: String) -> Bool {
        (try? kind(of: path)) == .file && access(path, X_OK) == 0
    }

    /// Makes a directory and the missing ones above it, all with `mode`. One that is there already stays as it is.
    package static func makeDirectory(_ path: String, mode: UInt32 = 0o700) throws(SystemError) {
        var prefix = path.hasPrefix("/") ? "/" : ""
        for part in path.split(separator: "/") {
            prefix += part
            // A directory that stands already may be where we could not make one, so it is looked for first.
            if try kind(of: prefix) != .directory {
                do throws(SystemError) {
                    try systemCall("make directory", prefix) { mkdir(prefix, mode_t(mode)) }
                } catch {
                    // Another process may have been faster; a file in its place is an error.
                    guard error.code == EEXIST, try kind(of: prefix) == .directory else { throw error }
                }
            }
            prefix += "/"
        }
    }

    /// Removes a file.
    ///
    /// - Returns: false when there was none.
    @discardableResult
    package static func remove(_ path: String) throws(SystemError) -> Bool {
        do throws(SystemError) {
            try systemCall("remove", path) { unlink(path) }
            return true
        } catch {
            guard error.isNoSuchFile else { throw error }
            return false
        }
    }

    /// Puts a file in the place of another.
    package static func rename(_ path: String, to other: String) throws(SystemError) {
        try systemCall("rename", path) { Glibc.rename(path, other) }
    }

    /// Which file it is: another that was put in its place, or written over, is another.
    package struct Identity: Equatable, Sendable {
        fileprivate let device: UInt64
        fileprivate let file: UInt64
        fileprivate let changed: Int
        fileprivate let changedNanoseconds: Int
    }

    /// - Returns: nil when nothing is there.
    package static func identity(of path: String) -> Identity? {
        var status = stat()
        guard stat(path, &status) == 0 else { return nil }
        return Identity(
            device: UInt64(status.st_dev), file: UInt64(status.st_ino), changed: status.st_mtim.tv_sec,
            changedNanoseconds: status.st_mtim.tv_nsec)
    }

    /// Holds the program that a process runs, also when another has been installed since.
    package static func holdProgram(of process: Int32) throws(SystemError) -> OwnedDescriptor {
        let path = "/proc/\(process)/exe"
        return OwnedDescriptor(adopting: try systemCall("open", path) { Glibc.open(path, Self.pathOnly | O_CLOEXEC) })
    }

    /// O_PATH, which Glibc's module hides.
    private static let pathOnly: Int32 = 0o10000000

    /// Where a program that is held can be started from.
    package static func path(ofHeld program: OwnedDescriptor) -> String {
        "/proc/\(getpid())/fd/\(program.number)"
    }

    /// Removes an empty directory.
    package static func removeDirectory(_ path: String) throws(SystemError) {
        try systemCall("remove directory", path) { rmdir(path) }
    }

    /// The names in a directory, sorted.
    ///
    /// - Parameter limit: further ones are passed over.
    package static func names(in path: String, limit: Int = 10_000) throws(SystemError) -> [String] {
        guard let directory = opendir(path) else {
            throw SystemError(call: "open directory", object: path, code: errno)
        }
        defer { closedir(directory) }
        var names: [String] = []
        while names.count < limit, let entry = readdir(directory) {
            let name = withUnsafeBytes(of: entry.pointee.d_name) {
                String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self)
            }
            if name != ".", name != ".." { names.append(name) }
        }
        return names.sorted()
    }

    /// Makes a named pipe in the place of whatever file is there, and opens both ends; neither waits. The writer's end
    /// never breaks, whoever reads.
    package static func makePipe(at path: String) throws(SystemError) -> (
        reader: OwnedDescriptor, writer: OwnedDescriptor
    ) {
        try remove(path)
        try systemCall("make", "pipe \(path)") { tandem_make_pipe_file(path, 0o600) }
        let reader = try openPipe(at: path)
        let writer = try systemCall("open", "pipe \(path)") { tandem_open_pipe_for_writing(path) }
        return (reader, OwnedDescriptor(adopting: writer))
    }

    /// The reader's end of a named pipe that another process has open.
    package static func openPipe(at path: String) throws(SystemError) -> OwnedDescriptor {
        OwnedDescriptor(adopting: try systemCall("open", "pipe \(path)") { tandem_open_for_reading(path) })
    }

    /// Reads a whole file.
    ///
    /// - Throws: `file too large` when it has more than `limit` bytes, which is found out without reading further.
    package static func read(_ path: String, limit: Int) throws(SystemError) -> [UInt8] {
        let file = OwnedDescriptor(adopting: try systemCall("read", path) { tandem_open_for_reading(path) })
        var bytes: [UInt8] = []
        var piece = [UInt8](repeating: 0, count: min(64 * 1024, limit + 1))
        while true {
            let count = try systemCall("read", path) { Glibc.read(file.number, &piece, piece.count) }
            if count == 0 { return bytes }
            bytes += piece.prefix(count)
            if bytes.count > limit { throw SystemError(call: "read", object: path, code: EFBIG) }
        }
    }

    /// Writes a text into a file of the kernel's, which takes it as a request.
    package static func tell(_ path: String, _ text: String) throws(SystemError) {
        let file = OwnedDescriptor(
            adopting: try systemCall("write", path) { Glibc.open(path, O_WRONLY | O_CLOEXEC) })
        try write(Array(text.utf8), to: file, path: path)
    }

    /// From the directory that the process is in.
    package static func absolute(_ path: String) -> String {
        guard !path.hasPrefix("/"), let current = getcwd(nil, 0) else { return path }
        defer { free(current) }
        return "\(String(cString: current))/\(path)"
    }

    /// Replaces a file so that after a crash either the old or the new content is there, whole: written beside it,
    /// flushed to the disk, renamed, and the directory flushed too.
    package static func writeAtomically(_ bytes: [UInt8], to path: String, mode: UInt32 = 0o600) throws(SystemError) {
        try writeAtomically(bytes, to: path, mode: mode) { (_) throws(SystemError) in }
    }

    /// Replaces the content of a file that is there, atomically as above. Its permissions and owner stay; a symbolic link
    /// stays too, and what it leads to is replaced.
    package static func replaceContent(of path: String, with bytes: [UInt8]) throws(SystemError) {
        guard let resolved = realpath(path, nil) else {
            throw SystemError(call: "write", object: path, code: errno)
        }
        defer { free(resolved) }
        let target = String(cString: resolved)
        guard let old = try permissions(of: target) else {
            throw SystemError(call: "write", object: path, code: ENOENT)
        }
        try writeAtomically(bytes, to: target, mode: 0o600) { (file) throws(SystemError) in
            // First the owner: changing it takes bits away.
            if old.owner != geteuid() {
                try systemCall("keep the owner of", path) { fchown(file.number, old.owner, gid_t.max) }
            }
            try systemCall("keep the permissions of", path) { fchmod(file.number, mode_t(old.mode & 0o7777)) }
        }
    }

    private static func writeAtomically(
        _ bytes: [UInt8], to path: String, mode: UInt32, prepare: (OwnedDescriptor) throws(SystemError) -> Void
    ) throws(SystemError) {
        let suffix = String(SystemRandom.word(), radix: 36)
        let temporary = "\(path).\(suffix).tmp"
        let file = OwnedDescriptor(
            adopting: try systemCall("write", path) { tandem_create_for_writing(temporary, mode_t(mode)) })
        do throws(SystemError) {
            try prepare(file)
            try write(bytes, to: file, path: path)
            try systemCall("flush", path) { fsync(file.number) }
            file.close()
            try systemCall("replace", path) { Glibc.rename(temporary, path) }
        } catch {
            unlink(temporary)
            throw error
        }
        try flushDirectory(of: path)
    }

    static func write(_ bytes: [UInt8], to file: OwnedDescriptor, path: String) throws(SystemError) {
        var start = 0
        while start < bytes.count {
            start += try systemCall("write", path) {
                bytes.withUnsafeBytes { buffer in
                    // Rebased, so that the pointer and the count that the kernel gets belong together.
                    let rest = UnsafeRawBufferPointer(rebasing: buffer[start...])
                    return Glibc.write(file.number, rest.baseAddress, rest.count)
                }
            }
        }
    }

    /// A rename is on the disk only once its directory is.
    private static func flushDirectory(of path: String) throws(SystemError) {
        let parent = path.lastIndex(of: "/").map { $0 == path.startIndex ? "/" : String(path[..<$0]) } ?? "."
        let directory = OwnedDescriptor(
            adopting: try systemCall("open directory", parent) { tandem_open_directory(parent) })
        try systemCall("flush directory", parent) { fsync(directory.number) }
    }
}
