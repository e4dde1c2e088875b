"""A client of a Tandem node's ports, in one file.

It speaks the frames of schemas/common.proto and schemas/tlibrary.proto; `make` beside this file generates the messages from
these with protoc. Nothing else is needed than Python 3 and its protobuf package.
"""

import hashlib
import hmac
import secrets
import socket
import struct

import common_pb2
import tlibrary_pb2

# A frame: length of the payload, message type, flags; big-endian (schemas/common.proto).
HEADER = struct.Struct(">IHH")
MAXIMUM_PAYLOAD = 1 << 20
PROTOCOL_VERSION = 1

HELLO, PROBLEM, PROOF = 1000, 1001, 1002

# The T-Library's numbers of requests and events.
QUERY_SERVER, QUERY_ADDRESS, REGISTER_ADDRESS, UNREGISTER_ADDRESS, MONITOR = 1, 2, 3, 4, 5
SET_INPUT_MASK, AGENT_LOGIN, AGENT_LOGOUT, AGENT_READY, AGENT_NOT_READY, RESERVE_AGENT = 7, 8, 9, 10, 11, 127
EVENTS = {
    52: "EventError", 53: "EventRegistered", 54: "EventUnregistered", 73: "EventAgentLogin", 74: "EventAgentLogout",
    75: "EventAgentReady", 76: "EventAgentNotReady", 92: "EventAddressInfo", 93: "EventServerInfo",
    94: "EventLinkDisconnected", 95: "EventLinkConnected", 128: "EventAgentReserved", 138: "EventACK",
    147: "EventDNOutOfService", 148: "EventDNBackInService", 150: "EventPrivateInfo",
}


class Refused(Exception):
    """The node answered with EventError."""

    def __init__(self, event):
        super().__init__(f"{event.error_message} (error {event.error_code})")
        self.event = event


class Client:
    """One connection to a port, such as `tcp:127.0.0.1:7101` or `unix:/run/tandem/port`."""

    def __init__(self, address, name="python", timeout=10, secret=None):
        """`secret`: bytes that the credentials file has under `name`, where the topology says `clients: { secrets }`."""
        kind, _, place = address.partition(":")
        if kind == "unix":
            self.socket = socket.socket(socket.AF_UNIX)
            self.socket.settimeout(timeout)
            self.socket.connect(place)
        elif kind == "tcp":
            host, _, port = place.rpartition(":")
            self.socket = socket.create_connection((host.strip("[]"), int(port)), timeout)
        else:
            raise ValueError(f"{address} is neither tcp:HOST:PORT nor unix:PATH")
        self.reference = 0
        self.kept = []
        nonce = secrets.token_bytes(32) if secret else b""
        self._send(HELLO, common_pb2.Hello(protocol_version=PROTOCOL_VERSION, name=name, nonce=nonce))
        kind, payload = self._receive()
        if kind != HELLO:
            raise ConnectionError(f"message {kind} came instead of a hello")
        self.node = common_pb2.Hello.FromString(payload)
        if secret:
            self._prove(name, secret, nonce)
        self.server = self.event()  # EventServerInfo

    def _prove(self, name, secret, nonce):
        """Proves that this client knows its secret, and has the node prove the same (schemas/common.proto, Proof)."""
        if not self.node.nonce:
            raise ConnectionError("the node demands no proof of a secret; leave the secret out")

        def code(role):
            parts = (b"tandem port proof 1", role, nonce, self.node.nonce, self.node.cluster.encode(),
                     self.node.name.encode(), name.encode())
            text = b"".join(struct.pack(">I", len(part)) + part for part in parts)
            return hmac.new(secret, text, hashlib.sha256).digest()

        self._send(PROOF, common_pb2.Proof(code=code(b"client")))
        kind, payload = self._receive()
        proof = common_pb2.Proof.FromString(payload).code if kind == PROOF else b""
        if not hmac.compare_digest(proof, code(b"node")):
            raise ConnectionError("the node does not know the secret")

    # What goes over the wire.

    def _send(self, kind, message):
        payload = message.SerializeToString()
        self.socket.sendall(HEADER.pack(len(payload), kind, 0) + payload)

    def _read(self, count):
        data = b""
        while len(data) < count:
            piece = self.socket.recv(count - len(data))
            if not piece:
                raise ConnectionError("the node has closed the connection")
            data += piece
        return data

    def _receive(self):
        length, kind, _ = HEADER.unpack(self._read(HEADER.size))
        if length > MAXIMUM_PAYLOAD:
            raise ConnectionError(f"a frame of {length} bytes")
        payload = self._read(length)
        if kind == PROBLEM:
            raise ConnectionError(common_pb2.Problem.FromString(payload).message)
        return kind, payload

    # Requests and events.

    def event(self):
        """The next event: a tlibrary_pb2.Event with its name as `event.name`. The connection's timeout ends the wait."""
        if self.kept:
            return self.kept.pop(0)
        kind, payload = self._receive()
        return Event(EVENTS.get(kind, f"message {kind}"), tlibrary_pb2.Event.FromString(payload))

    def request(self, kind, message):
        """Sends a request and waits for the event that carries its ReferenceID; other events are kept for `event`."""
        self.reference += 1
        message.reference_id = self.reference
        self._send(kind, message)
        others = []
        while True:
            event = self.event()
            if event.has_reference_id and event.reference_id == self.reference:
                break
            others.append(event)
        self.kept = others + self.kept
        if event.name == "EventError":
            raise Refused(event)
        return event

    def register(self, dn, takeover=False, desktop_token=None):
        message = tlibrary_pb2.AddressRequest(this_dn=dn, takeover=takeover)
        if desktop_token is not None:
            message.has_desktop_token, message.desktop_token = True, desktop_token
        return self.request(REGISTER_ADDRESS, message)

    def query(self, dn):
        return self.request(QUERY_ADDRESS, tlibrary_pb2.AddressRequest(this_dn=dn))

    def monitor(self, **options):
        return self.request(MONITOR, tlibrary_pb2.MonitorRequest(**options))

    def login(self, dn, agent, work_mode=0, skills=None, priority=None, **reasons):
        """`skills` are levels by name, such as {"english": 5}; without them and a priority the topology's count."""
        profile = None
        if skills is not None or priority is not None:
            skills = skills or {}
            profile = common_pb2.Profile(skills=list(skills), levels=list(skills.values()), priority=priority or 0)
        return self._agent(AGENT_LOGIN, dn, work_mode, reasons, agent, profile)

    def ready(self, dn, work_mode=0, **reasons):
        return self._agent(AGENT_READY, dn, work_mode, reasons)

    def not_ready(self, dn, work_mode=0, **reasons):
        return self._agent(AGENT_NOT_READY, dn, work_mode, reasons)

    def logout(self, dn, **reasons):
        return self._agent(AGENT_LOGOUT, dn, 0, reasons)

    def _agent(self, kind, dn, work_mode, reasons, agent="", profile=None):
        return self.request(
            kind,
            tlibrary_pb2.AgentRequest(
                this_dn=dn, agent_id=agent, work_mode=work_mode, reason_keys=list(reasons),
                reason_values=[str(value) for value in reasons.values()], profile=profile))

    def reserve(self, dn="", agent="", priority=0, milliseconds=-1):
        """-1 is as long as the topology says, 0 cancels."""
        return self.request(
            RESERVE_AGENT,
            tlibrary_pb2.ReserveRequest(agent_dn=dn, agent_id=agent, priority=priority, duration=milliseconds))

    def close(self):
        self.socket.close()


class Event:
    """An event with its T-Library name; everything else is the message's."""

    def __init__(self, name, message):
        self.name = name
        self.message = message

    def __getattr__(self, field):
        return getattr(self.message, field)

    def __str__(self):
        words = [self.name]
        if self.this_dn:
            words.append(self.this_dn)
        if self.agent_id:
            words.append(self.agent_id)
        words += [f"{key}={value}" for key, value in zip(self.reason_keys, self.reason_values)]
        if len(self.statuses) == 1:
            words.append("in service" if self.statuses[0].service == 0 else "out of service")
        return " ".join(words)
