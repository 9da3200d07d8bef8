"""A vendor call as data: VendorRequest and VendorResponse; calls to a WSGI application."""

from collections.abc import Callable, Iterable
from http import HTTPStatus
from http.client import responses
from io import BytesIO
from typing import Any, NamedTuple

from sessionary.web import json_codec, messages
from sessionary.web.route_table import RouteTable
from sessionary.web.spool import Spool
from sessionary.web.surface import Surface

Application = Callable[..., Iterable[bytes]]


class VendorRequest(NamedTuple):
    """A request: its surface, its method, and its path without the surface's prefix.

    `message` is a WebSocket's message as method and parameters, both None if it cannot be read.
    """

    surface: Surface | None
    method: str
    path: str
    environ: dict[str, Any]
    message: tuple[str | None, Any] | None = None

    @classmethod
    def of(cls, routes: RouteTable, environ: dict[str, Any], body: bytes | None) -> "VendorRequest":
        """Read a request from its WSGI environ and its body, None if that is too large."""
        path = environ["PATH_INFO"].encode("latin-1").decode(errors="replace")
        surface, own = routes.split(path)
        method, message = environ["REQUEST_METHOD"], None
        if method == messages.METHOD and surface is not None and surface.messages is not None:
            message = surface.messages.read(body or b"")
        return cls(surface, method, own, environ, message)

    @property
    def message_route(self) -> str | None:
        """The method that a message names, if there is one of this name."""
        if self.message is None or self.surface is None or self.surface.messages is None:
            return None
        return self.message[0] if self.message[0] in self.surface.messages.routes else None


class VendorResponse(NamedTuple):
    """A response; `status` is a code and a phrase. A large body is in a file."""

    status: str
    headers: list[tuple[str, str]]
    body: bytes | Spool

    @property
    def code(self) -> int:
        """The status code."""
        return int(self.status[:3])

    def parts(self) -> Iterable[bytes]:
        """The body as a WSGI iterable."""
        return self.body if isinstance(self.body, Spool) else [self.body]

    def start(self) -> bytes:
        """The body, or the first whole items of a large one."""
        return self.body.start() if isinstance(self.body, Spool) else self.body


def call_wsgi(application: Application, environ: dict[str, Any]) -> VendorResponse:
    """Call a WSGI application and read the whole response."""
    status, headers = "", []
    parts: list[bytes] = []

    def start_response(
        line: str, fields: list[tuple[str, str]], *_: Any
    ) -> Callable[[bytes], None]:
        nonlocal status, headers
        status, headers = line, fields
        return parts.append

    body = application(environ, start_response)
    if isinstance(body, Spool):
        return VendorResponse(status, headers, body)
    try:
        parts.extend(body)
    finally:
        close = getattr(body, "close", None)
        if close is not None:
            close()
    return VendorResponse(status, headers, b"".join(parts))


def build_response(
    request: VendorRequest, status: int, headers: dict[str, str], body: bytes
) -> VendorResponse:
    """Build a response with the content type of the surface's errors."""
    kind = "application/json" if request.surface is None else request.surface.error_content_type
    fields = {"Content-Type": kind, "Content-Length": str(len(body)), **headers}
    phrase = responses.get(status, "Unknown")
    content = b"" if request.method == "HEAD" else body
    return VendorResponse(f"{status} {phrase}", list(fields.items()), content)


def answer_to_message(
    request: VendorRequest, body: bytes | None, response: VendorResponse
) -> VendorResponse:
    """Return what is sent for a response: an error of HTTP becomes one of a message, with 200."""
    surface = request.surface
    if request.message is None or surface is None or surface.messages is None:
        return response
    if response.code == HTTPStatus.OK:
        return response
    error = surface.messages.error(body or b"", response.code, response.start())
    return response._replace(status="200 OK", body=json_codec.to_bytes(error))


def buffer_body(environ: dict[str, Any], max_bytes: int) -> tuple[bytes | None, int]:
    """Read a request's body into memory, so that it can be read again; return it and its length.

    A body of more than `max_bytes` is None. This runs before a namespace is activated, so that a
    slow client holds no lock.
    """
    length, stream = environ.get("CONTENT_LENGTH") or "", environ["wsgi.input"]
    if length.isascii() and length.isdigit():
        if int(length) > max_bytes:
            return None, int(length)
        body = stream.read(int(length))
    elif environ.get("wsgi.input_terminated"):
        body = _read_chunks(environ, max_bytes)
    else:
        return b"", 0
    environ["wsgi.input"] = BytesIO(body)
    return (body if len(body) <= max_bytes else None), len(body)


def parse_object(body: bytes) -> dict[str, Any]:
    """Parse a body that is a JSON object; any other is an empty one."""
    try:
        return json_codec.parse(body)
    except json_codec.BadDocument:
        return {}


def _read_chunks(environ: dict[str, Any], max_bytes: int) -> bytes:
    """Read a chunked body, up to one byte more than `max_bytes`.

    A body that cannot be read gets a Content-Length that is too large, so that it is refused.
    """
    try:
        body = bytes(environ["wsgi.input"].read(max_bytes + 1))
        length = len(body)
    except Exception:  # noqa: BLE001 - each server raises its own type for a bad chunk
        body, length = b"", 1
    for name in ("wsgi.input_terminated", "HTTP_TRANSFER_ENCODING"):
        environ.pop(name, None)
    environ["CONTENT_LENGTH"] = str(length)
    return body
