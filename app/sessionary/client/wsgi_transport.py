"""A transport of the control client that calls a WSGI application, without a socket."""

import io
import sys
from collections.abc import Callable, Iterable, Mapping
from typing import Any
from urllib.parse import unquote_to_bytes

from sessionary.client.transport import Response, Transport

_ENVIRON: dict[str, Any] = {
    "SCRIPT_NAME": "",
    "SERVER_NAME": "sessionary.test",
    "SERVER_PORT": "80",
    "SERVER_PROTOCOL": "HTTP/1.1",
    "wsgi.version": (1, 0),
    "wsgi.url_scheme": "http",
    "wsgi.multithread": True,
    "wsgi.multiprocess": False,
    "wsgi.run_once": False,
}


def wsgi_send(application: Callable[..., Iterable[bytes]]) -> Transport:
    """Return a transport that sends requests to a WSGI application."""

    def send(method: str, path: str, headers: Mapping[str, str], body: bytes | None) -> Response:
        statuses: list[str] = []
        environ = _environ(method, path, headers, body or b"")
        parts = application(environ, lambda status, *_: statuses.append(status))
        try:
            content = b"".join(parts)
        finally:
            getattr(parts, "close", lambda: None)()
        return Response(int(statuses[0][:3]), content)

    return send


def _environ(method: str, path: str, headers: Mapping[str, str], body: bytes) -> dict[str, Any]:
    path, _, query = path.partition("?")
    environ = {
        **_ENVIRON,
        "REQUEST_METHOD": method,
        "PATH_INFO": unquote_to_bytes(path).decode("latin-1"),
        "QUERY_STRING": query,
        "CONTENT_LENGTH": str(len(body)),
        "wsgi.errors": sys.stderr,  # pytest replaces it in each test
        "wsgi.input": io.BytesIO(body),
    }
    for name, value in headers.items():
        variable = name.upper().replace("-", "_")
        environ[variable if variable == "CONTENT_TYPE" else f"HTTP_{variable}"] = value
    return environ
