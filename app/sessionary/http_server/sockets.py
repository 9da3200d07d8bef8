"""A client's socket as gunicorn's parser and response see it."""

import socket
import ssl
from contextlib import suppress

from sessionary.durations import monotonic
from sessionary.web.spool import Spool

WOULD_BLOCK = (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError)
_REST_SECONDS = 0.5


class BufferedSocket:
    """For a request that is answered on the loop's thread: what is sent is buffered."""

    def __init__(self, sock: socket.socket) -> None:
        self.sent: list[bytes] = []
        self.body: Spool | None = None  # comes after what was sent
        self.recv = sock.recv  # does not block: it raises BlockingIOError

    def sendall(self, data: bytes) -> None:
        self.sent.append(data)

    def shorten_deadline(self) -> None:
        """Do nothing: it never blocks."""


class BlockingSocket:
    """For a request that is read on a thread of its own: receiving blocks, with a deadline."""

    def __init__(self, sock: socket.socket, seconds: float) -> None:
        self._sock = sock
        self.sent: list[bytes] = []  # what the client had no room for
        self.body: Spool | None = None
        self._due = monotonic() + seconds

    def recv(self, size: int) -> bytes:
        """Return no bytes after the deadline, as if the client had closed."""
        left = self._due - monotonic()
        if left <= 0:
            return b""
        self._sock.settimeout(left)
        try:
            return self._sock.recv(size)
        except TimeoutError:
            return b""

    def sendall(self, data: bytes) -> None:
        """Send what the client has room for now; the loop sends the rest."""
        if not self.sent:
            self._sock.setblocking(False)
            with suppress(*WOULD_BLOCK):
                data = data[self._sock.send(data) :]
        if data:
            self.sent.append(data)

    send = sendall

    def shorten_deadline(self) -> None:
        """Leave little time for the rest of a request that has been answered."""
        self._due = min(self._due, monotonic() + _REST_SECONDS)
