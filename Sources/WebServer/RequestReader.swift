internal import ClusterModel
internal import HTTPTypes
internal import Hummingbird
internal import HummingbirdCore
internal import NIOCore

/// From Hummingbird's requests to ours: all of it, or what is wrong with it.
struct RequestReader: Sendable {
    private let limits: WebLimits
    private let isSecure: Bool
    private let proxies: Set<SourceID>

    init(limits: WebLimits, isSecure: Bool) {
        self.limits = limits
        self.isSecure = isSecure
        proxies = Set(limits.proxies)
    }

    func read(_ request: Request, _ context: WebContext) async -> Result<WebRequest, WebSite.Fault> {
        guard let target = request.head.path, target.utf8.first == UInt8(ascii: "/") else {
            return .failure(.badRequest)
        }
        guard target.utf8.count <= limits.target else { return .failure(.targetTooLong) }
        // A second Host, or one that hides in it, would be read by one side and not by the other.
        var headers = fields(of: request.headers)
        guard let host = request.head.authority, headers["host"] == nil else { return .failure(.badRequest) }
        headers["host"] = host
        guard let path = request.uri.path.removingPercentEncoding() else { return .failure(.badRequest) }
        let body: [UInt8]
        switch await readBody(request) {
        case .failure(let fault): return .failure(fault)
        case .success(let bytes): body = bytes
        }
        let peer = context.peer ?? SourceID(NetworkAddress(ipv4: 0, port: 0))
        let isProxied = proxies.contains(peer)
        return .success(
            WebRequest(
                method: request.method.rawValue,
                path: path,
                parameters: Dictionary(
                    context.parameters.map { (String($0.key), String($0.value).removingPercentEncoding() ?? "") },
                    uniquingKeysWith: { first, _ in first }),
                query: query(of: request.uri.query),
                cookies: cookies(in: headers["cookie"]),
                headers: headers,
                body: body,
                source: isProxied ? source(behind: headers["x-forwarded-for"]) ?? peer : peer,
                isSecure: isSecure || (isProxied && headers["x-forwarded-proto"]?.lowercased() == "https")
            ))
    }

    private func fields(of headers: HTTPFields) -> [String: String] {
        var fields: [String: String] = [:]
        for field in headers {
            let name = field.name.canonicalName
            let separator = name == "cookie" ? "; " : ", "
            fields[name] = fields[name].map { $0 + separator + field.value } ?? field.value
        }
        return fields
    }

    /// Only what says its length has a body: browsers do, and whoever cuts requests differently gets no second one through.
    private func readBody(_ request: Request) async -> Result<[UInt8], WebSite.Fault> {
        guard request.headers[.transferEncoding] == nil else { return .failure(.lengthRequired) }
        guard let text = request.headers[.contentLength] else { return .success([]) }
        guard let length = Int(text), length >= 0 else { return .failure(.badRequest) }
        guard length <= limits.body else { return .failure(.bodyTooLarge) }
        guard length > 0 else { return .success([]) }
        guard request.method != .get, request.method != .head else { return .failure(.badRequest) }
        var bytes: [UInt8] = []
        bytes.reserveCapacity(length)
        do {
            for try await piece in request.body {
                guard bytes.count + piece.readableBytes <= limits.body else { return .failure(.bodyTooLarge) }
                bytes.append(contentsOf: piece.readableBytesView)
            }
        } catch {
            return .failure(.badRequest)
        }
        return bytes.count == length ? .success(bytes) : .failure(.badRequest)
    }

    /// The last one that is not one of our proxies: what stands before it anybody may have written.
    private func source(behind forwarded: String?) -> SourceID? {
        for entry in (forwarded ?? "").split(separator: ",").reversed() {
            let text = entry.drop { $0 == " " }.reversed().drop { $0 == " " }.reversed()
            guard let source = SourceID(host: String(text)) else { return nil }
            if !proxies.contains(source) { return source }
        }
        return nil
    }

    private func query(of text: String?) -> [String: String] {
        var found: [String: String] = [:]
        for pair in (text ?? "").split(separator: "&") {
            let parts = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map {
                String($0).replacing("+", with: "%20").removingPercentEncoding()
            }
            guard let name = parts.first ?? nil, !name.isEmpty else { continue }
            found[name] = parts.count > 1 ? parts[1] : ""
        }
        return found
    }

    private func cookies(in text: String?) -> [String: String] {
        var found: [String: String] = [:]
        for pair in (text ?? "").split(separator: ";") {
            let parts = pair.drop { $0 == " " }.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            guard parts.count == 2, found[String(parts[0])] == nil else { continue }
            found[String(parts[0])] = String(parts[1])
        }
        return found
    }
}

extension String {
    /// - Returns: nil where a percent sign is not followed by two hexadecimal digits, or the bytes are not UTF-8, or one of
    ///   them is 0.
    func removingPercentEncoding() -> String? {
        guard utf8.contains(UInt8(ascii: "%")) else { return self }
        var bytes: [UInt8] = []
        var rest = utf8[...]
        while let byte = rest.popFirst() {
            guard byte == UInt8(ascii: "%") else {
                bytes.append(byte)
                continue
            }
            guard let high = rest.popFirst()?.hexadecimalValue, let low = rest.popFirst()?.hexadecimalValue,
                high + low > 0
            else { return nil }
            bytes.append(high << 4 | low)
        }
        return String(validating: bytes, as: UTF8.self)
    }
}

extension UInt8 {
    fileprivate var hexadecimalValue: UInt8? {
        switch self {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): self - UInt8(ascii: "0")
        case UInt8(ascii: "a")...UInt8(ascii: "f"): self - UInt8(ascii: "a") + 10
        case UInt8(ascii: "A")...UInt8(ascii: "F"): self - UInt8(ascii: "A") + 10
        default: nil
        }
    }
}
