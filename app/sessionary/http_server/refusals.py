"""Answers requests that are not HTTP, or that the application failed on."""

import logging
import re
import sys
from functools import partial
from io import BytesIO
from itertools import islice
from typing import Any
from urllib.parse import unquote_to_bytes

from gunicorn.http.errors import (  # type: ignore[attr-defined] # the stubs are of an older one
    ConfigurationProblem,
    ExpectationFailed,
    InvalidResponseHeader,
    InvalidResponseHeaderName,
    LimitRequestHeaders,
    LimitRequestLine,
    ParseException,
    UnsupportedTransferCoding,
)

from sessionary.http_server.connection import Connection
from sessionary.http_server.outcome import Application, Outcome, Pending
from sessionary.http_server.sockets import BufferedSocket
from sessionary.web.held import ON_LOOP, Held

_log = logging.getLogger("sessionary")
_OUR_FAULT = (ConfigurationProblem, InvalidResponseHeader, InvalidResponseHeaderName)
_STATUS = {
    ExpectationFailed: "417 Expectation Failed",
    LimitRequestHeaders: "431 Request Header Fields Too Large",
    LimitRequestLine: "414 URI Too Long",
    UnsupportedTransferCoding: "501 Not Implemented",
}
_LINE = re.compile(rb"(?:\r\n)*([A-Za-z]{1,20}) +(?:https?://[^/\s]*)?(/[^?\s]*)(?:\?(\S*))?")
_FIELD = re.compile(rb"\r\n([A-Za-z0-9-]+):[ \t]*([^\r\n]*)")
_MAX_FIELDS = 100
# What an error quotes, unless it is the name of a header: it may hold credentials.
_QUOTED = re.compile(r": (?!'[A-Z-]+'$).*", re.DOTALL)
Headers = list[tuple[str, str]]


def refuse(
    application: Application, connection: Connection, sock: Any, error: Exception
) -> Outcome:
    """Answer a request that cannot be read, or that the application failed on.

    If the application has a method `refuse(environ, start_response, status, message)`, it answers
    what cannot be read. Neither log nor message quotes the request: it may hold credentials.
    """
    if not isinstance(error, ParseException) or isinstance(error, _OUR_FAULT):
        _log.exception("Error handling request")
        return _send_text(sock, "500 Internal Server Error", "")
    status = _STATUS.get(type(error), "400 Bad Request")
    words, message = getattr(application, "refuse", None), _QUOTED.sub("", str(error))
    _log.warning("Invalid request from ip=%s: %s", connection.peer[0], message)
    if words is None:
        return _send_text(sock, status, f"{message}\n")
    head: list[Any] = []

    def start_response(line: str, headers: Headers, *_: Any) -> None:
        head[:] = line, headers

    def respond(make: Any) -> Outcome:
        try:
            body = make()
            if isinstance(body, Held):
                return Pending(body, partial(respond, body.make))
            return _send(sock, head[0], head[1], b"".join(body))
        except OSError:
            return False
        except Exception:  # noqa: BLE001 - whatever the application raises is answered
            _log.exception("Error handling request")
            return _send_text(sock, "500 Internal Server Error", "")

    environ = _environ(connection)
    if isinstance(sock, BufferedSocket):
        environ[ON_LOOP] = True
    return respond(partial(words, environ, start_response, int(status[:3]), message))


def _environ(connection: Connection) -> dict[str, Any]:
    """The readable part of the request: its line and its headers, without its body."""
    given = connection.given.partition(b"\r\n\r\n")[0]
    line = _LINE.match(given)
    method, path, query = line.groups(b"") if line else (b"", b"/", b"")
    fields = {
        "HTTP_" + each[1].decode().upper().replace("-", "_"): each[2].decode("latin-1").strip()
        for each in islice(_FIELD.finditer(given), _MAX_FIELDS)
    }
    return {
        **fields,
        "REQUEST_METHOD": method.decode() or "OTHER",
        "SCRIPT_NAME": "",
        "PATH_INFO": unquote_to_bytes(path).decode("latin-1"),
        "QUERY_STRING": query.decode("latin-1"),
        "SERVER_NAME": str(connection.server[0]),
        "SERVER_PORT": str(connection.server[1]),
        "SERVER_PROTOCOL": "HTTP/1.1",
        "REMOTE_ADDR": str(connection.peer[0]),
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": "http",
        "wsgi.input": BytesIO(),
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": True,
        "wsgi.multiprocess": True,
        "wsgi.run_once": False,
        "sessionary.reset": connection.reset_on_close,
    }


def _send_text(sock: Any, status: str, message: str) -> bool:
    body = message.encode("latin-1", "replace")
    headers = [("Content-Type", "text/plain"), ("Content-Length", str(len(body)))]
    return _send(sock, status, headers, body)


def _send(sock: Any, status: str, headers: Headers, body: bytes) -> bool:
    """Send a response after which the connection is closed."""
    fields = "".join(f"{name}: {value}\r\n" for name, value in headers)
    head = f"HTTP/1.1 {status}\r\nConnection: close\r\n{fields}\r\n"
    try:
        sock.sendall(head.encode("latin-1") + body)
    except OSError:
        _log.debug("The client has left before its error response")
    return False
