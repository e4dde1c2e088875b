/// What a workspace counts.
package struct WorkspaceReport: Equatable, Sendable {
    /// Agents who are signed in, and pages that listen.
    package var sessions: UInt64 = 0
    package var streams: UInt64 = 0
    /// Nodes whose port it hears.
    package var nodesHeard: UInt64 = 0
    /// Since the process started: passwords that were right, and sign-ins that were refused for any reason.
    package var logins: UInt64 = 0
    package var loginsRefused: UInt64 = 0
    /// Sessions of other workspaces that went on here.
    package var resumes: UInt64 = 0
    /// Requests that were refused because of what a source, a session or an agent may ask.
    package var limited: UInt64 = 0

    package init() {}
}
