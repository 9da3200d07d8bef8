"""A client's connection: what was received, what is unsent, and its deadline."""

import re
import selectors
import socket
import ssl
import struct
from collections.abc import Sequence
from contextlib import suppress
from typing import Any, cast

from gunicorn.http import RequestParser
from gunicorn.http.errors import LimitRequestHeaders, LimitRequestLine, ParseException

from sessionary.http_server.limits import Upload
from sessionary.http_server.sockets import WOULD_BLOCK, BlockingSocket, BufferedSocket
from sessionary.http_server.websocket import GOING_AWAY, WebSocket
from sessionary.web.spool import Spool

_CHUNK = 65_536
_LARGE_BYTES = 8 * 1024  # of what is received and unsent
_MAX_LINE_BYTES = 65_536  # the method, the URL and the version
_MAX_HEAD_BYTES = 65_536  # the headers
_RESET_ON_CLOSE = struct.pack("ii", 1, 0)  # SO_LINGER: on, 0 seconds
_TLS_HANDSHAKE = b"\x16\x03"
HEAD_END = b"\r\n\r\n"
_LENGTH = re.compile(rb"\r\ncontent-length:[ \t]*0*([0-9]{1,12})[ \t]*\r\n", re.IGNORECASE)
_UNKNOWN_END = re.compile(rb"\r\n(?:transfer-encoding|expect)[ \t]*:", re.IGNORECASE)
_PIECES_PER_TURN = 4  # of a body in a file, so that a quick reader does not keep others waiting


class Connection:
    """A connection, and what was received of its next request."""

    def __init__(self, sock: socket.socket, peer: Any, parser_config: Any) -> None:
        self.sock = sock
        self.peer = peer
        self.server = sock.getsockname()
        self.parser: Any = RequestParser(parser_config, sock, peer)
        self.received = bytearray()
        self.websocket: WebSocket | None = None  # after the handshake: what is received are frames
        self.close_code: int | None = None  # with which a WebSocket is closed after a response
        self.given = b""  # to the parser, of the request that is being answered
        self.held_bytes = 0  # of it, while it waits for a thread or a delay
        self.error: ParseException | None = None  # of a head that cannot be one
        self.needed = 0  # the request is incomplete with fewer bytes
        self.unsent: bytes | memoryview = b""  # the client has no room for it yet
        self.body: Spool | None = None  # what comes after `unsent`
        self.keep_alive = True
        self.is_body_refused = False  # for its length
        self.was_answered = False
        self.is_leaving = False
        self.is_closed = False
        self.is_aborted = False
        self.must_reset = False
        self.due: float | None = None  # deadline of what the client has begun
        self.expires_at = 0.0
        self.active_at = 0.0  # when the client last sent something
        sock.setblocking(False)

    def start_tls(self, context: ssl.SSLContext) -> None:
        """Use TLS from here on. Raises OSError if the client has closed."""
        self.sock = context.wrap_socket(self.sock, server_side=True, do_handshake_on_connect=False)

    def handshake(self) -> int:
        """Continue the handshake; return the event to wait for, 0 when done. Raises OSError."""
        try:
            cast(ssl.SSLSocket, self.sock).do_handshake()
        except ssl.SSLWantReadError:
            return selectors.EVENT_READ
        except ssl.SSLWantWriteError:
            return selectors.EVENT_WRITE
        return 0

    def receive(self) -> bytes | None:
        """Return new bytes: none at the end of the connection, None if there are none yet."""
        try:
            data = self.sock.recv(_CHUNK)
            while isinstance(self.sock, ssl.SSLSocket) and self.sock.pending():
                data += self.sock.recv(_CHUNK)
        except WOULD_BLOCK:
            return None
        except OSError:
            return b""
        return data

    def add_received(self, data: bytes) -> None:
        """Take what the client has sent."""
        if self.websocket is None:
            self.received += data
        else:
            self.websocket.receive(data)

    def has_more(self) -> bool:
        """Return whether something was received that has not been looked at."""
        if self.websocket is not None:
            return self.websocket.has_more()
        return bool(self.received)

    def has_begun_request(self) -> bool:
        """Return whether the client has sent a part of a request, or of a message."""
        if self.websocket is not None:
            return self.websocket.is_in_message()
        return bool(self.received)

    def put(self, parts: Sequence[bytes], body: Spool | None) -> None:
        """Take what is to be sent."""
        output = [] if self.websocket is None else self.websocket.take_output()
        self.unsent, self.body = b"".join([*parts, *output]), body

    def send(self) -> bool:
        """Send as much as the client has room for; return whether anything was sent."""
        has_sent = False
        try:
            for _ in range(_PIECES_PER_TURN):
                while self.unsent:
                    count = self.sock.send(self.unsent)
                    self.unsent = memoryview(self.unsent)[count:]
                    has_sent = True
                if self.body is None:
                    break
                self.unsent = self.body.read()
                if not self.unsent:
                    self._close_body()
        except WOULD_BLOCK:
            pass
        except OSError:
            self.unsent, self.keep_alive = b"", False
            self._close_body()
        return has_sent

    def has_unsent(self) -> bool:
        return bool(self.unsent) or self.body is not None

    def _close_body(self) -> None:
        if self.body is not None:
            self.body.close()
            self.body = None

    def shutdown_write(self) -> None:
        """Announce the end of what the server sends."""
        with suppress(OSError, ValueError):
            if isinstance(self.sock, ssl.SSLSocket):
                self.sock.unwrap()
        with suppress(OSError):
            self.sock.shutdown(socket.SHUT_WR)

    def shutdown_read(self) -> None:
        """End the request for a thread that still reads it; a response can be sent."""
        with suppress(OSError):
            self.sock.shutdown(socket.SHUT_RD)

    def abort(self) -> None:
        """End the connection, also for a thread that reads it or makes its response."""
        self.is_aborted = True
        with suppress(OSError):
            self.sock.shutdown(socket.SHUT_RDWR)

    def reset_on_close(self) -> None:
        """Close with RST, as a crashed peer would, and send nothing before."""
        self.must_reset = True

    def close_after_response(self, code: int) -> None:
        self.close_code = code

    def announce_close(self) -> None:
        """Say that a WebSocket is closed by the server, if the client has room for it."""
        if self.websocket is not None and not self.is_leaving and not self.has_unsent():
            self.websocket.close(GOING_AWAY)
            self.put([], None)
            self.send()
            self.shutdown_write()

    def close(self) -> None:
        self.is_closed = True
        self._close_body()
        if self.must_reset:
            with suppress(OSError):
                self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_ON_CLOSE)
        with suppress(OSError):
            self.sock.close()

    def is_unused(self) -> bool:
        """Return whether no request and no response is in flight."""
        return not (self.memory_bytes() or self.has_unsent() or self.is_leaving)

    def memory_bytes(self) -> int:
        """Return how much of a request and a response is in memory."""
        in_frames = 0 if self.websocket is None else self.websocket.memory_bytes()
        return len(self.received) + len(self.unsent) + in_frames

    @property
    def is_large(self) -> bool:
        """Whether it holds more memory than most connections."""
        return self.memory_bytes() > _LARGE_BYTES

    def is_idle(self) -> bool:
        """Return whether it has had a response and has not begun another request."""
        return self.was_answered and self.due is None and not self.has_begun_request()

    def head_error(self) -> ParseException | None:
        """Return the error of a head that is too long or is TLS, even if it is incomplete."""
        if self.received.startswith(_TLS_HANDSHAKE):
            return ParseException("This port speaks plain HTTP, not TLS")
        if len(self.received) <= _MAX_HEAD_BYTES:
            return None
        end, line_end = self.received.find(HEAD_END), self.received.find(b"\r\n")
        head = len(self.received) if end < 0 else end
        line = head if line_end < 0 else line_end
        if line > _MAX_LINE_BYTES:
            return LimitRequestLine(line, _MAX_LINE_BYTES)
        return (
            LimitRequestHeaders("the head is too long") if head - line > _MAX_HEAD_BYTES else None
        )

    def is_end_unknown(self) -> bool:
        """Return whether the length of the body is found only by reading it, on a thread."""
        end = self.received.find(HEAD_END)
        return end >= 0 and _UNKNOWN_END.search(self.received, 0, end + 2) is not None

    def is_upload(self, max_body_bytes: int, upload: Upload | None) -> bool:
        """Return whether a thread reads the body as it arrives, since it is too long for memory."""
        if upload is None or not upload.request_line.match(self.received):
            return False
        end = self.received.find(HEAD_END)
        return end >= 0 and max_body_bytes < self._body_bytes(end) <= upload.max_bytes

    def _body_bytes(self, end: int) -> int:
        length = _LENGTH.search(self.received, 0, end + 2)
        return int(length[1]) if length else 0

    def has_complete_request(self, max_body_bytes: int) -> bool:
        """Return whether it can be answered: with a body that is too long the head is enough."""
        if len(self.received) < max(self.needed, 1):
            return False
        end = self.received.find(HEAD_END)
        if end < 0:
            return False
        body = self._body_bytes(end)
        self.is_body_refused = body > max_body_bytes
        self.needed = end + len(HEAD_END) + (0 if self.is_body_refused else body)
        return len(self.received) >= self.needed

    def give_to_parser(self, sock: BufferedSocket | BlockingSocket) -> None:
        """Let the parser read what was received, and then from `sock`."""
        self.parser.unreader.sock = sock
        self.give(len(self.received))
        self.parser.unreader.unread(self.given)

    def give(self, count: int) -> None:
        """Take so many of the received bytes for the request that is answered next."""
        self.given = bytes(self.received[:count])
        del self.received[:count]
        self.needed = 0

    def take_from_parser(self) -> None:
        """Take back what the parser has read of the next request."""
        self.given = b""
        if self.parser is None:
            return
        self.received += self.parser.unreader.take_buffered()
        if self.websocket is not None:  # the handshake was accepted
            self.parser = None
            self.websocket.receive(bytes(self.received))
            self.received = bytearray()
