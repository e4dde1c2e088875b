"""Drives headless Chromium by chromedriver (W3C WebDriver): a command in JSON on each line of the input, an answer for each.

browser.py DIRECTORY [WIDTH HEIGHT]. It ends, with the browser, at the end of its input. An answer is {"ok": VALUE} or
{"error": TEXT}. Selectors are CSS; a bare word is an id. Seconds are how long something is waited for.
"""

import base64
import http.client
import json
import re
import signal
import subprocess
import sys
import time

ELEMENT = "element-6066-11e4-a52e-4f735466cecf"
KEYS = {"Enter": "\ue007", "Tab": "\ue004", "Escape": "\ue00c", "Space": " ", "Up": "\ue013", "Down": "\ue015"}

# What can be seen of an element; null where there is none.
LOOK = """
    const found = document.querySelector(arguments[0]);
    if (found === null) return null;
    const style = getComputedStyle(found);
    return {
        text: found.innerText.trim(), isChecked: found.checked === true,
        isEnabled: !found.disabled && found.ariaDisabled !== "true",
        isVisible: found.getClientRects().length > 0 && style.visibility !== "hidden",
    };
"""
# Keeps what the texts of some elements become, in order; an element that cannot be seen has an empty one.
RECORD = """
    const [selectors] = arguments;
    const texts = selectors.map(() => null);
    const recorded = [];
    const look = () => selectors.forEach((selector, index) => {
        const found = document.querySelector(selector);
        const text = found === null || found.getClientRects().length === 0 ? "" : found.innerText.trim();
        if (text === texts[index]) return;
        texts[index] = text;
        recorded.push([selector, text]);
    });
    new MutationObserver(look).observe(
        document, { subtree: true, childList: true, characterData: true, attributes: true });
    window.recordedTexts = recorded;
    look();
"""


class Failed(Exception):
    pass


class Browser:
    def __init__(self, directory, width, height):
        log = open(directory + "/chromedriver.log", "wb")
        command = ["/usr/bin/chromedriver", "--port=0"]
        self.driver = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=log, cwd=directory,
            env={"PATH": "/usr/bin:/bin", "HOME": directory, "TMPDIR": directory, "LANG": "C.UTF-8"})
        port = None
        while port is None:
            line = self.driver.stdout.readline().decode()
            if not line:
                raise Failed("chromedriver did not start")
            found = re.search(r"started successfully on port (\d+)", line)
            port = found and int(found.group(1))
        self.port, self.session = port, ""
        arguments = [
            "--headless=new", "--no-sandbox", "--disable-dev-shm-usage", "--disable-gpu", "--no-first-run",
            "--disable-background-networking", "--disable-component-update", "--disable-sync", "--disable-breakpad",
            "--force-color-profile=srgb", f"--window-size={width},{height}", f"--user-data-dir={directory}/profile"]
        options = {"binary": "/usr/bin/chromium", "args": arguments}
        wanted = {"browserName": "chrome", "goog:chromeOptions": options, "goog:loggingPrefs": {"browser": "ALL"}}
        made = self.call("POST", "/session", {"capabilities": {"alwaysMatch": wanted}})
        self.session = "/session/" + made["sessionId"]
        self.call("POST", "/timeouts", {"implicit": 0, "pageLoad": 30_000, "script": 10_000})
        # The size of what is shown, whatever the frame around it takes.
        metrics = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 640}
        self.cdp("Emulation.setDeviceMetricsOverride", metrics)

    # WebDriver

    def call(self, method, path, body=None):
        if self.session and not path.startswith("/session"):
            path = self.session + path
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        try:
            text = None if body is None else json.dumps(body)
            connection.request(method, path, text, {"Content-Type": "application/json"})
            value = json.loads(connection.getresponse().read())["value"]
        finally:
            connection.close()
        if isinstance(value, dict) and "error" in value:
            raise Failed(f"{value['error']}: {value['message'].splitlines()[0]}")
        return value

    def run(self, script, *arguments):
        return self.call("POST", "/execute/sync", {"script": script, "args": list(arguments)})

    def find(self, css):
        return self.call("POST", "/element", {"using": "css selector", "value": selector(css)})[ELEMENT]

    # Commands

    def open(self, url):
        self.call("POST", "/url", {"url": url})

    def reload(self):
        self.call("POST", "/refresh", {})

    def url(self):
        return self.call("GET", "/url")

    def eval(self, script, arguments=()):
        return self.run(script, *arguments)

    def text(self, css):
        look = self.run(LOOK, selector(css))
        return None if look is None else look["text"]

    def wait(self, css, seconds, **condition):
        """Waits until an element is visible and has what else is asked for, and answers its text.

        hidden, enabled, checked: as it shall be; text, contains: of its text; matches: a regular expression for it.
        """
        return self.until(f"{css} {condition}", seconds, lambda: fitting(self.run(LOOK, selector(css)), condition))

    def wait_script(self, script, seconds):
        """Waits until a script returns something true, and answers that."""
        return self.until(script, seconds, lambda: self.run(script) or None)

    def until(self, what, seconds, attempt):
        end, trouble = time.monotonic() + seconds, None
        while time.monotonic() < end:
            try:
                found = attempt()
                if found is not None:
                    return found
            except Failed as failed:
                # A page on its way to another can be asked nothing.
                trouble = failed
            time.sleep(0.03)
        raise Failed(f"waited {seconds} s in vain: {what}; {trouble or ''} the page shows: {self.page()}")

    def page(self):
        try:
            return self.run("return location.href + ' ' + document.body.innerText.replace(/\\s+/g, ' ')")
        except Failed as failed:
            return str(failed)

    def click(self, css, seconds):
        def attempt():
            if fitting(self.run(LOOK, selector(css)), {"enabled": True}) is None:
                return None
            self.call("POST", f"/element/{self.find(css)}/click", {})
            return True

        self.until(f"click {css}", seconds, attempt)

    def type(self, css, text, seconds):
        self.wait(css, seconds, enabled=True)
        element = self.find(css)
        self.call("POST", f"/element/{element}/clear", {})
        self.call("POST", f"/element/{element}/value", {"text": text})

    def keys(self, keys):
        """Presses keys one after the other, with the focus where it is."""
        presses = [(kind, KEYS.get(key, key)) for key in keys for kind in ("keyDown", "keyUp")]
        actions = [{"type": kind, "value": value} for kind, value in presses]
        self.call("POST", "/actions", {"actions": [{"type": "key", "id": "keyboard", "actions": actions}]})

    def tabs(self):
        return self.call("GET", "/window/handles")

    def tab(self):
        """Opens a tab and goes there; answers its handle."""
        handle = self.call("POST", "/window/new", {"type": "tab"})["handle"]
        self.switch(handle)
        return handle

    def present(self):
        return self.call("GET", "/window")

    def switch(self, handle):
        self.call("POST", "/window", {"handle": handle})

    def close(self):
        return self.call("DELETE", "/window")

    def record(self, selectors):
        self.run(RECORD, [selector(each) for each in selectors])

    def recorded(self):
        """What has been recorded since the page was asked to: pairs of selector and text."""
        return self.run("return window.recordedTexts ?? null")

    def screenshot(self, path):
        with open(path, "wb") as file:
            file.write(base64.b64decode(self.call("GET", "/screenshot")))

    def cdp(self, method, parameters=None):
        return self.call("POST", "/goog/cdp/execute", {"cmd": method, "params": parameters or {}})

    def log(self):
        """What the browser's console has said since it was asked last."""
        return [entry["message"] for entry in self.call("POST", "/se/log", {"type": "browser"})]

    def quit(self):
        try:
            self.call("DELETE", self.session)
        except (Failed, OSError):
            pass
        self.driver.kill()
        self.driver.wait()


def selector(css):
    return "#" + css if re.fullmatch(r"\w+", css) else css


def fitting(look, condition):
    """The text of an element that fits, else None."""
    if condition.get("hidden"):
        return "" if look is None or not look["isVisible"] else None
    if look is None or not look["isVisible"]:
        return None
    text = look["text"]
    checks = {
        "enabled": lambda wanted: look["isEnabled"] == wanted,
        "checked": lambda wanted: look["isChecked"] == wanted,
        "text": lambda wanted: text == wanted,
        "contains": lambda wanted: wanted in text,
        "matches": lambda wanted: re.search(wanted, text) is not None,
    }
    return text if all(checks[name](wanted) for name, wanted in condition.items() if name != "hidden") else None


COMMANDS = (
    "open reload url eval text wait wait_script click type keys tabs tab present switch close record recorded screenshot "
    "cdp log").split()


def main(directory, width=1280, height=800):
    # Whoever ends us wants the browser gone as well.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    browser = Browser(directory, int(width), int(height))
    try:
        print(json.dumps({"ok": "ready"}), flush=True)
        for line in sys.stdin:
            command = json.loads(line)
            name = command.pop("do")
            try:
                if name not in COMMANDS:
                    raise Failed(f"no such command: {name}")
                answer = {"ok": getattr(browser, name)(**command)}
            except (Failed, OSError, TypeError) as failed:
                answer = {"error": str(failed)}
            print(json.dumps(answer), flush=True)
    finally:
        browser.quit()


if __name__ == "__main__":
    main(*sys.argv[1:])
