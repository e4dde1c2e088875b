import Glibc

/// Programs: this one and those installed beside it.
package enum Executables {
    /// The path of the running program's file.
    package static var current: String {
        var buffer = [CChar](repeating: 0, count: Int(PATH_MAX))
        let length = readlink("/proc/self/exe", &buffer, buffer.count)
        guard length > 0 else { return CommandLine.arguments.first ?? "" }
        return String(decoding: buffer[..<length].map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    /// The path of a program that is installed beside the running one, whether or not it is there.
    package static func companion(_ name: String) -> String {
        guard let slash = current.lastIndex(of: "/") else { return name }
        return current[..<slash] + "/" + name
    }

    /// This process's environment as `NAME=value` texts, for a child that shall have the same.
    package static var environment: [String] {
        var variables: [String] = []
        var entry = environ
        while let variable = entry.pointee {
            variables.append(String(cString: variable))
            entry += 1
        }
        return variables
    }
}
