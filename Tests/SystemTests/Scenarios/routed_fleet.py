"""A gateway and the phones of agents, for calls through a routing point while links are cut and programs die.

Callers want to be answered, refused or told to give up; none may be forgotten. A phone has one call at a time: a second INVITE of another
call while it rings or talks is a double delivery. What comes of it is printed as JSON.
"""

import argparse
import asyncio
import collections
import json
import sys
import time


def parse(data):
    head, _, body = data.decode().partition("\r\n\r\n")
    first, *lines = head.split("\r\n")
    headers = collections.defaultdict(list)
    for line in lines:
        name, _, value = line.partition(":")
        headers[name.strip().lower()].append(value.strip())
    return first, headers


class Endpoint(asyncio.DatagramProtocol):
    """One UDP socket. Requests that are not answered are sent again, as RFC 3261 has it."""

    def __init__(self, port):
        self.port = port
        self.transport = None
        self.waiting = {}

    async def open(self):
        loop = asyncio.get_running_loop()
        await loop.create_datagram_endpoint(lambda: self, local_addr=("127.0.0.1", self.port))
        return self

    def connection_made(self, transport):
        self.transport = transport

    def datagram_received(self, data, source):
        first, headers = parse(data)
        if first.startswith("SIP/2.0"):
            number, method = headers["cseq"][0].split()
            queue = self.waiting.get((headers["call-id"][0], number, method))
            if queue is not None:
                queue.put_nowait((int(first.split()[1]), headers))
        else:
            self.request(first, headers, source)

    def request(self, first, headers, source):
        pass

    def send(self, lines, node):
        text = "\r\n".join(lines + ["Content-Length: 0", "", ""])
        self.transport.sendto(text.encode(), ("127.0.0.1", node))

    def reply(self, status, headers, source, tag=None, more=()):
        to = headers["to"][0]
        if tag and ";tag=" not in to:
            to += ";tag=" + tag
        lines = ["SIP/2.0 " + status]
        lines += ["Via: " + via for via in headers["via"]]
        lines += ["Record-Route: " + route for route in headers["record-route"]]
        lines += ["From: " + headers["from"][0], "To: " + to, "Call-ID: " + headers["call-id"][0]]
        lines += ["CSeq: " + headers["cseq"][0], *more]
        self.send(lines, source[1])

    async def ask(self, key, lines, node, seconds):
        """Sends a request until it is answered; yields each response."""
        queue = self.waiting[key] = asyncio.Queue()
        deadline = time.monotonic() + seconds
        pause, heard = 0.5, False
        try:
            self.send(lines, node)
            while True:
                left = deadline - time.monotonic()
                if left <= 0:
                    yield 0, None
                    return
                try:
                    status, headers = await asyncio.wait_for(queue.get(), min(left, pause if not heard else left))
                except asyncio.TimeoutError:
                    if not heard:
                        self.send(lines, node)
                        pause = min(pause * 2, 4)
                    continue
                heard = True
                yield status, headers
                if status >= 200:
                    return
        finally:
            del self.waiting[key]


def routes(headers):
    return [value.strip() for line in headers["record-route"] for value in line.split(",")]


def address(header):
    return header[header.index("<") + 1 : header.index(">")]


class Gateway(Endpoint):
    def __init__(self, port, options):
        super().__init__(port)
        self.options = options
        self.outcomes = collections.Counter()
        self.ended = {}
        self.branches = 0
        self.asked = {}

    def request(self, first, headers, source):
        if first.startswith("BYE"):
            self.reply("200 OK", headers, source)
            done = self.ended.get(headers["call-id"][0])
            if done is not None:
                done.set()

    def lines(self, method, uri, call, number, to, more=()):
        self.branches += 1
        return [
            f"{method} {uri} SIP/2.0",
            f"Via: SIP/2.0/UDP 127.0.0.1:{self.port};branch=z9hG4bK{self.port}x{self.branches};rport",
            "Max-Forwards: 70", f"From: <sip:caller@gateway.example>;tag=a{call}", f"To: {to}", f"Call-ID: {call}",
            f"CSeq: {number} {method}", f"Contact: <sip:caller@127.0.0.1:{self.port}>", *more,
        ]

    async def call(self, name, node):
        uri = f"sip:{self.options.point}@cc.example.com"
        invite = self.lines("INVITE", uri, name, 1, f"<{uri}>")
        outcome = "forgotten"
        self.asked[name] = (node, time.monotonic())
        async for status, headers in self.ask((name, "1", "INVITE"), invite, node, self.options.patience):
            if 200 <= status < 300:
                await self.talk(name, node, headers)
                outcome = "answered"
            elif status >= 300:
                ack = [line.replace("INVITE", "ACK") if line.startswith(("INVITE", "CSeq")) else line for line in invite]
                ack = [f"To: {headers['to'][0]}" if line.startswith("To:") else line for line in ack]
                self.send(ack, node)
                outcome = f"refused {status}"
        self.outcomes[outcome] += 1

    async def talk(self, name, node, headers):
        target, way = address(headers["contact"][0]), ["Route: " + route for route in reversed(routes(headers))]
        self.send(self.lines("ACK", target, name, 1, headers["to"][0], way), node)
        done = self.ended[name] = asyncio.Event()
        try:
            # The agent hangs up; if that cannot be heard, the caller does.
            await asyncio.wait_for(done.wait(), self.options.talk * 4 + 1)
        except asyncio.TimeoutError:
            bye = self.lines("BYE", target, name, 2, headers["to"][0], way)
            async for _ in self.ask((name, "2", "BYE"), bye, node, 4):
                pass
        del self.ended[name]


class Phone(Endpoint):
    def __init__(self, port, node, dn, options):
        super().__init__(port)
        self.node, self.dn, self.options = node, dn, options
        self.calls = {}
        self.doubles = []
        self.answered = 0
        self.rung = {}

    def request(self, first, headers, source):
        call = headers["call-id"][0]
        if first.startswith("INVITE"):
            if call in self.calls:
                return
            self.rung.setdefault(call, time.monotonic())
            if self.calls:
                self.doubles.append(f"{self.dn}: {call} beside {list(self.calls)}")
                return self.reply("486 Busy Here", headers, source, "b" + self.dn)
            self.calls[call] = asyncio.ensure_future(self.ring(call, headers, source))
        elif first.startswith("CANCEL"):
            self.reply("200 OK", headers, source, "b" + self.dn)
            task = self.calls.pop(call, None)
            if task is not None:
                task.cancel()
        elif first.startswith("BYE"):
            self.reply("200 OK", headers, source)
            task = self.calls.pop(call, None)
            if task is not None:
                task.cancel()

    async def ring(self, call, headers, source):
        contact = f"Contact: <sip:{self.dn}@127.0.0.1:{self.port}>"
        try:
            self.reply("180 Ringing", headers, source, "b" + self.dn, [contact])
            await asyncio.sleep(self.options.ring)
        except asyncio.CancelledError:
            return self.reply("487 Request Terminated", headers, source, "b" + self.dn)
        self.answered += 1
        self.reply("200 OK", headers, source, "b" + self.dn, [contact])
        try:
            await asyncio.sleep(self.options.talk)
        except asyncio.CancelledError:
            return
        bye = [
            f"BYE {address(headers['contact'][0])} SIP/2.0",
            f"Via: SIP/2.0/UDP 127.0.0.1:{self.port};branch=z9hG4bKb{call}{self.dn};rport", "Max-Forwards: 70",
            f"From: {headers['to'][0]};tag=b{self.dn}", f"To: {headers['from'][0]}", f"Call-ID: {call}", "CSeq: 7 BYE",
        ]
        bye[3:3] = ["Route: " + route for route in routes(headers)]
        # It has hung up, whether or not anybody hears so.
        self.calls.pop(call, None)
        async for _ in self.ask((call, "7", "BYE"), bye, self.node, 4):
            pass


async def main(options):
    phones = []
    for text in options.phone:
        dn, port, node = text.split(":")
        phones.append(await Phone(int(port), int(node), dn, options).open())
    gateway = await Gateway(options.gateway, options).open()
    print("ready", flush=True)
    calls = []
    for number in range(options.calls):
        for node in options.node:
            calls.append(asyncio.ensure_future(gateway.call(f"c{number}-{node}-{options.name}", node)))
        await asyncio.sleep(1 / options.rate)
    await asyncio.gather(*calls)
    rung = {}
    for phone in phones:
        for call, moment in phone.rung.items():
            rung[call] = min(moment, rung.get(call, moment))
    order = [
        {"call": call, "node": node, "asked": asked, "rung": rung.get(call)}
        for call, (node, asked) in gateway.asked.items()
    ] if options.order else None
    print(json.dumps({
        "order": order,
        "outcomes": dict(gateway.outcomes), "doubles": sum((phone.doubles for phone in phones), []),
        "answered": {phone.dn: phone.answered for phone in phones},
        "left": {phone.dn: list(phone.calls) for phone in phones if phone.calls},
    }), flush=True)


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--phone", action="append", default=[], help="DN:PORT:NODE")
    parser.add_argument("--node", action="append", type=int, default=[])
    parser.add_argument("--gateway", type=int, default=5090)
    parser.add_argument("--point", default="8000")
    parser.add_argument("--calls", type=int, default=10, help="at each node")
    parser.add_argument("--rate", type=float, default=10, help="calls a second at each node")
    parser.add_argument("--ring", type=float, default=0.05)
    parser.add_argument("--talk", type=float, default=0.1)
    parser.add_argument("--patience", type=float, default=40)
    parser.add_argument("--name", default="x")
    parser.add_argument("--order", action="store_true", help="tell when each call came and when a phone rang for it first")
    asyncio.run(main(parser.parse_args()))
