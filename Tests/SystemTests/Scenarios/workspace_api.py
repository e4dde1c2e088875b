"""Browsers at two workspaces, and those who only pretend to be some. Each command tries one thing; what is wrong ends it.

    workspace_api.py COMMAND [VALUE...]

`SECRETS` of the environment names a file that is told every password, cookie, ticket and token that was seen. The password of an agent
is `password_of(agent)`, for the test, too.
"""

import os
import resource
import socket
import ssl
import sys
import time
import warnings

from workspace_browsers import EAST, PATIENCE, WEST, Browser, Flood, Stream, expect, password_of, secrets, signed_in

SECURE = ("127.0.0.1", 8443)
SECURE_HOST = "desk.example.com:8443"


# What is stolen.


def cookie():
    """A cookie alone reads, and changes nothing; after the agent has logged out it is good for nothing anywhere."""
    ann, ben = signed_in("ann", dn="7001"), signed_in("ben", source="127.0.0.2")
    assert "HttpOnly" in str(ann.ask("POST", "/api/v1/session/renew").headers["Set-Cookie"])
    changes = [
        ("PUT", "/api/v1/presence", {"state": "ready"}), ("PUT", "/api/v1/dn", {"dn": "7002"}), ("DELETE", "/api/v1/dn", None),
        ("DELETE", "/api/v1/session", None), ("POST", "/api/v1/session/renew", None),
    ]
    for desk in (WEST, EAST):
        thief = ann.copy(desk)
        assert expect(thief.ask("GET", "/api/v1/session"), 200).json["agent"] == "ann"
        # Reading tells what a page needs to go on; a page of another site cannot read it.
        for csrf in (None, "", "AAAA", ben.csrf, ann.ticket):
            for method, path, body in changes:
                thief.csrf = None
                expect(thief.ask(method, path, body, {"X-CSRF-Token": csrf}), 403, "bad-csrf")
    assert expect(ann.ask("GET", "/api/v1/session"), 200).json["state"]["agent"]["status"] == "not-ready"
    # A ticket is no cookie, and a cookie is no ticket.
    thief = ann.copy(WEST)
    thief.cookie = "tandem-desk=" + ann.ticket
    expect(thief.ask("GET", "/api/v1/session"), 401)
    expect(Browser(EAST).ask("POST", "/api/v1/session/resume", {"ticket": ann.cookie.partition("=")[2]}), 401)
    stolen, csrf, ticket = ann.cookie, ann.csrf, ann.ticket
    expect(ann.log_out(), 204)
    assert ann.cookie is None
    for desk in (WEST, EAST):
        for method, path, body in [("GET", "/api/v1/session", None), ("GET", "/api/v1/events", None)] + changes:
            thief = Browser(desk)
            thief.cookie, thief.csrf = stolen, csrf
            refused = expect(thief.ask(method, path, body), 401)
            assert "Max-Age=0" in refused.headers["Set-Cookie"], refused
        expect(Browser(desk).ask("POST", "/api/v1/session/resume", {"ticket": ticket}), 401)


def fixation():
    """A session is new with each login, whatever cookie the browser had before."""
    ann = signed_in("ann", dn="7001")
    before, csrf = ann.cookie, ann.csrf
    planted = Browser(WEST)
    planted.cookie = before
    expect(planted.log_in("ben"), 200)
    assert planted.cookie != before and planted.csrf != csrf
    assert expect(ann.ask("GET", "/api/v1/session"), 200).json["agent"] == "ann"
    for change in range(0, len(before), 7):
        forged = Browser(EAST)
        letter = "A" if before[change] != "A" else "B"
        forged.cookie = before[:change] + letter + before[change + 1:]
        expect(forged.ask("GET", "/api/v1/session"), 401)
    expect(ann.log_out(), 204)


# Where requests come from.


def strangers():
    """Pages of other sites, and names that are not the desk's, get nothing."""
    ann = signed_in("ann")
    for origin in (
        None, "null", "http://evil.example", "https://127.0.0.1:8081", "http://127.0.0.1:8082", "http://127.0.0.1:8081.evil.example",
    ):
        expect(ann.ask("PUT", "/api/v1/presence", {"state": "ready"}, {"Origin": origin}), 403, "bad-origin")
    for site in ("cross-site", "same-site", "none"):
        for method, path in (("GET", "/api/v1/session"), ("GET", "/api/v1/events"), ("POST", "/api/v1/session/renew")):
            expect(ann.ask(method, path, None, {"Sec-Fetch-Site": site}), 403, "bad-origin")
    for kind in (None, "text/plain", "application/x-www-form-urlencoded"):
        expect(ann.ask("PUT", "/api/v1/presence", {"state": "ready"}, {"Content-Type": kind}), 415)
    for host in ("evil.example", "127.0.0.1:8082", "127.0.0.1", "127.0.0.1:8081.evil.example"):
        for path in ("/", "/desk.mjs", "/api/v1/gateway", "/api/v1/session", "/nowhere"):
            expect(ann.ask("GET", path, None, {"Host": host}), 421)
    answer = ann.ask("OPTIONS", "/api/v1/session", None, {"Access-Control-Request-Method": "PUT"})
    assert not [name for name in answer.headers if name.lower().startswith("access-control")], answer
    expect(answer, 405)
    # Many of them do not fill the log.
    for _ in range(200):
        expect(ann.ask("POST", "/api/v1/session/renew", None, {"Origin": "http://evil.example"}), 403, "bad-origin")
    expect(ann.ask("GET", "/api/v1/session"), 200)


def markup():
    """What agents and callers are called is told as text, never as a page."""
    name, reason = "<b>eve</b>", "<script>alert(1)</script>"
    eve = signed_in(name, dn="7001")
    answers = [
        eve.ask("GET", "/api/v1/session"),
        eve.ask("PUT", "/api/v1/presence", {"state": "not-ready", "reason": reason}),
        eve.ask("PUT", "/api/v1/presence", {"state": "not-ready", "reason": "<i>no reason</i>"}),
        eve.ask("PUT", "/api/v1/dn", {"dn": "<i>7001</i>"}),
        eve.ask("GET", "/api/v1/gateway"),
        eve.ask("GET", "/api/v1/%3Cscript%3Enowhere"),
        Browser(WEST).log_in("<i>nobody</i>"),
        Browser(WEST).ask("POST", "/api/v1/session", None, {"Cookie": "tandem-desk=<i>"}),
    ]
    for answer in answers:
        assert answer.headers.get_content_type() in ("application/json", "application/problem+json"), answer
        assert answer.headers["X-Content-Type-Options"] == "nosniff", answer
        assert "default-src 'none'" in answer.headers["Content-Security-Policy"], answer
        # What was asked is not repeated.
        assert "<i>" not in answer.text and "nowhere" not in answer.text, answer
        answer.json
    assert answers[0].json["agent"] == name
    assert expect(answers[1], 200).json["agent"]["reason"] == reason
    expect(answers[2], 400, "unknown-reason")
    expect(answers[5], 404)
    # The event stream tells it in one line.
    stream = Stream(eve)
    assert reason in stream.until("event: state").replace("\\/", "/")
    expect(eve.log_out(), 204)


# Floods.


def logins():
    """2,000 wrong passwords from one address: others sign in and work meanwhile."""
    ann = signed_in("ann", dn="7001", source="127.0.0.2")
    flood = Flood(lambda number: Browser(WEST, "127.0.0.3").log_in("cleo", f"guess {number}").status, 16)
    flood.reach(100)
    slowest = 0
    signed = False
    while flood.total < 2000 or not signed:
        begun = time.monotonic()
        expect(ann.ask("GET", "/api/v1/session"), 200)
        if not signed:
            signed_in("ben", source="127.0.0.4")
            signed = True
        slowest = max(slowest, time.monotonic() - begun)
        time.sleep(0.1)
    flood.end()
    assert set(flood.counts) <= {401, 429, 503}, flood.counts
    assert flood.counts.get(401, 0) <= 60 and flood.counts[429] >= 1900, flood.counts
    assert slowest < 10, slowest
    refused = expect(Browser(WEST, "127.0.0.3").log_in("cleo"), 429, "too-many-attempts")
    assert int(refused.headers["Retry-After"]) >= 1 and refused.json["retryAfterMs"] > 0
    # The same at whatever address, as it is the agent's.
    expect(Browser(WEST, "127.0.0.5").log_in("cleo"), 429, "too-many-attempts")
    print(f"slowest answer to others {slowest:.2f} s, {flood.counts}")


def memory(pid):
    """Resident memory of a process, in MiB."""
    with open(f"/proc/{pid}/status") as file:
        return next(int(line.split()[1]) for line in file if line.startswith("VmRSS:")) // 1024


def processor(pid):
    """Processor time of a process, in seconds."""
    with open(f"/proc/{pid}/stat") as file:
        fields = file.read().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def pour(head, piece, most):
    """Sends a head and then pieces, until the other side has cut, or takes no more.

    Returns what was answered, and how many bytes went out."""
    connection = socket.create_connection(WEST, timeout=5)
    connection.sendall(head)
    sent = 0
    try:
        while sent < most:
            sent += connection.send(piece)
    except OSError:
        pass
    answer = b""
    try:
        while data := connection.recv(65536):
            answer += data
    except OSError:
        pass
    connection.close()
    return answer.decode(), sent


def bodies(pid):
    """Bodies without end are refused and cut, and kept nowhere."""
    post = "POST /api/v1/session HTTP/1.1\r\nHost: 127.0.0.1:8081\r\nOrigin: http://127.0.0.1:8081\r\nContent-Type: application/json\r\n"
    get = "GET / HTTP/1.1\r\nHost: 127.0.0.1:8081\r\n"
    piece = b"a" * 65536
    heads = {
        "413": (post + "Content-Length: 10000000000\r\n\r\n", piece),
        "411": (post + "Transfer-Encoding: chunked\r\n\r\n", b"10000\r\n" + piece + b"\r\n"),
        "another protocol": (get + "Connection: Upgrade\r\nUpgrade: websocket\r\n\r\n", piece),
        "tunnel": ("CONNECT a:443 HTTP/1.1\r\nHost: 127.0.0.1:8081\r\n\r\n", piece),
        "head": (get, b"X-Header: " + piece[:4096] + b"\r\n"),
        "target": ("GET /", piece),
        "nothing": ("", b"\r\n" * 32768),
    }
    before, most = memory(pid), 512 << 20
    for name, (head, body) in heads.items():
        answer, sent = pour(head.encode(), body, most)
        print(f"{name}: {sent >> 20} MiB sent, answer {answer[:30]!r}, memory {memory(pid)} MiB after {before}")
        if name in ("413", "411"):
            assert not answer or answer.startswith(f"HTTP/1.1 {name}"), answer
        # Empty lines before a request are nothing, however many.
        assert sent < 64 << 20 or name == "nothing", (name, sent)
        assert memory(pid) < before + 64, name
    # Announced and not sent: the answer is sure to arrive.
    for length, status in ((16385, "413"), (10**18, "413"), (10**30, "400")):
        answer, _ = pour((post + f"Content-Length: {length}\r\n\r\n").encode(), b"", 0)
        assert answer.startswith(f"HTTP/1.1 {status}"), (length, answer)
        if status == "413":
            assert '"code":"body-too-large"' in answer, answer
    expect(signed_in("ann").ask("GET", "/api/v1/session"), 200)


def is_cut(connection):
    """Whether the other side has ended, without waiting."""
    connection.setblocking(False)
    try:
        return connection.recv(1) == b""
    except BlockingIOError:
        return False
    except OSError:
        return True


def raise_limit():
    """Of descriptors, so that thousands of connections are possible."""
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, 16384), hard))


def silence(pid):
    """5,000 connections that say nothing: whoever asks is answered, as they lose their places."""
    raise_limit()
    ann = signed_in("ann", dn="7001", source="127.0.0.2")
    stream = Stream(ann)
    stream.until("event: state")
    before, begun = memory(pid), time.monotonic()
    silent = []
    for number in range(5000):
        silent.append(socket.create_connection(WEST, PATIENCE, (f"127.0.1.{1 + number // 60}", 0)))
    taken = time.monotonic() - begun
    expect(ann.ask("GET", "/api/v1/session"), 200)
    signed_in("ben", source="127.0.0.3")
    stream.until("event: beat")
    after = memory(pid)
    cut = sum(is_cut(connection) for connection in silent)
    print(f"5000 in {taken:.1f} s, {cut} cut, memory {after} MiB after {before}, {time.monotonic() - begun:.1f} s in all")
    assert cut >= 5000 - 4096, cut
    assert after < before + 256, after
    # In the end all have been.
    deadline = time.monotonic() + PATIENCE
    while not all(is_cut(connection) for connection in silent):
        assert time.monotonic() < deadline
        time.sleep(0.1)
    expect(ann.ask("GET", "/api/v1/session"), 200)


def slowness():
    """Heads and bodies that come byte by byte end soon, and cost only their sender anything."""
    raise_limit()
    beginnings = {
        "head": "GET / HTTP/1.1\r\nHost: 127.0.0.1:8081\r\nX: ",
        "body": "POST /api/v1/session HTTP/1.1\r\nHost: 127.0.0.1:8081\r\nContent-Length: 10000\r\n\r\n",
    }
    slow = {}
    for name, text in beginnings.items():
        source = "127.0.0.3" if name == "head" else "127.0.0.4"
        slow[name] = [socket.create_connection(WEST, PATIENCE, (source, 0)) for _ in range(512)]
        for connection in slow[name]:
            connection.sendall(text.encode())
    # The last of them has its place when another is refused.
    refused = socket.create_connection(WEST, PATIENCE, ("127.0.0.3", 0))
    assert refused.recv(1) == b""
    begun = time.monotonic()
    expect(signed_in("ann", source="127.0.0.2").ask("GET", "/api/v1/session"), 200)
    ends = {}
    while len(ends) < len(slow):
        for name, connections in slow.items():
            if name in ends:
                continue
            for connection in connections:
                try:
                    connection.send(b"a")
                except OSError:
                    pass
            if all(is_cut(connection) for connection in connections):
                ends[name] = time.monotonic() - begun
        assert time.monotonic() < begun + PATIENCE, ends
        time.sleep(0.5)
    print(ends)
    expect(Browser(WEST, "127.0.0.3").ask("GET", "/"), 200)


def descriptors(pid):
    """Without descriptors nobody new comes in, the processor is not kept busy, and then all is well again."""
    pid = int(pid)
    ann = signed_in("ann")
    stream = Stream(ann)
    stream.until("event: state")
    used = len(os.listdir(f"/proc/{pid}/fd"))
    usual = resource.prlimit(pid, resource.RLIMIT_NOFILE)
    resource.prlimit(pid, resource.RLIMIT_NOFILE, (used, usual[1]))
    waiting = [socket.create_connection(WEST, PATIENCE, ("127.0.0.3", 0)) for _ in range(40)]
    before, begun = processor(pid), time.monotonic()
    stream.until("event: beat")
    time.sleep(2)
    load = (processor(pid) - before) / (time.monotonic() - begun)
    resource.prlimit(pid, resource.RLIMIT_NOFILE, usual)
    for connection in waiting:
        connection.close()
    expect(ann.ask("GET", "/api/v1/session"), 200)
    print(f"load {load:.2f}")
    # As busy as it would be with nothing but beats.
    assert load < 0.3, load


# TLS and proxies.


def tls(authority):
    """HTTPS by the desk itself: the cookie is for this host, over TLS, and for no script."""
    context = ssl.create_default_context(cafile=authority)
    ann = Browser(SECURE, context=context, host=SECURE_HOST)
    answer = expect(ann.log_in("ann"), 200)
    name, _, attributes = answer.headers["Set-Cookie"].partition("=")
    assert name == "__Host-tandem", name
    assert {"Path=/", "HttpOnly", "SameSite=Strict", "Secure"} <= set(attributes.split("; ")), attributes
    assert "Domain" not in attributes
    assert answer.headers["Strict-Transport-Security"] == "max-age=31536000"
    expect(ann.sit("7001"), 200)
    stream = Stream(ann)
    stream.until("event: state")
    # The name without the prefix, which other hosts could set, is not looked at.
    thief = Browser(SECURE, context=context, host=SECURE_HOST)
    thief.cookie = ann.cookie.replace("__Host-tandem", "tandem-desk")
    expect(thief.ask("GET", "/api/v1/session"), 401, "no-session")
    expect(ann.ask("PUT", "/api/v1/presence", {"state": "ready"}, {"Origin": "http://" + SECURE_HOST}), 403, "bad-origin")
    expect(ann.ask("PUT", "/api/v1/presence", {"state": "ready"}), 200)
    # Who speaks no TLS, an old one, or half of it.
    plain = socket.create_connection(SECURE, PATIENCE)
    plain.sendall(b"GET / HTTP/1.1\r\nHost: desk.example.com:8443\r\n\r\n")
    assert b"HTTP" not in plain.recv(100)
    half = socket.create_connection(SECURE, PATIENCE)
    half.sendall(b"\x16\x03\x01\x02\x00\x01")
    old = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    old.check_hostname, old.verify_mode = False, ssl.CERT_NONE
    old.set_ciphers("ALL:@SECLEVEL=0")
    with warnings.catch_warnings(action="ignore"):
        old.minimum_version, old.maximum_version = ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1
    try:
        old.wrap_socket(socket.create_connection(SECURE, PATIENCE))
        raise AssertionError("TLS 1.1 was taken")
    except (ssl.SSLError, ConnectionError):
        pass
    # Handshakes as many as can be: others are served.
    def shake(number):
        try:
            with context.wrap_socket(socket.create_connection(SECURE, 5, ("127.0.0.3", 0)), server_hostname="desk.example.com"):
                return "shaken"
        except ssl.SSLError:
            return "refused"
    flood = Flood(shake, 8)
    flood.reach(300)
    begun = time.monotonic()
    expect(ann.ask("GET", "/api/v1/session"), 200)
    assert time.monotonic() - begun < 5
    flood.end()
    stream.until("event: beat")
    assert half.recv(1) == b""
    # The end of TLS is said, so nobody can cut an answer short unseen.
    last = ann.connect()
    last.request("GET", "/", None, {"Host": SECURE_HOST, "Connection": "close"})
    assert b"</html>" in last.getresponse().read()
    expect(ann.log_out(), 204)
    print(flood.counts)


def proxied():
    """A listed proxy says where requests come from; others are believed nothing."""
    for number, (proxy, forwarded) in enumerate((
        ("127.0.0.7", "203.0.113.7"), ("127.0.0.7", "198.51.100.1, 203.0.113.8"), ("127.0.0.8", "203.0.113.9"),
        ("127.0.0.7", "not an address"), ("127.0.0.7", None),
    )):
        browser = Browser(EAST, proxy)
        browser.agent = f"proxied{number}"
        headers = {"X-Forwarded-For": forwarded, "X-Forwarded-Proto": "https"}
        body = {"agent": browser.agent, "password": "a wrong one"}
        answer = expect(browser.ask("POST", "/api/v1/session", body, headers), 401, "wrong-credentials")
        assert "Strict-Transport-Security" not in answer.headers
    # Each address behind the proxy has its own account, whatever it writes before it.
    def guess(number):
        body = {"agent": f"other{number}{time.monotonic()}", "password": "a wrong one"}
        forwarded = f"192.0.2.{number}, 203.0.113.20"
        return Browser(EAST, "127.0.0.7").ask("POST", "/api/v1/session", body, {"X-Forwarded-For": forwarded}).status
    flood = Flood(guess, 8)
    flood.until(429)
    flood.end()
    assert set(flood.counts) == {401, 429}, flood.counts
    browser = Browser(EAST, "127.0.0.7")
    body = {"agent": "ann", "password": password_of("ann")}
    expect(browser.ask("POST", "/api/v1/session", body, {"X-Forwarded-For": "203.0.113.21"}), 200)
    secrets.add(body["password"])


if __name__ == "__main__":
    try:
        globals()[sys.argv[1]](*sys.argv[2:])
    finally:
        if path := os.environ.get("SECRETS"):
            with open(path, "a") as file:
                file.writelines(secret + "\n" for secret in sorted(secrets) if secret)
