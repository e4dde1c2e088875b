"""Browsers at workspaces: what each says and keeps, streams of events, and threads that do the same again and again."""

import http.client
import json
import threading
import time

WEST, EAST = ("127.0.0.1", 8081), ("127.0.0.1", 8082)
# For each wait, not for the whole of a command.
PATIENCE = 30
secrets = set()


def password_of(agent):
    return f"the password of {agent}"


class Answer:
    def __init__(self, response, body):
        self.status, self.headers, self.body = response.status, response.headers, body

    @property
    def text(self):
        return self.body.decode()

    @property
    def json(self):
        return json.loads(self.body)

    @property
    def code(self):
        """The problem's, empty where there is none."""
        return self.json["code"] if self.headers.get_content_type() == "application/problem+json" else ""

    def __repr__(self):
        return f"{self.status} {self.headers} {self.body[:300]}"


class Browser:
    """One browser at one desk: it keeps its cookie and says what browsers say."""

    def __init__(self, desk, source="127.0.0.1", context=None, host=None):
        self.desk, self.source, self.context = desk, source, context
        self.host = host or "%s:%d" % desk
        self.origin = ("https://" if context else "http://") + self.host
        self.cookie, self.csrf, self.ticket, self.agent = None, None, None, None
        self.connection = None

    def connect(self):
        connection = http.client.HTTPConnection(*self.desk, timeout=PATIENCE, source_address=(self.source, 0))
        if self.context:
            connection.connect()
            connection.sock = self.context.wrap_socket(connection.sock, server_hostname=self.host.split(":")[0])
        return connection

    def ask(self, method, path, body=None, change=None):
        """`change` replaces headers; None leaves one out."""
        headers = {"Host": self.host, "Sec-Fetch-Site": "same-origin"}
        if self.cookie:
            headers["Cookie"] = self.cookie
        data = None
        if method != "GET":
            data = json.dumps({} if body is None else body)
            headers |= {"Origin": self.origin, "Content-Type": "application/json"}
            if self.csrf:
                headers["X-CSRF-Token"] = self.csrf
        headers |= change or {}
        headers = {name: value for name, value in headers.items() if value is not None}
        connection = self.connect()
        try:
            connection.request(method, path, data, headers)
            response = connection.getresponse()
            answer = Answer(response, response.read())
        finally:
            connection.close()
        self.take(answer)
        return answer

    def take(self, answer):
        for cookie in answer.headers.get_all("Set-Cookie", []):
            pair = cookie.split(";")[0]
            value = pair.partition("=")[2]
            self.cookie = pair if value else None
            secrets.add(value)
        if answer.status == 200 and answer.headers.get_content_type() == "application/json":
            found = answer.json
            if "csrf" in found:
                self.csrf, self.ticket = found["csrf"], found["ticket"]
                secrets.update((self.csrf, self.ticket))

    def log_in(self, agent, password=None):
        self.agent = agent
        password = password or password_of(agent)
        secrets.add(password)
        return self.ask("POST", "/api/v1/session", {"agent": agent, "password": password})

    def sit(self, dn):
        return self.ask("PUT", "/api/v1/dn", {"dn": dn})

    def log_out(self):
        return self.ask("DELETE", "/api/v1/session")

    def copy(self, desk):
        """Somebody with this one's cookie, and nothing else, at a desk."""
        thief = Browser(desk, self.source)
        thief.cookie = self.cookie
        return thief


def expect(answer, status, code=None):
    if answer.status != status or code is not None and answer.code != code:
        raise AssertionError(f"expected {status} {code or ''}, got {answer}")
    return answer


def signed_in(agent, desk=WEST, dn=None, **more):
    browser = Browser(desk, **more)
    expect(browser.log_in(agent), 200)
    if dn:
        expect(browser.sit(dn), 200)
    return browser


class Stream:
    """A stream of events, read as bytes."""

    def __init__(self, browser, path="/api/v1/events"):
        self.connection = browser.connect()
        self.connection.request("GET", path, None, {"Host": browser.host, "Cookie": browser.cookie})
        self.response = self.connection.getresponse()
        assert self.response.status == 200, self.response.status
        assert self.response.headers.get_content_type() == "text/event-stream"
        self.lines = []

    def until(self, line):
        """All lines through an event that begins so."""
        while True:
            text = self.response.readline().decode()
            assert text, f"it ended before {line}"
            self.lines.append(text)
            if text == "\n" and any(known.startswith(line) for known in self.lines):
                return "".join(self.lines)


class Flood:
    """Threads that do the same as often as they can, until it is enough."""

    def __init__(self, work, threads):
        self.work, self.is_over = work, threading.Event()
        self.threads = [threading.Thread(target=self.run, args=(number,), daemon=True) for number in range(threads)]
        self.counts, self.lock = {}, threading.Lock()
        for thread in self.threads:
            thread.start()

    def run(self, number):
        while not self.is_over.is_set():
            try:
                found = self.work(number)
            except OSError as problem:
                found = type(problem).__name__
            with self.lock:
                self.counts[found] = self.counts.get(found, 0) + 1

    @property
    def total(self):
        with self.lock:
            return sum(self.counts.values())

    def reach(self, total):
        deadline = time.monotonic() + 120
        while self.total < total:
            assert time.monotonic() < deadline, self.counts
            time.sleep(0.01)

    def until(self, found):
        deadline = time.monotonic() + 120
        while found not in self.counts:
            assert time.monotonic() < deadline, self.counts
            time.sleep(0.01)

    def end(self):
        self.is_over.set()
        for thread in self.threads:
            thread.join(PATIENCE)
