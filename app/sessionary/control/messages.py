"""A vendor's call as the control plane sees it: what is asked, and what is answered."""

from collections.abc import Callable, Iterable
from http.client import responses
from io import BytesIO
from typing import Any, NamedTuple

from sessionary.control.route_table import Addresses
from sessionary.web.surface import Surface

Application = Callable[..., Iterable[bytes]]


class Asked(NamedTuple):
    """A call: whose, and the vendor's own path, without the surface's prefix."""

    surface: Surface | None
    method: str
    path: str
    environ: dict[str, Any]

    @classmethod
    def of(cls, addresses: Addresses, environ: dict[str, Any]) -> "Asked":
        """The call of a request."""
        path = environ["PATH_INFO"].encode("latin-1").decode(errors="replace")
        surface, own = addresses.of(path)
        return cls(surface, environ["REQUEST_METHOD"], own, environ)


class Answer(NamedTuple):
    """An answer; its status is a code and a phrase."""

    status: str
    headers: list[tuple[str, str]]
    body: bytes

    @property
    def code(self) -> int:
        """The status code."""
        return int(self.status[:3])


def ask(application: Application, environ: dict[str, Any]) -> Answer:
    """A WSGI application's answer, whole."""
    status, headers = "", []

    def start(said: str, fields: list[tuple[str, str]], *_: Any) -> Callable[[bytes], None]:
        nonlocal status, headers
        status, headers = said, fields
        return parts.append

    parts: list[bytes] = []
    body = application(environ, start)
    try:
        parts.extend(body)
    finally:
        close = getattr(body, "close", None)
        if close is not None:
            close()
    return Answer(status, headers, b"".join(parts))


def made(asked: Asked, status: int, headers: dict[str, str], body: bytes) -> Answer:
    """An answer that no view gave, in the words of the call's surface."""
    kind = "application/json" if asked.surface is None else asked.surface.error_content_type
    fields = {"Content-Type": kind, "Content-Length": str(len(body)), **headers}
    phrase = responses.get(status, "Unknown")
    shown = b"" if asked.method == "HEAD" else body
    return Answer(f"{status} {phrase}", list(fields.items()), shown)


def take_body(environ: dict[str, Any], most: int) -> tuple[bytes | None, int]:
    """A request's body, which can be read again, and how long it is; None for one over `most`.

    It is read before a namespace is entered, so that no slow client holds one up.
    """
    length, stream = environ.get("CONTENT_LENGTH") or "", environ["wsgi.input"]
    if length.isascii() and length.isdigit():
        if int(length) > most:
            return None, int(length)
        body = stream.read(int(length))
    elif environ.get("wsgi.input_terminated"):
        body = _chunks(environ, most)
    else:
        return b"", 0
    environ["wsgi.input"] = BytesIO(body)
    return (body if len(body) <= most else None), len(body)


def _chunks(environ: dict[str, Any], most: int) -> bytes:
    """A body in chunks; of one that is too long enough to be refused.

    One that cannot be read is made one that is shorter than it says, which is refused as well.
    """
    try:
        body = bytes(environ["wsgi.input"].read(most + 1))
        length = len(body)
    except Exception:  # noqa: BLE001 - each server has its own for what is no chunk
        body, length = b"", 1
    for name in ("wsgi.input_terminated", "HTTP_TRANSFER_ENCODING"):
        environ.pop(name, None)
    environ["CONTENT_LENGTH"] = str(length)
    return body
