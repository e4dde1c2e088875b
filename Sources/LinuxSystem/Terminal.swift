import Glibc

/// The terminal at a descriptor.
package enum Terminal {
    /// - Returns: rows and columns; nil when it is no terminal, or one that does not know.
    package static func size(of descriptor: Int32) -> (rows: Int, columns: Int)? {
        var size = winsize()
        guard ioctl(descriptor, UInt(TIOCGWINSZ), &size) == 0, size.ws_row > 0, size.ws_col > 0 else { return nil }
        return (Int(size.ws_row), Int(size.ws_col))
    }
}
