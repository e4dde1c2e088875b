import Glibc
import LinuxSystem

/// Where `tandem up` keeps its control socket.
enum RuntimeDirectory {
    /// Makes the directory that the user named, or the first usable one of this user.
    ///
    /// - Returns: an absolute path.
    static func prepare(_ named: String?, _ search: SocketSearch) throws(CommandFailure) -> String {
        let directory: String
        if let named {
            directory = absolute(named)
            try make(directory)
        } else {
            directory = try firstUsable(search)
        }
        let socket = directory + "/control.sock"
        guard socket.utf8.count <= UnixSocket.maximumPathLength else {
            throw CommandFailure(
                "the control socket \(socket) would have a path of \(socket.utf8.count) bytes, and a socket's path can "
                    + "have \(UnixSocket.maximumPathLength); give --runtime-dir a shorter directory", .failed
            )
        }
        return directory
    }

    /// Makes a directory and those above it; one that is there stays as it is.
    static func make(_ path: String) throws(CommandFailure) {
        do throws(SystemError) {
            try Files.makeDirectory(path, mode: 0o700)
        } catch {
            throw CommandFailure(
                "\(error); give another --runtime-dir or --state-dir",
                error.isPermissionDenied ? .notPermitted : .failed)
        }
    }

    static func absolute(_ path: String) -> String { Files.absolute(path) }

    private static func firstUsable(_ search: SocketSearch) throws(CommandFailure) -> String {
        var problem = ""
        for directory in search.runtimeDirectories {
            do throws(CommandFailure) {
                try check(directory, user: search.user)
                return directory
            } catch {
                problem = error.message
            }
        }
        throw CommandFailure("\(problem); name a directory of yours with --runtime-dir", .notPermitted)
    }

    /// In a shared directory anybody may have made it before us, and could then replace the socket.
    private static func check(_ directory: String, user: UInt32) throws(CommandFailure) {
        let parent = String(directory[..<(directory.lastIndex(of: "/") ?? directory.startIndex)])
        let found: (mode: UInt32, owner: UInt32)?
        do throws(SystemError) {
            if try Files.kind(of: parent) == .directory { try Files.makeDirectory(directory, mode: 0o700) }
            found = try Files.permissions(of: directory)
        } catch {
            throw CommandFailure("\(error)", .failed)
        }
        guard let found else { throw CommandFailure("there is no directory \(parent)", .failed) }
        guard found.owner == user, found.mode & 0o077 == 0 else {
            throw CommandFailure("\(directory) must belong to this user alone (mode 0700)", .failed)
        }
    }
}
