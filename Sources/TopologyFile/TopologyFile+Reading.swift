import Glibc

/// Why a topology file could not be read at all.
package enum TopologyFileError: Error, Equatable, Sendable, CustomStringConvertible {
    case noSuchFile(path: String)
    /// - `reason`: the system's words.
    case unreadable(path: String, reason: String)
    case notPermitted(path: String)
    case tooLarge(path: String, maximumBytes: Int)
    /// Others than its owner may read or write a file with secrets; its permission bits.
    case notPrivate(path: String, mode: UInt32)

    /// One sentence for people: what, where, and what to do.
    package var description: String {
        switch self {
        case .noSuchFile(let path):
            "there is no file \(path); give the path of a topology file, such as clusters/two-datacenters.yaml"
        case .unreadable(let path, let reason):
            "cannot read \(path): \(reason)"
        case .notPermitted(let path):
            "cannot read \(path): permission denied; make the file readable for this user"
        case .tooLarge(let path, let maximumBytes):
            "\(path) has more than \(maximumBytes >> 20) MiB, the most that a topology file may have; "
                + "declare DNs by range instead of one by one"
        case .notPrivate(let path, let mode):
            "\(path) holds secrets, and others than its owner may open it (mode \(String(mode, radix: 8))); "
                + "run `chmod 600 \(path)`"
        }
    }

    /// The file's.
    package var path: String {
        switch self {
        case .noSuchFile(let path), .unreadable(let path, _), .notPermitted(let path), .tooLarge(let path, _),
            .notPrivate(let path, _):
            path
        }
    }

    /// The exit code that scripts rely on.
    package var exitCode: Int32 {
        switch self {
        case .noSuchFile, .unreadable: 66
        case .notPermitted, .notPrivate: 77
        case .tooLarge: 65
        }
    }
}

extension TopologyFile {
    /// Reads a file whole.
    ///
    /// - Parameters:
    ///   - maximumBytes: reading stops there, also for files that do not tell their size, such as pipes.
    ///   - holdsSecrets: whether only its owner may be able to open it.
    package static func read(
        path: String, maximumBytes: Int = TopologyFile.maximumBytes, holdsSecrets: Bool = false
    ) throws(TopologyFileError) -> TopologySource {
        guard !path.utf8.contains(0) else { throw .unreadable(path: path, reason: "the path has a NUL character") }
        let given = holdsSecrets ? serviceCredential(inPlaceOf: path) : nil
        let path = given ?? path
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw failure(errno, path: path) }
        defer { close(descriptor) }
        // The service manager keeps others out of the directory, and its access lists look like rights of the group.
        if holdsSecrets, given == nil { try checkPrivacy(of: descriptor, path: path) }
        var text: [UInt8] = []
        while true {
            let step = 1 << 20
            var failed: Int32 = 0
            let piece = [UInt8](unsafeUninitializedCapacity: step) { buffer, count in
                var got = Glibc.read(descriptor, buffer.baseAddress, step)
                while got < 0 && errno == EINTR { got = Glibc.read(descriptor, buffer.baseAddress, step) }
                if got < 0 { failed = errno }
                count = max(0, got)
            }
            if failed != 0 { throw failure(failed, path: path) }
            if piece.isEmpty { return TopologySource(name: path, text: text) }
            text += piece
            if text.count > maximumBytes { throw .tooLarge(path: path, maximumBytes: maximumBytes) }
        }
    }

    /// A file of the same name that the service manager has loaded for us (`LoadCredential=`, systemd.exec(5)): it can be
    /// one that only root may read.
    private static func serviceCredential(inPlaceOf path: String) -> String? {
        guard let directory = getenv("CREDENTIALS_DIRECTORY"), let name = path.split(separator: "/").last else {
            return nil
        }
        let given = "\(String(cString: directory))/\(name)"
        return access(given, R_OK) == 0 ? given : nil
    }

    private static func checkPrivacy(of descriptor: Int32, path: String) throws(TopologyFileError) {
        var status = stat()
        guard fstat(descriptor, &status) == 0 else { throw failure(errno, path: path) }
        // A pipe that the service manager fills has no owner to speak of.
        let isFile = status.st_mode & S_IFMT == S_IFREG
        guard isFile, status.st_mode & 0o077 != 0 else { return }
        throw .notPrivate(path: path, mode: status.st_mode & 0o777)
    }

    private static func failure(_ code: Int32, path: String) -> TopologyFileError {
        switch code {
        case ENOENT, ENOTDIR: .noSuchFile(path: path)
        case EACCES, EPERM: .notPermitted(path: path)
        case EISDIR: .unreadable(path: path, reason: "it is a directory; give the path of a file in it")
        default: .unreadable(path: path, reason: String(cString: strerror(code)))
        }
    }
}
