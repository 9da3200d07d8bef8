"""WebSocket connections: frames of the client, and whole messages for the application."""

import binascii
import errno
import logging
import sys
from base64 import b64decode
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from io import BytesIO
from typing import TYPE_CHECKING, Any, NamedTuple, cast
from urllib.parse import parse_qs

from sessionary.http_server.outcome import Application, Outcome, Pending
from sessionary.web import messages
from sessionary.web.held import IS_ABORTED, ON_LOOP, Held

if TYPE_CHECKING:
    from sessionary.http_server.connection import Connection

GOING_AWAY, TOO_LARGE, INTERNAL_ERROR = 1001, 1009, 1011
_log = logging.getLogger("sessionary")
_KEPT = ("PATH_INFO", "SCRIPT_NAME", "SERVER_PROTOCOL", "wsgi.url_scheme", "wsgi.multiprocess")
_DROPPED = (
    *("HTTP_UPGRADE", "HTTP_CONNECTION", "HTTP_ACCEPT", "HTTP_SEC_WEBSOCKET_"),
    "HTTP_SESSIONARY_REQUEST_ID",  # of one call
)


class Message(NamedTuple):
    """A whole message of the client."""

    body: bytes
    is_text: bool


class WebSocket:
    """The frames of a connection, and what its handshake says of all messages on it.

    No extension is accepted, so that a reserved bit is an error of the protocol.
    """

    def __init__(self, environ: Mapping[str, Any]) -> None:
        # The first handshake imports it: a server without WebSockets starts without it.
        from wsproto.frame_protocol import FrameProtocol

        self._frames = FrameProtocol(client=False, extensions=[])
        self._environ = environ
        self._message = bytearray()  # what has come of the next one
        self._buffered_bytes = 0  # received, but not read as frames
        self.output: list[bytes | bytearray] = []  # frames to be sent
        self.is_closing = False

    def receive(self, data: bytes) -> None:
        self._frames.receive_bytes(data)
        self._buffered_bytes += len(data)

    def next_message(self, max_bytes: int) -> Message | None:
        """Return the next whole message, if there is one; answer pings, errors and a close."""
        from wsproto.frame_protocol import Opcode, ParseFailed

        try:
            for frame in self._frames.received_frames():
                if frame.opcode is Opcode.PING:
                    self.output.append(self._frames.pong(cast(bytes, frame.payload)))
                elif frame.opcode is Opcode.CLOSE:
                    self.close(cast(int, frame.payload[0]))
                elif frame.opcode is not Opcode.PONG and self._is_whole(frame, max_bytes):
                    body, self._message = bytes(self._message), bytearray()
                    return Message(body, is_text=frame.opcode is Opcode.TEXT)
                if self.is_closing:
                    return None
        except ParseFailed as error:
            self.close(error.code)
        self._buffered_bytes = 0
        return None

    def _is_whole(self, frame: Any, max_bytes: int) -> bool:
        """Add a part of a message."""
        data = frame.payload
        self._message += data.encode() if isinstance(data, str) else data
        if len(self._message) > max_bytes:
            self.close(TOO_LARGE)
            return False
        return bool(frame.message_finished)

    def send(self, text: bytes) -> None:
        self.output.append(self._frames.send_data(text.decode()))

    def close(self, code: int) -> None:
        """Say that nothing more is sent, once."""
        if not self.is_closing:
            self.is_closing = True
            self.output.append(self._frames.close(code))

    def take_output(self) -> list[bytes | bytearray]:
        found, self.output = self.output, []
        return found

    def has_more(self) -> bool:
        """Return whether something was received that has not been read as frames."""
        return self._buffered_bytes > 0

    def memory_bytes(self) -> int:
        return len(self._message) + self._buffered_bytes

    def is_in_message(self) -> bool:
        return bool(self._message)

    def make_environ(self, message: Message) -> dict[str, Any]:
        """Return the WSGI environment of the call for a message, without its connection."""
        return {
            **self._environ,
            "REQUEST_METHOD": messages.METHOD,
            "QUERY_STRING": "",
            "CONTENT_TYPE": messages.TEXT if message.is_text else messages.BINARY,
            "CONTENT_LENGTH": str(len(message.body)),
            "wsgi.input": BytesIO(message.body),
            "wsgi.version": (1, 0),
            "wsgi.errors": sys.stderr,
            "wsgi.multithread": True,
            "wsgi.run_once": False,
        }


def note_upgrade(environ: dict[str, Any]) -> None:
    """Mark a request for a WebSocket, for the application.

    A client that cannot set headers sends its credential as `?token=`. The application sees it in
    the header, and nowhere else.
    """
    if environ["REQUEST_METHOD"] != "GET" or not _is_upgrade(environ):
        return
    token = parse_qs(environ["QUERY_STRING"]).get("token")
    if token is not None:
        environ["QUERY_STRING"] = ""
        environ.setdefault("HTTP_AUTHORIZATION", f"Bearer {token[-1]}")
    # A client's connections have most texts in common.
    environ[messages.UPGRADE] = {
        sys.intern(name): sys.intern(value) if isinstance(value, str) else value
        for name, value in environ.items()
        if name in _KEPT or (name.startswith("HTTP_") and not name.startswith(_DROPPED))
    }


def _is_upgrade(environ: Mapping[str, Any]) -> bool:
    try:
        key = b64decode(environ.get("HTTP_SEC_WEBSOCKET_KEY", ""), validate=True)
    except binascii.Error:
        return False
    connection = environ.get("HTTP_CONNECTION", "").lower().split(",")
    return (
        environ.get("HTTP_UPGRADE", "").lower() == "websocket"
        and "upgrade" in map(str.strip, connection)
        and environ.get("HTTP_SEC_WEBSOCKET_VERSION") == "13"
        and environ["SERVER_PROTOCOL"] == "HTTP/1.1"
        and len(key) == 16
    )


def accept(connection: "Connection", response: Any, environ: Mapping[str, Any]) -> None:
    """Send the response to a handshake; from here on the connection has frames."""
    from wsproto.utilities import generate_accept_token

    accepted = generate_accept_token(environ["HTTP_SEC_WEBSOCKET_KEY"].encode())
    response.upgrade = True
    response.headers += [("Upgrade", "websocket"), ("Sec-WebSocket-Accept", accepted.decode())]
    response.send_headers()
    connection.websocket = WebSocket(environ[messages.UPGRADE])


def answer_message(application: Application, connection: "Connection", message: Message) -> Outcome:
    """Call the application for a message; the frame of its response is put out."""
    websocket = connection.websocket
    assert websocket is not None  # noqa: S101 - its caller has a message of it
    connection.given = message.body
    environ = websocket.make_environ(message) | {
        "REMOTE_ADDR": str(connection.peer[0]),
        "SERVER_NAME": str(connection.server[0]),
        "SERVER_PORT": str(connection.server[1]),
        "sessionary.reset": connection.reset_on_close,
        messages.CLOSE: connection.close_after_response,
        IS_ABORTED: lambda: connection.is_aborted,
        ON_LOOP: True,
    }

    def respond(make: Callable[[], Iterable[bytes]]) -> Outcome:
        try:
            body = make()
            if isinstance(body, Held):
                return Pending(body, partial(respond, body.make))
            websocket.send(_read(body))
        except Exception as error:  # noqa: BLE001 - whatever the application raises is answered
            if not (isinstance(error, OSError) and error.errno == errno.ECONNRESET):
                _log.exception("Error handling request")
            connection.close_after_response(INTERNAL_ERROR)
        if connection.close_code is not None:
            websocket.close(connection.close_code)
        if connection.must_reset:
            websocket.output = []
        return not websocket.is_closing

    return respond(partial(application, environ, _ignore_head))


def _ignore_head(*_: Any) -> Callable[[bytes], Any]:
    return bool


def _read(body: Iterable[bytes]) -> bytes:
    try:
        return b"".join(body)
    finally:
        getattr(body, "close", bool)()
