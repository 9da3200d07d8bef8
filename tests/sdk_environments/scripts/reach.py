"""Print the environment variables and, for each `host:port`, the outcome of a connection."""

import json
import os
import socket
import sys


def outcome(address: str) -> str:
    host, _, port = address.rpartition(":")
    try:
        socket.create_connection((host, int(port)), timeout=5).close()
    except OSError as error:
        return str(error)
    return "connected"


addresses = {address: outcome(address) for address in sys.argv[1:]}
print(json.dumps({"variables": sorted(os.environ), "addresses": addresses}))
