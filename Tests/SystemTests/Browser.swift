import ClusterModel
import Foundation
import Glibc
import LinuxSystem
import Testing

/// Headless Chromium in a cluster's network, with a profile of its own: what a person at a screen would do and see.
///
/// It runs in a process namespace of its own, so that all of it is gone when this is, or the test.
final class Browser {
    /// What is to be seen of an element that is visible.
    enum Sight {
        case visible
        /// There is none, or it cannot be seen.
        case hidden
        case enabled
        case disabled
        /// All of its text.
        case text(String)
        /// A part of its text.
        case contains(String)
        /// A regular expression, as Python has them, for a part of its text.
        case matches(String)

        fileprivate var condition: [String: Any] {
            switch self {
            case .visible: [:]
            case .hidden: ["hidden": true]
            case .enabled: ["enabled": true]
            case .disabled: ["enabled": false]
            case .text(let text): ["text": text]
            case .contains(let text): ["contains": text]
            case .matches(let pattern): ["matches": pattern]
            }
        }
    }

    struct Failure: Error, CustomStringConvertible {
        let description: String
    }

    /// A tab, by the browser's own name for it.
    struct Tab: Equatable {
        fileprivate let handle: String
    }

    /// The browser ends before its network does.
    private let cluster: TestCluster
    private let process: ChildProcess
    private let channel: OwnedDescriptor
    private var unread: [UInt8] = []
    private let directory: String

    /// - Parameters:
    ///   - name: different from those of the cluster's other browsers.
    ///   - width: of the page, in CSS pixels; below 640 it is a phone's.
    init(_ cluster: TestCluster, named name: String = "browser", width: Int = 1280, height: Int = 800) throws {
        self.cluster = cluster
        directory = cluster.directory + "/" + name
        try Files.makeDirectory(directory)
        let (ours, theirs) = try Sockets.streamPair()
        defer { theirs.close() }
        // Programs expect that reading and writing wait.
        _ = fcntl(theirs.number, F_SETFL, 0)
        let errors = OwnedDescriptor(
            adopting: Glibc.open(directory + "/errors", O_WRONLY | O_CREAT | O_CLOEXEC, 0o600))
        defer { errors.close() }
        let program = TestCluster.scenario("browser").replacing(".xml", with: ".py")
        let command = cluster.sandbox.inside([
            "/usr/bin/unshare", "--pid", "--fork", "--kill-child", "--mount-proc", "/usr/bin/python3", program,
            directory, "\(width)", "\(height)",
        ])
        channel = ours
        process = try ChildProcess.spawn(
            command[0], arguments: Array(command.dropFirst()), environment: Executables.environment,
            inherited: [
                ChildProcess.Inheritance(theirs, as: 0), ChildProcess.Inheritance(theirs, as: 1),
                ChildProcess.Inheritance(errors, as: 2),
            ])
        _ = try answer(to: "start", seconds: 60)
    }

    deinit {
        channel.close()
        // It ends the browser at the end of its input.
        if (try? process.descriptor.wait(forReading: true, nanoseconds: 5_000_000_000)) != true {
            _ = try? process.send(.kill)
            _ = try? process.descriptor.wait(forReading: true, nanoseconds: 5_000_000_000)
        }
        _ = try? process.exitStatus()
    }

    // MARK: What a person does

    func open(_ url: String) throws { try ask("open", ["url": url]) }

    func reload() throws { try ask("reload") }

    /// Presses an element when it can be pressed.
    ///
    /// - Parameter element: its id, or a CSS selector.
    func click(_ element: String, seconds: Int = 10) throws {
        try ask("click", ["css": element, "seconds": seconds])
    }

    /// Writes into a field, in place of what it has.
    func type(_ text: String, into element: String, seconds: Int = 10) throws {
        try ask("type", ["css": element, "text": text, "seconds": seconds])
    }

    /// Presses keys with the focus where it is: letters, and Enter, Tab, Escape, Space, Up, Down.
    func press(_ keys: String...) throws { try ask("keys", ["keys": keys]) }

    /// Opens another tab and goes there.
    func openTab() throws -> Tab { Tab(handle: try text(ask("tab"))) }

    var tab: Tab {
        get throws { Tab(handle: try text(ask("present"))) }
    }

    func go(to tab: Tab) throws { try ask("switch", ["handle": tab.handle]) }

    /// Closes the present tab; another one has to be gone to.
    func closeTab() throws { try ask("close") }

    // MARK: What a person sees

    /// What can be read of an element; nil where there is none.
    func text(of element: String) throws -> String? { try ask("text", ["css": element]) as? String }

    /// Where the page is from.
    var url: String {
        get throws { try text(ask("url")) }
    }

    /// Waits until something is to be seen.
    ///
    /// - Parameters:
    ///   - what: for whoever reads that it was not.
    ///   - element: its id, or a CSS selector.
    /// - Returns: the element's text.
    @discardableResult
    func wait(_ what: String, seconds: Int = 10, _ element: String, _ sight: Sight) throws -> String {
        do {
            return try text(
                ask("wait", ["css": element, "seconds": seconds].merging(sight.condition, uniquingKeysWith: { $1 })))
        } catch let failure as Failure {
            throw Failure(description: "\(what): \(failure)")
        }
    }

    /// Waits until a script in the page returns something that JavaScript takes for true, and returns that.
    @discardableResult
    func wait(_ what: String, seconds: Int = 10, script: String) throws -> Any {
        do {
            return try ask("wait_script", ["script": script, "seconds": seconds])
        } catch let failure as Failure {
            throw Failure(description: "\(what): \(failure)")
        }
    }

    /// Runs a script in the page and returns what it returns.
    @discardableResult
    func evaluate(_ script: String, _ arguments: [Any] = []) throws -> Any {
        try ask("eval", ["script": script, "arguments": arguments])
    }

    /// From now on, keeps what the texts of some elements become; one that cannot be seen has an empty one. A page that
    /// is loaded anew has forgotten it.
    func record(_ elements: String...) throws { try ask("record", ["selectors": elements]) }

    /// What has been kept: elements and their texts, in order; nil if the page has been loaded anew.
    func recorded() throws -> [(element: String, text: String)]? {
        guard let pairs = try ask("recorded") as? [[String]] else { return nil }
        return pairs.map { ($0[0].replacing(/^#/, with: ""), $0[1]) }
    }

    /// Waits until an element that is recorded has had a text, however shortly.
    func waitUntilRecorded(_ what: String, seconds: Int = 10, _ element: String, contains text: String) throws {
        let words = try JSONSerialization.data(withJSONObject: ["#" + element, text])
        try wait(
            what, seconds: seconds,
            script: """
                const [element, text] = \(String(decoding: words, as: UTF8.self));
                return window.recordedTexts?.some((each) => each[0] === element && each[1].includes(text));
                """)
    }

    /// What the browser's console has said since it was asked last.
    func consoleMessages() throws -> [String] { try ask("log") as? [String] ?? [] }

    /// Makes a picture of the page, in the folder that `TANDEM_SCREENSHOTS` names, else in the test's own.
    func screenshot(_ name: String) throws {
        let folder = ProcessInfo.processInfo.environment["TANDEM_SCREENSHOTS"] ?? directory
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        try ask("screenshot", ["path": "\(folder)/\(name).png"])
    }

    /// A command of the DevTools protocol.
    @discardableResult
    func devTools(_ method: String, _ parameters: [String: Any] = [:]) throws -> [String: Any] {
        try ask("cdp", ["method": method, "parameters": parameters]) as? [String: Any] ?? [:]
    }

    // MARK: The conversation

    /// - Returns: what the command gives; `NSNull` for nothing.
    @discardableResult
    private func ask(_ command: String, _ words: [String: Any] = [:]) throws -> Any {
        var line = Array(
            try JSONSerialization.data(withJSONObject: words.merging(["do": command], uniquingKeysWith: { $1 })))
        line.append(UInt8(ascii: "\n"))
        var sent = 0
        while sent < line.count {
            guard let count = try channel.send(line, from: sent) else {
                try #require(try channel.wait(forReading: false, nanoseconds: 10_000_000_000), "the browser listens")
                continue
            }
            sent += count
        }
        return try answer(to: "\(command) \(words)", seconds: UInt64(words["seconds"] as? Int ?? 0) + 60)
    }

    private func answer(to what: String, seconds: UInt64) throws -> Any {
        let deadline = SystemClock.monotonicNanoseconds() + seconds * 1_000_000_000
        while true {
            if let end = unread.firstIndex(of: UInt8(ascii: "\n")) {
                let line = Data(unread[..<end])
                unread.removeSubrange(...end)
                let answer = try #require(try JSONSerialization.jsonObject(with: line) as? [String: Any])
                if let value = answer["ok"] { return value }
                throw Failure(description: "\(answer["error"] ?? "\(what) failed")")
            }
            let now = SystemClock.monotonicNanoseconds()
            guard now < deadline, try channel.wait(forReading: true, nanoseconds: deadline - now) else {
                throw Timeout(what: "the browser: \(what)")
            }
            var piece = [UInt8](repeating: 0, count: 65_536)
            guard let count = try channel.read(into: &piece) else { continue }
            unread += piece[..<count]
            if count == 0 {
                let errors = (try? Files.read(directory + "/errors", limit: 1 << 20)) ?? []
                throw Failure(
                    description: "the browser has ended at \(what): \(String(decoding: errors, as: UTF8.self))")
            }
        }
    }

    private func text(_ value: Any) throws -> String { try #require(value as? String) }
}

extension Browser {
    /// Signs an agent in at the page that is open, and waits until it asks for a line or shows one.
    ///
    /// - Parameter fails: the page is to say that the password is wrong.
    func signIn(_ agent: String, _ password: String, fails: Bool = false) throws {
        try type(agent, into: "agent")
        try type(password, into: "password")
        try click("signInButton")
        if fails {
            try wait("\(agent) is refused", "alarm", .text("Agent ID or password is wrong."))
        } else {
            try wait("\(agent) is signed in", "signOut", .visible)
        }
    }

    /// Takes one of the agent's lines and waits until the page shows it.
    func choose(_ dn: String) throws {
        try click("#lines input[value=\"\(dn)\"]")
        try click("lineButton")
        try wait("line \(dn) is taken", "lineName", .text("Line \(dn)"))
    }

    /// Makes the agent not ready, and waits until the page says so.
    func becomeNotReady(because reason: String) throws {
        try click("notReady")
        try click("#reasons input[value=\"\(reason)\"]")
        try click("reasonOK")
        try wait("not ready", "stateWord", .text("Not ready: \(reason)"))
    }
}
