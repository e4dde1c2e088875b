"""An agent's desk on the command line: logs an agent in on a DN, makes the agent ready and prints what happens there.

    python3 desk.py tcp:127.0.0.1:7101 1000 ann
"""

import argparse

import tandem

parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
parser.add_argument("address", help="the port, tcp:HOST:PORT or unix:PATH")
parser.add_argument("dn")
parser.add_argument("agent")
parser.add_argument("--count", type=int, help="stop after so many events")
parser.add_argument("--logout", action="store_true", help="log the agent out at the end")
arguments = parser.parse_args()

client = tandem.Client(arguments.address, name="desk.py")
print(f"connected to {client.node.name} of {client.node.cluster}")
print(client.register(arguments.dn), flush=True)
print(client.login(arguments.dn, arguments.agent, desk="python"), flush=True)
print(client.ready(arguments.dn), flush=True)
count = 0
client.socket.settimeout(None if arguments.count is None else 20)
try:
    while arguments.count is None or count < arguments.count:
        print("heard:", client.event(), flush=True)
        count += 1
except KeyboardInterrupt:
    pass
if arguments.logout:
    print(client.logout(arguments.dn, desk="python"))
client.close()
