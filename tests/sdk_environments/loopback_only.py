"""Run a script that connects to this host only: `python loopback_only.py script.py argument ...`.

It runs inside the vendors' environments, so it imports only the standard library.
"""

import ipaddress
import runpy
import sys
from typing import Any

HOST_FIRST = frozenset({"socket.getaddrinfo", "socket.gethostbyname"})
ADDRESS_SECOND = frozenset({"socket.connect", "socket.sendto", "socket.sendmsg"})


def is_this_host(host: str | bytes | None) -> bool:
    name = host.decode() if isinstance(host, bytes) else host
    if name in (None, "", "localhost"):
        return True
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return False


def refuse_other_hosts(event: str, arguments: tuple[Any, ...]) -> None:
    if event in HOST_FIRST:
        host = arguments[0]
    elif event in ADDRESS_SECOND and isinstance(arguments[1], tuple):
        host = arguments[1][0]
    else:
        return
    if not is_this_host(host):
        raise PermissionError(f"{host} is not this host")


if __name__ == "__main__":
    sys.addaudithook(refuse_other_hosts)
    del sys.argv[0]
    runpy.run_path(sys.argv[0], run_name="__main__")
