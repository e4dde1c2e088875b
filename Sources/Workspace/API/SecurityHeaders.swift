/// What browsers are told about all that comes from here.
package enum SecurityHeaders {
    /// - Returns: for every answer; single ones may say otherwise.
    package static func all(at place: WorkspacePlace) -> [(String, String)] {
        var headers = [
            ("Content-Security-Policy", policy(at: place)),
            ("X-Content-Type-Options", "nosniff"),
            ("Referrer-Policy", "no-referrer"),
            ("Cross-Origin-Opener-Policy", "same-origin"),
            ("Cross-Origin-Resource-Policy", "same-origin"),
            ("Permissions-Policy", "camera=(), microphone=(), geolocation=()"),
        ]
        if place.isSecure { headers.append(("Strict-Transport-Security", "max-age=31536000")) }
        return headers
    }

    private static func policy(at place: WorkspacePlace) -> String {
        [
            "default-src 'none'", "script-src 'self'", "style-src 'self'", "img-src 'self'",
            "connect-src " + (["'self'"] + place.others).joined(separator: " "),
            "form-action 'self'", "base-uri 'none'", "frame-ancestors 'none'", "require-trusted-types-for 'script'",
        ].joined(separator: "; ")
    }
}
