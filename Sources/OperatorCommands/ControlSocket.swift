import ClusterModel
import Glibc
import LinuxSystem

/// What decides where the controller's socket is.
package struct SocketSearch: Equatable, Sendable {
    /// `--socket`.
    package var option: String?
    /// `TANDEM_SOCKET`.
    package var variable: String?
    /// `XDG_RUNTIME_DIR`.
    package var userRuntimeDirectory: String?
    /// `TMPDIR`.
    package var temporaryDirectory: String?
    package var user: UInt32

    package init(
        option: String? = nil, variable: String? = nil, userRuntimeDirectory: String? = nil,
        temporaryDirectory: String? = nil, user: UInt32
    ) {
        self.option = option
        self.variable = variable
        self.userRuntimeDirectory = userRuntimeDirectory
        self.temporaryDirectory = temporaryDirectory
        self.user = user
    }

    /// As this process finds its environment.
    package init(option: String?) {
        self.init(
            option: option, variable: Console.variable("TANDEM_SOCKET"),
            userRuntimeDirectory: Console.variable("XDG_RUNTIME_DIR"), temporaryDirectory: Console.variable("TMPDIR"),
            user: getuid()
        )
    }

    /// Whether the operator named the socket; then no other is tried.
    package var isExplicit: Bool { option != nil || variable != nil }

    /// Where the socket may be, in the order in which it is looked for.
    package var candidates: [String] {
        if let named = option ?? variable { return [named] }
        return runtimeDirectories.map { $0 + "/control.sock" } + [Self.systemSocket]
    }

    /// Directories of this user for `tandem up`, the preferred first.
    package var runtimeDirectories: [String] {
        let temporary = "\(Self.trimmed(temporaryDirectory ?? "/tmp"))/tandem-\(user)"
        guard let userRuntimeDirectory else { return [temporary] }
        return ["\(Self.trimmed(userRuntimeDirectory))/tandem", temporary]
    }

    /// Of the controller that is a service. It belongs to the service's user, in a directory that only root can have given to that one.
    package static let systemSocket = "/run/tandem/control.sock"

    /// A socket for `tandem-1000` in a shared directory could have been put there by anybody; only our own and the
    /// system's are trusted.
    package func trusts(_ path: String, owner: UInt32) -> Bool {
        isExplicit || owner == user || owner == 0 || path == Self.systemSocket
    }

    private static func trimmed(_ path: String) -> String {
        path.count > 1 && path.hasSuffix("/") ? String(path.dropLast()) : path
    }
}
