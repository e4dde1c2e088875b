import Foundation
import Testing

// What makes a page usable for everybody, looked up in the browser itself.
extension Browser {
    /// Sizes of the page in CSS pixels that people have: a desk's screen and a telephone.
    static let sizes = [(width: 1280, height: 800), (width: 360, height: 740)]

    /// - Parameter height: in CSS pixels, as the width.
    func resize(width: Int, height: Int) throws {
        try devTools(
            "Emulation.setDeviceMetricsOverride",
            ["width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 640])
    }

    /// - Parameter scheme: `light` or `dark`, as `prefers-color-scheme` has it.
    func prefer(_ scheme: String) throws {
        try devTools(
            "Emulation.setEmulatedMedia", ["features": [["name": "prefers-color-scheme", "value": scheme]]])
    }

    /// A control as a screen reader has it.
    struct Control {
        let role: String
        let name: String
        let isDisabled: Bool
    }

    /// All that can have the focus, in the page's order.
    func controls() throws -> [Control] {
        let tree = try devTools("Accessibility.getFullAXTree")
        let nodes = try #require(tree["nodes"] as? [[String: Any]])
        return nodes.compactMap { node in
            guard node["ignored"] as? Bool != true, let role = Self.value(node["role"]), role != "RootWebArea" else {
                return nil
            }
            let properties = node["properties"] as? [[String: Any]] ?? []
            func has(_ name: String) -> Bool {
                properties.contains {
                    $0["name"] as? String == name && ($0["value"] as? [String: Any])?["value"] as? Bool == true
                }
            }
            guard has("focusable") else { return nil }
            return Control(role: role, name: Self.value(node["name"]) ?? "", isDisabled: has("disabled"))
        }
    }

    private static func value(_ property: Any?) -> String? { (property as? [String: Any])?["value"] as? String }

    /// What Tab leads to from where the focus is, by id, or by value where there is none. Each has to be seen to have the focus.
    func tabStops(_ count: Int) throws -> [String] {
        try (0..<count).map { _ in
            try press("Tab")
            let stop = try #require(
                try evaluate(
                    """
                    const here = document.activeElement;
                    const isSeen = here === document.body || getComputedStyle(here).outlineStyle !== "none";
                    return [here.id || here.value || here.tagName, isSeen];
                    """) as? [Any])
            let name = try #require(stop[0] as? String)
            #expect(stop[1] as? Bool == true, "\(name) shows that it has the focus")
            return name
        }
    }

    /// Expects of what is shown, in all sizes and both schemes: that texts stand out, controls are named and large enough, and
    /// nothing is wider than the page.
    func expectUsable(_ what: String, sourceLocation: SourceLocation = #_sourceLocation) throws {
        for size in Self.sizes {
            try resize(width: size.width, height: size.height)
            for scheme in ["light", "dark"] {
                try prefer(scheme)
                let faults = try #require(try evaluate(Self.lookForFaults) as? [String])
                #expect(
                    faults.isEmpty, "\(what), \(size.width) pixels, \(scheme): \(faults)",
                    sourceLocation: sourceLocation)
            }
        }
        try resize(width: Self.sizes[0].width, height: Self.sizes[0].height)
        try prefer("light")
        let controls = try controls()
        #expect(!controls.isEmpty, "\(what)", sourceLocation: sourceLocation)
        #expect(controls.allSatisfy { !$0.name.isEmpty }, "\(what): \(controls)", sourceLocation: sourceLocation)
    }

    /// Contrast by WCAG 2.2, success criterion 1.4.3; the least size of 2.5.5. Where the ground runs from one color to another,
    /// the text has to stand out from both.
    private static let lookForFaults = #"""
        const color = (text) => {
            const [red, green, blue, alpha = 1] = text.match(/[\d.]+/g).map(Number);
            return { parts: [red, green, blue], alpha };
        };
        const light = ({ parts }) => {
            const linear = parts.map((part) => part / 255)
                .map((part) => (part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4));
            return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2];
        };
        const contrast = (one, other) => {
            const [more, less] = [light(one), light(other)].sort((a, b) => b - a);
            return (more + 0.05) / (less + 0.05);
        };
        const grounds = (element) => {
            for (let each = element; each; each = each.parentElement) {
                const style = getComputedStyle(each);
                const stops = style.backgroundImage.match(/rgba?\([^)]*\)/g);
                if (stops) return stops.map(color);
                if (color(style.backgroundColor).alpha === 1) return [color(style.backgroundColor)];
            }
            return [color("rgb(255, 255, 255)")];
        };
        const isShown = (element) => element.getClientRects().length > 0 && !element.closest(".unseen");
        const faults = [];
        let texts = 0;
        const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
        for (let node = walker.nextNode(); node; node = walker.nextNode()) {
            const element = node.parentElement;
            if (!node.textContent.trim() || element.closest("option, noscript") || !isShown(element)) continue;
            texts += 1;
            const own = color(getComputedStyle(element).color);
            const least = Math.min(...grounds(element).map((ground) => contrast(own, ground)));
            if (least < 4.5) faults.push(`"${node.textContent.trim()}" has a contrast of ${least.toFixed(2)}`);
        }
        if (texts < 3) faults.push("there is hardly a text");
        for (const control of document.querySelectorAll("button, a, input, select")) {
            const { width, height } = (control.closest("label") ?? control).getBoundingClientRect();
            if (isShown(control) && (width < 44 || height < 44)) {
                faults.push(`${control.id || control.value} is ${width} by ${height}`);
            }
        }
        // A telephone's window grows with what is in it, the page does not.
        const excess = document.documentElement.scrollWidth - document.documentElement.clientWidth;
        if (excess > 0) faults.push(`${excess} pixels too wide`);
        return faults;
        """#
}
