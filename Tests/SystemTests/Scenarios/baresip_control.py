"""Tells baresip phones what to do, and waits for what they say (its module ctrl_tcp)."""

import json
import socket
import time


class Control:
    def __init__(self, port, seconds=20):
        self.events, self.data, end = [], b"", time.monotonic() + seconds
        while True:
            try:
                self.socket = socket.create_connection(("127.0.0.1", port))
                break
            except ConnectionRefusedError:
                # It is on its way; select waits for nothing that comes.
                assert time.monotonic() < end, f"no baresip at {port}"
                time.sleep(0.02)
        self.socket.settimeout(seconds)

    def say(self, command, parameters=""):
        text = json.dumps({"command": command, "params": parameters}).encode()
        self.socket.sendall(b"%d:%s," % (len(text), text))
        self.wait(f"an answer to {command}", lambda event: event.get("response"))

    def wait(self, what, fits):
        """The first event that fits; the others stay."""
        while True:
            for event in self.events:
                if fits(event):
                    self.events.remove(event)
                    return event
            length, colon, rest = self.data.partition(b":")
            if colon and len(rest) > int(length):
                self.events.append(json.loads(rest[:int(length)]))
                self.data = rest[int(length) + 1:]
                continue
            try:
                piece = self.socket.recv(65536)
            except TimeoutError:
                raise AssertionError(f"in vain: {what}; there is {self.events}")
            assert piece, f"baresip is gone: {what}"
            self.data += piece

    def hears(self, kind):
        return self.wait(kind, lambda event: event.get("type") == kind)
