"""A connection as the worker sees it: what has arrived, what is unsent, and by when."""

import errno
import re
import selectors
import socket
import ssl
import time
from contextlib import suppress
from typing import Any, cast

from gunicorn.http import RequestParser
from gunicorn.workers.gthread import TConn

_CHUNK = 65_536
_LONGEST_HEAD = 65_536
_REST_SECONDS = 0.5
_END = b"\r\n\r\n"
_LENGTH = re.compile(rb"\r\ncontent-length:[ \t]*0*([0-9]{1,12})[ \t]*\r\n", re.IGNORECASE)
_UNUSUAL = re.compile(rb"\r\n(?:transfer-encoding|expect)[ \t]*:", re.IGNORECASE)
_NOT_YET = (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError)


class Held:
    """A client's socket as gunicorn's parser and response see it: what they send is held."""

    def __init__(self, sock: socket.socket) -> None:
        self.held: list[bytes] = []
        self.recv = sock.recv
        self.close = sock.close

    def sendall(self, data: bytes) -> None:
        self.held.append(data)

    def gettimeout(self) -> float:
        return 0.0

    def setblocking(self, blocking: bool) -> None:
        """Nothing of it blocks: what is read has arrived, and what is sent is held."""

    def hurry(self) -> None:
        """Nobody waits for it."""


class Lent:
    """A client's socket as a thread sees it, which waits for the client, but not for ever."""

    def __init__(self, sock: socket.socket, seconds: float) -> None:
        self._sock = sock
        self._seconds = seconds
        self._due = time.monotonic() + seconds
        self.close = sock.close

    def recv(self, size: int) -> bytes:
        """Nothing, as from a client that has gone, when its time is over."""
        left = self._due - time.monotonic()
        if left <= 0:
            return b""
        self._sock.settimeout(left)
        try:
            return self._sock.recv(size)
        except TimeoutError:
            return b""

    def sendall(self, data: bytes) -> None:
        self._sock.settimeout(self._seconds)
        try:
            self._sock.sendall(data)
        except TimeoutError:
            raise ConnectionResetError(errno.ECONNRESET, "the client does not read") from None

    send = sendall

    def gettimeout(self) -> float:
        return 0.0

    def setblocking(self, blocking: bool) -> None:
        """It blocks as long as there is time left."""

    def hurry(self) -> None:
        """Its request is answered: what is left of it is hardly waited for."""
        self._due = min(self._due, time.monotonic() + _REST_SECONDS)


class Client(TConn):
    """A connection, and what has arrived of its next request."""

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self.raw: socket.socket = self.sock
        self.data_ready = True
        self.arrived = bytearray()
        self.needed = 0  # bytes without which the request is not whole
        self.unsent = b""  # what the client has not made room for yet
        self.is_kept = True
        self.is_refused_unread = False  # for the length of its body
        self.was_answered = False
        self.is_leaving = False
        self.is_lost = False
        self.due: float | None = None  # by when what it has begun has to be done

    def init(self) -> None:
        """Make the parser, of HTTP/1 alone; what TLS there is has been made before."""
        if self.parser is None:
            self.parser = RequestParser(self.cfg, self.sock, self.client)
        self.initialized = True

    def secure(self, context: ssl.SSLContext) -> None:
        """Speak TLS from here on. Raises OSError for a client that has gone."""
        self.sock = self.raw = context.wrap_socket(
            self.raw, server_side=True, do_handshake_on_connect=False
        )

    def greet(self) -> int:
        """Go on with the handshake; gives what to wait for, or 0 at its end. Raises OSError."""
        try:
            cast(ssl.SSLSocket, self.raw).do_handshake()
        except ssl.SSLWantReadError:
            return selectors.EVENT_READ
        except ssl.SSLWantWriteError:
            return selectors.EVENT_WRITE
        return 0

    def receive(self) -> bytes | None:
        """What has come since: nothing at the end of the connection, None if nothing has yet."""
        try:
            data = self.raw.recv(_CHUNK)
            while isinstance(self.raw, ssl.SSLSocket) and self.raw.pending():
                data += self.raw.recv(_CHUNK)
        except _NOT_YET:
            return None
        except OSError:
            return b""
        return data

    def send(self) -> None:
        """Send of what is unsent as much as there is room for."""
        try:
            while self.unsent:
                self.unsent = self.unsent[self.raw.send(self.unsent) :]
        except _NOT_YET:
            pass
        except OSError:
            self.unsent, self.is_kept = b"", False

    def say_goodbye(self) -> None:
        """Send nothing more."""
        with suppress(OSError, ValueError):
            if isinstance(self.raw, ssl.SSLSocket):
                self.raw.unwrap()
        with suppress(OSError):
            self.raw.shutdown(socket.SHUT_WR)

    def hang_up(self) -> None:
        """End the connection, also for a thread that reads or writes it."""
        with suppress(OSError):
            self.raw.shutdown(socket.SHUT_RDWR)

    def is_too_long(self) -> bool:
        """Whether the head goes on and on."""
        end = self.arrived.find(_END)
        return (len(self.arrived) if end < 0 else end) > _LONGEST_HEAD

    def is_idle(self) -> bool:
        """Whether it has had an answer and may ask again, but does not."""
        return self.was_answered and self.due is None and not self.arrived

    def has_whole_request(self, longest: int) -> bool:
        """Whether it can be answered; a body that is refused for its length is not waited for."""
        if len(self.arrived) < max(self.needed, 1):
            return False
        end = self.arrived.find(_END)
        if end < 0:
            return False
        length = _LENGTH.search(self.arrived, 0, end + 2)
        body = int(length[1]) if length else 0
        self.is_refused_unread = body > longest
        self.needed = end + len(_END) + (0 if self.is_refused_unread else body)
        return len(self.arrived) >= self.needed

    def needs_a_thread(self) -> bool:
        """Whether the rest of the request cannot simply be waited for."""
        end = self.arrived.find(_END)
        return end >= 0 and _UNUSUAL.search(self.arrived, 0, end + 2) is not None

    def give_to_parser(self, sock: Held | Lent) -> None:
        """Let gunicorn's parser read what has arrived, and then from `sock`."""
        self.sock = cast(socket.socket, sock)
        self.init()
        unreader: Any = cast(RequestParser, self.parser).unreader
        unreader.sock = sock
        unreader.unread(bytes(self.arrived))
        self.arrived.clear()
        self.needed = 0

    def take_from_parser(self) -> None:
        """Have the socket back, and what the parser has read of a next request."""
        self.sock = self.raw
        self.arrived += cast(RequestParser, self.parser).unreader.take_buffered()
