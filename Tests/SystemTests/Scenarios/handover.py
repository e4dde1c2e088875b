"""Plays the controller of a node and the process that takes its place, as far as a test wants it to go."""

import os
import signal
import socket
import struct
import sys
import time

OFFER, PIECE, TOLD, DESCRIPTORS, COMMIT = 1500, 1501, 1502, 1503, 1504
READY, PREPARED, COMMITTED = 1510, 1511, 1512
PROBLEM, ADOPT, HAND_OVER, SUCCEED, SERVES_ON = 1001, 1207, 1216, 1240, 1242


def frame(type, payload=b""):
    return struct.pack(">IHH", len(payload), type, 0) + payload


def number(field, value):
    text = bytearray([field << 3])
    while value >= 0x80:
        text.append(value & 0x7F | 0x80)
        value >>= 7
    text.append(value)
    return bytes(text)


def text(field, value):
    return bytes([field << 3 | 2, len(value)]) + value


class Frames:
    """A connection to a worker; what it introduces itself with is passed over."""

    def __init__(self, path):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.settimeout(10)
        self.socket.connect(path)
        self.bytes = b""
        self.descriptors = []

    def say(self, type, payload=b""):
        self.socket.sendall(frame(type, payload))

    def hear(self):
        while True:
            if len(self.bytes) >= 8:
                length, type, _ = struct.unpack(">IHH", self.bytes[:8])
                if len(self.bytes) >= 8 + length:
                    payload = self.bytes[8:8 + length]
                    self.bytes = self.bytes[8 + length:]
                    return type, payload
            more, descriptors, _, _ = socket.recv_fds(self.socket, 1 << 16, 16)
            self.descriptors += descriptors
            if not more:
                raise EOFError("the worker has closed the connection")
            self.bytes += more

    def until(self, *types):
        while True:
            type, payload = self.hear()
            if type in types:
                return type, payload


class Controller(Frames):
    """Takes the worker up, and allows a process to take its place."""

    def __init__(self, path):
        super().__init__(path)
        self.path = path
        self.say(ADOPT)

    def allow(self, incarnation):
        self.say(HAND_OVER, number(1, incarnation))

    def serves_on(self):
        return self.until(SERVES_ON)[1][2:].decode()


def take_until(path, incarnation, step):
    """Goes as far as a step; the words up to there are said."""
    frames = Frames(path)
    frames.say(SUCCEED, number(1, incarnation))
    frames.until(OFFER)
    if step == "offered":
        return frames
    frames.until(TOLD)
    if step == "told":
        return frames
    frames.say(READY)
    if step == "frozen":
        return frames
    # The last piece is of the sockets.
    while True:
        type, payload = frames.until(PIECE)
        if payload.endswith(number(4, 1)):
            break
    assert frames.descriptors, "no descriptors came"
    if step == "last":
        return frames
    frames.say(PREPARED)
    frames.until(COMMIT)
    return frames


def fail(path, incarnation, step, manner):
    """A child goes as far as a step, and then fails in a manner. Returns its process number when it has come there."""
    reader, writer = os.pipe()
    child = os.fork()
    if child:
        os.read(reader, 1)
        return child
    try:
        frames = take_until(path, incarnation, step)
        os.write(writer, b"x")
        if manner == "refuses":
            frames.say(PROBLEM, text(1, b"this one cannot"))
        elif manner == "nonsense":
            frames.say(COMMITTED if step != "committed" else READY)
        elif manner == "garbage":
            frames.socket.sendall(b"\xff" * 64)
        elif manner == "closes":
            frames.socket.close()
        if manner != "dies":
            time.sleep(60)
    finally:
        os._exit(0)


def register(port, dn, sequence, patience):
    """The first line of the answer to a REGISTER; empty for none within the time."""
    phone = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    phone.bind(("127.0.0.1", 0))
    phone.settimeout(patience)
    own = phone.getsockname()[1]
    lines = ["REGISTER sip:cc.example.com SIP/2.0", f"Via: SIP/2.0/UDP 127.0.0.1:{own};branch=z9hG4bK{own}{sequence};rport",
        f"From: <sip:{dn}@cc.example.com>;tag=1", f"To: <sip:{dn}@cc.example.com>", f"Call-ID: {own}",
        f"CSeq: {sequence} REGISTER", "Max-Forwards: 70", f"Contact: <sip:{dn}@127.0.0.1:{own}>", "Expires: 300",
        "Content-Length: 0", "", ""]
    phone.sendto("\r\n".join(lines).encode(), ("127.0.0.1", port))
    try:
        return phone.recv(4096).decode().split("\r\n")[0]
    except TimeoutError:
        return ""
