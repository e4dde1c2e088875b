"""Phones whose tests read as traces: what each sends, and what it waits for. They repeat nothing by themselves, and what comes
to them again they keep apart."""

import itertools
import re
import select
import socket
import ssl
import subprocess
import time

DOMAIN = "cc.example.com"
WEST, EAST = 5071, 5072
numbers = itertools.count(1)


class Message:
    """A request or a response, taken apart as far as a test needs it."""

    def __init__(self, data):
        head, _, self.body = data.partition(b"\r\n\r\n")
        lines = head.decode(errors="replace").split("\r\n")
        self.text = data.decode(errors="replace")
        self.first = lines[0]
        self.headers = [(name.strip(), value.strip()) for name, _, value in (line.partition(":") for line in lines[1:])]
        words = self.first.split(" ", 2)
        self.status = int(words[1]) if words[0] == "SIP/2.0" else None
        self.method = self["CSeq"].partition(" ")[2] if self.status else words[0]
        self.uri = words[1]

    def all(self, name):
        return [value for key, value in self.headers if key.lower() == name.lower()]

    def __getitem__(self, name):
        return (self.all(name) or [""])[0]

    def addresses(self, name):
        """The addresses in angle brackets of all headers of a name, in their order."""
        return [address for value in self.all(name) for address in re.findall(r"<[^>]*>", value)]

    def tag(self, name):
        found = re.search(r";tag=([^;]+)", self[name])
        return found.group(1) if found else ""


class Phone:
    """A DN's phone at a port of a node."""

    def __init__(self, dn, node=WEST, transport="UDP", host="127.0.0.1"):
        self.dn, self.node, self.transport = dn, node, transport
        self.inbox, self.repeated, self.seen, self.stream = [], [], set(), b""
        if transport == "UDP":
            self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            self.socket.bind((host, 0))
        else:
            self.socket = socket.create_connection(("127.0.0.1", node), source_address=(host, 0))
            self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            if transport == "TLS":
                context = ssl.create_default_context()
                context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
                self.socket = context.wrap_socket(self.socket)
        self.host, self.port = self.socket.getsockname()
        parameter = "" if transport == "UDP" else f";transport={transport.lower()}"
        self.contact = f"<sip:{dn}@{self.host}:{self.port}{parameter}>"

    # What goes out.

    def send(self, text, node=None):
        data = text.encode() if isinstance(text, str) else text
        if self.transport == "UDP":
            self.socket.sendto(data, ("127.0.0.1", node or self.node))
        else:
            self.socket.sendall(data)

    def via(self, branch=None):
        return f"Via: SIP/2.0/{self.transport} {self.host}:{self.port};branch={branch or self.branch()};rport"

    def branch(self):
        return f"z9hG4bK{self.dn}x{next(numbers)}"

    def register(self, expires=300, contact=None):
        number = next(numbers)
        answer = self.ask(text(
            f"REGISTER sip:{DOMAIN} SIP/2.0", self.via(), "Max-Forwards: 70",
            f"From: <sip:{self.dn}@{DOMAIN}>;tag={number}", f"To: <sip:{self.dn}@{DOMAIN}>",
            f"Call-ID: register-{self.dn}-{self.port}", f"CSeq: {number} REGISTER",
            f"Contact: {contact or self.contact}", f"Expires: {expires}"))
        assert answer.status == 200, answer.first
        if expires:
            self.awaits_service()
        return self

    def awaits_service(self):
        """Both nodes say that the DN can be called."""
        for node in (WEST, EAST):
            asker, end = Phone(self.dn, node), time.monotonic() + 20
            while asker.options(f"{self.dn}@").status != 200:
                assert time.monotonic() < end, f"{self.dn} is out of service at {node}"
            asker.close()

    def invite(self, dn, *more, **options):
        return Call.to(self, dn, *more, **options)

    # What comes in.

    def receive(self, what, fits=lambda message: True, seconds=20):
        """The first message that fits; those before it stay."""
        end = time.monotonic() + seconds
        while True:
            for message in self.inbox:
                if fits(message):
                    self.inbox.remove(message)
                    return message
            if not self.read(end - time.monotonic()):
                raise AssertionError(f"{self.dn} waits in vain: {what}; there is {[m.first for m in self.inbox]}")

    def repetition(self, message, seconds=20):
        """The same once more."""
        end = time.monotonic() + seconds
        while message.text not in self.repeated:
            assert self.read(end - time.monotonic()), f"{self.dn} waits in vain for another {message.first}"
        self.repeated.remove(message.text)

    def hears_nothing(self, fits=lambda message: True):
        """Nothing has come that fits. What the node has sent before it answers this has come before the answer."""
        self.options()
        found = [message.first for message in self.inbox if fits(message)]
        assert not found, f"{self.dn} hears {found}"

    def options(self, user=""):
        number = next(numbers)
        return self.ask(text(
            f"OPTIONS sip:{user}{DOMAIN} SIP/2.0", self.via(), "Max-Forwards: 70", f"From: <sip:test@{DOMAIN}>;tag=1",
            f"To: <sip:{user}{DOMAIN}>", f"Call-ID: options-{self.dn}-{number}", f"CSeq: {number} OPTIONS"))

    def ask(self, request, seconds=20):
        """What the node answers to a request, which is repeated over UDP."""
        what, cseq = request.partition(" ")[0], Message(request.encode())["CSeq"]
        for attempt in range(2 * seconds):
            if attempt == 0 or self.transport == "UDP":
                self.send(request)
            try:
                return self.receive(f"an answer to {what}", lambda message: message.status and message["CSeq"] == cseq, 0.5)
            except AssertionError:
                if attempt == 2 * seconds - 1:
                    raise

    def read(self, seconds):
        """Takes in what there is; false when nothing came in time."""
        while self.take():
            return True
        pending = self.transport == "TLS" and self.socket.pending()
        if not pending and not select.select([self.socket], [], [], max(0, seconds))[0]:
            return False
        data = self.socket.recv(65536)
        if self.transport != "UDP":
            assert data, f"{self.dn}: the node has closed the connection"
            self.stream += data
            self.take()
        else:
            self.keep(data)
        return True

    def take(self):
        """The next whole message of a stream."""
        self.stream = self.stream.lstrip(b"\r\n")
        head, end, rest = self.stream.partition(b"\r\n\r\n")
        if not end:
            return False
        length = int(re.search(rb"(?im)^(?:content-length|l)\s*:\s*(\d+)", head).group(1))
        if len(rest) < length:
            return False
        self.stream = rest[length:]
        self.keep(head + end + rest[:length])
        return True

    def keep(self, data):
        if data in self.seen:
            return self.repeated.append(data.decode(errors="replace"))
        self.seen.add(data)
        self.inbox.append(Message(data))

    def rings(self, seconds=20):
        """Waits for a call."""
        return Call.of(self, self.receive("a call", lambda m: not m.status and m.method == "INVITE", seconds))

    def close(self):
        self.socket.close()


def text(*lines, body=""):
    return "\r\n".join([line for line in lines if line] + [f"Content-Length: {len(body)}", "", body])


class Call:
    """One side of a call."""

    def __init__(self, phone, call_id, local, remote):
        self.phone, self.call_id, self.local, self.remote = phone, call_id, local, remote
        self.cseq, self.routes, self.target, self.requests = 0, [], None, {}

    @staticmethod
    def to(phone, dn, *more, caller=None, hops=70, routes=(), uri=None, node=None):
        number = next(numbers)
        call = Call(
            phone, f"call-{number}@{phone.host}", f"<sip:{caller or phone.dn}@{DOMAIN}>;tag={number}", f"<sip:{dn}@{DOMAIN}>")
        call.target = uri or f"sip:{dn}@{DOMAIN}"
        call.routes = list(routes)
        call.send("INVITE", *more, hops=hops, node=node)
        call.routes = []
        return call

    @staticmethod
    def of(phone, invite):
        call = Call(phone, invite["Call-ID"], invite["To"] + f";tag={next(numbers)}", invite["From"])
        call.routes = invite.addresses("Record-Route")
        call.target = invite.addresses("Contact")[0][1:-1]
        call.requests["INVITE"] = invite
        return call

    @property
    def invite(self):
        return self.requests["INVITE"]

    def send(self, method, *more, hops=70, branch=None, cseq=None, node=None, body=""):
        """A request within the dialog, or the one that begins it."""
        if cseq is None:
            self.cseq += 1
            cseq = self.cseq
        message = text(
            f"{method} {self.target} SIP/2.0", self.phone.via(branch), *[f"Route: {route}" for route in self.routes],
            f"Max-Forwards: {hops}", f"From: {self.local}", f"To: {self.remote}", f"Call-ID: {self.call_id}",
            f"CSeq: {cseq} {method}", f"Contact: {self.phone.contact}", *more, body=body)
        self.phone.send(message, node)
        self.requests["sent " + method] = Message(message.encode())
        return self

    def again(self, method="INVITE"):
        self.phone.send(self.requests["sent " + method].text)

    def ack(self, **options):
        return self.send("ACK", cseq=self.requests["sent INVITE"]["CSeq"].split()[0], **options)

    def acknowledge(self):
        """The ACK of a final response other than 2xx, which is between two hops."""
        self.hop("ACK", self.refusal["To"])

    def cancel(self):
        self.hop("CANCEL", self.requests["sent INVITE"]["To"])

    def hop(self, method, to):
        invite = self.requests["sent INVITE"]
        self.phone.send(text(
            f"{method} {invite.uri} SIP/2.0", "Via: " + invite["Via"],
            *[f"Route: {route}" for route in invite.addresses("Route")], "Max-Forwards: 70", f"From: {invite['From']}",
            f"To: {to}", f"Call-ID: {self.call_id}", f"CSeq: {invite['CSeq'].split()[0]} {method}"))

    def hears(self, status, method="INVITE", seconds=20):
        """Waits for a response; others of the call but 100 are not expected before it."""
        answer = self.phone.receive(
            f"{status} to {method}", lambda m: m.status and m.status != 100 and m["Call-ID"] == self.call_id
            and m.method == method, seconds)
        assert answer.status == status, f"{self.phone.dn} expects {status}, and hears {answer.text}"
        if method == "INVITE" and 100 < status < 300 and answer.tag("To"):
            self.remote = answer["To"]
            self.routes = answer.addresses("Record-Route")[::-1]
            self.target = answer.addresses("Contact")[0][1:-1]
        if method == "INVITE" and status >= 300:
            self.refusal = answer
            self.acknowledge()
        return answer

    def gets(self, method, seconds=20):
        """Waits for a request within the call."""
        request = self.phone.receive(
            method, lambda m: not m.status and m["Call-ID"] == self.call_id and m.method == method, seconds)
        self.requests[method] = request
        return request

    def answer(self, status, method="INVITE", *more, reason="As Tested"):
        request = self.requests[method]
        to = request["To"] if ";tag=" in request["To"] or method == "CANCEL" else self.local
        self.answered = text(
            f"SIP/2.0 {status} {reason}", *[f"Via: {via}" for via in request.all("Via")],
            *[f"Record-Route: {route}" for route in request.addresses("Record-Route")], f"From: {request['From']}",
            f"To: {to}", f"Call-ID: {self.call_id}", f"CSeq: {request['CSeq']}", f"Contact: {self.phone.contact}", *more)
        self.phone.send(self.answered)
        return self

    # What many tests begin and end with.

    def ends(self, other):
        """This side hangs up, and the other hears it."""
        self.send("BYE")
        other.gets("BYE")
        other.answer(200, "BYE")
        self.hears(200, "BYE")


def connect(caller, callee, *more, dn=None, **options):
    """A call that is answered; both sides of it."""
    out = caller.invite(dn or callee.dn, *more, **options)
    incoming = callee.rings()
    incoming.answer(180)
    out.hears(180)
    incoming.answer(200)
    out.hears(200)
    out.ack()
    incoming.gets("ACK")
    return out, incoming


def cut_link():
    """Drops all that the two nodes say to each other."""
    nft("add table inet cut; add chain inet cut input { type filter hook input priority 0 ; };"
        "add rule inet cut input tcp dport 7302 drop; add rule inet cut input tcp sport 7302 drop")


def heal_link():
    nft("delete table inet cut")


def nft(commands):
    subprocess.run(["/usr/sbin/nft", commands], check=True)
