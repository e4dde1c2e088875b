internal import Digests
internal import WebServer

/// The files of the page, as they were when the program was built.
package enum PageFiles {
    package struct File: Sendable {
        package let path: String
        package let type: String
        package let bytes: [UInt8]
        /// Of RFC 9110 section 8.8.3: it changes with the bytes.
        package let tag: String

        init(_ path: String, _ type: String, _ bytes: [UInt8]) {
            self.path = path
            self.type = type
            self.bytes = bytes
            let digest = MessageAuthenticationCode.sha256(bytes, key: Array("page".utf8))
            let digits = digest.prefix(16).map { String($0 >> 4, radix: 16) + String($0 & 15, radix: 16) }
            tag = "\"\(digits.joined())\""
        }
    }

    private static let html = "text/html; charset=utf-8"
    private static let script = "text/javascript; charset=utf-8"

    package static let all = [
        File("/", html, PackageResources.index_html),
        File("/supervisor", html, PackageResources.supervisor_html),
        File("/page.css", "text/css; charset=utf-8", PackageResources.page_css),
        File("/desk.mjs", script, PackageResources.desk_mjs),
        File("/view.mjs", script, PackageResources.view_mjs),
        File("/session.mjs", script, PackageResources.session_mjs),
        File("/connection.mjs", script, PackageResources.connection_mjs),
        File("/clock.mjs", script, PackageResources.clock_mjs),
        File("/ticks.mjs", script, PackageResources.ticks_mjs),
        File("/supervisor.mjs", script, PackageResources.supervisor_mjs),
        File("/strings.mjs", script, PackageResources.strings_mjs),
        File("/icon.svg", "image/svg+xml", PackageResources.icon_svg),
    ]

    /// The file, or word that the browser has it.
    static func answer(_ file: File, to request: WebRequest) -> WebResponse {
        let headers = [("Content-Type", file.type), ("Cache-Control", "no-cache"), ("ETag", file.tag)]
        let known = (request.header("if-none-match") ?? "").split(separator: ",").map { $0.filter { $0 != " " } }
        guard !known.contains(file.tag), !known.contains("W/" + file.tag) else {
            return WebResponse(status: 304, headers: headers)
        }
        return WebResponse(status: 200, headers: headers, body: .bytes(file.bytes))
    }
}
