import Foundation
import Testing
import Workspace

/// What the page's files must not have, and what they must.
@Suite struct PageTests {
    private func text(_ path: String) throws -> String {
        let file = try #require(PageFiles.all.first { $0.path == path })
        return String(decoding: file.bytes, as: UTF8.self)
    }

    private var scripts: [String] {
        PageFiles.all.filter { $0.path.hasSuffix(".mjs") }.map { String(decoding: $0.bytes, as: UTF8.self) }
    }

    @Test func `the program has the files of the sources, in 80 KiB`() throws {
        let directory = Repository.root.appending(path: "Sources/Workspace/Page")
        let names = try FileManager.default.contentsOfDirectory(atPath: directory.path(percentEncoded: false))
        #expect(names.count == PageFiles.all.count)
        for file in PageFiles.all {
            let pages = ["/": "index.html", "/supervisor": "supervisor.html"]
            let name = pages[file.path] ?? String(file.path.dropFirst())
            #expect(try Data(contentsOf: directory.appending(path: name)) == Data(file.bytes), "\(name)")
        }
        #expect(PageFiles.all.map(\.bytes.count).reduce(0, +) <= 80 * 1024)
    }

    @Test(arguments: ["/", "/supervisor"]) func `markup runs nothing and comes from here`(_ path: String) throws {
        let html = try text(path)
        #expect(html.matches(of: #/<script(?![^>]* src="\/[a-z]+\.mjs")/#).isEmpty, "an inline script")
        #expect(html.matches(of: #/<style|\sstyle=|\son[a-z]+=|javascript:/#).isEmpty)
        #expect(html.matches(of: #/(src|href)="(?!\/[a-z.]*")/#).isEmpty, "not one of ours")
        #expect(html.contains("<html lang=\"en\">") && html.contains("name=\"viewport\""))
    }

    @Test func `scripts make no markup, keep nothing and load nothing from elsewhere`() throws {
        for script in scripts {
            for word in [
                "innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval(", "new Function",
                "localStorage", "sessionStorage", "indexedDB", "document.cookie", "setTimeout(\"", "://",
            ] {
                #expect(!script.contains(word), "\(word)")
            }
            for match in script.matches(of: #/from "([^"]+)"/#) { #expect(match.output.1.hasPrefix("./")) }
        }
        #expect(try text("/page.css").matches(of: #/url\(|@import/#).isEmpty)
    }

    @Test func `every text is used, and every text that is used is there`() throws {
        let strings = try text("/strings.mjs")
        let known = Set(strings.matches(of: #/\n    ([a-zA-Z]+):/#).map { String($0.output.1) })
        var used: Set<String> = []
        for file in PageFiles.all where file.path != "/strings.mjs" {
            let text = String(decoding: file.bytes, as: UTF8.self)
            used.formUnion(text.matches(of: #/strings\.([a-zA-Z]+)/#).map { String($0.output.1) })
            used.formUnion(text.matches(of: #/data-(?:text|label)="([a-zA-Z]+)"/#).map { String($0.output.1) })
        }
        used.remove("mjs")
        #expect(used == known, "\(used.symmetricDifference(known))")
        #expect(known.count > 40)
    }

    @Test(arguments: ["/", "/supervisor"]) func `every field has a label, every label a field`(_ path: String) throws {
        let html = try text(path)
        let ids = html.matches(of: #/ id="([a-zA-Z]+)"/#).map { String($0.output.1) }
        #expect(Set(ids).count == ids.count, "an id is there twice")
        let labelled = Set(html.matches(of: #/<label for="([a-zA-Z]+)"/#).map { String($0.output.1) })
        let fields = Set(html.matches(of: #/<(?:input|select) id="([a-zA-Z]+)"/#).map { String($0.output.1) })
        #expect(labelled == fields)
        for match in html.matches(of: #/aria-labelledby="([a-zA-Z]+)"/#) {
            #expect(ids.contains(String(match.output.1)), "\(match.output.1)")
        }
    }

    @Test func `scripts ask only for elements that there are`() throws {
        let (desk, supervisor) = (try text("/"), try text("/supervisor"))
        for (path, pages) in [("/desk.mjs", [desk]), ("/supervisor.mjs", [supervisor]), ("/view.mjs", [desk])] {
            for match in try text(path).matches(
                of: #/(?:element|write|writeLine|press|setPresence|setEnabled|isEnabled)\("([a-zA-Z]+)"/#)
            {
                #expect(pages.allSatisfy { $0.contains("id=\"\(match.output.1)\"") }, "\(path): \(match.output.1)")
            }
        }
    }

    @Test(arguments: ["/", "/supervisor"]) func `every page has the line that says how it is connected`(
        _ path: String
    ) throws {
        let html = try text(path)
        for id in ["strip", "health", "left", "alarm", "elsewhere"] { #expect(html.contains("id=\"\(id)\"")) }
        // Screen readers hear these, and not how the seconds go by.
        for region in [#"id="health" role="status""#, #"id="alarm" role="alert""#, #"id="left" aria-hidden="true""#] {
            #expect(html.contains(region))
        }
    }

    @Test func `the worker of the clock is one of the files`() throws {
        let name = try #require(try text("/clock.mjs").firstMatch(of: #/const path = "([^"]+)"/#)?.output.1)
        #expect(try text(String(name)).contains("postMessage"))
    }
}
