"""Parses and opens an address such as `127.0.0.1:9090`."""

import os
import socket
from typing import NamedTuple

from sessionary.settings import BadSetting


class Address(NamedTuple):
    """A host and a port; port 0 means any free port."""

    host: str
    port: int

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"

    @classmethod
    def parse(cls, text: str) -> "Address":
        """Parse `127.0.0.1:9090` or `[::1]:9090`. Raises BadSetting."""
        host, _, port = text.rpartition(":")
        is_port = port.isascii() and port.isdigit() and int(port) < 2**16
        if not is_port or not host or (":" in host) != host.startswith("["):
            raise BadSetting(f"metrics must be an address such as 127.0.0.1:9090, not {text!r}")
        return cls(host.strip("[]"), int(port))

    def listener(self) -> socket.socket:
        """Listen here, non-blocking: several processes may accept from the socket."""
        family = socket.AF_INET6 if ":" in self.host else socket.AF_INET
        try:
            listener = socket.create_server(self, family=family)
        except OSError as error:
            reason = os.strerror(error.errno) if error.errno else error
            raise OSError(f"cannot serve metrics on {self}: {reason}") from error
        listener.setblocking(False)
        return listener
