"""Calls the WSGI application for one request, and answers requests that are not HTTP."""

import errno
import logging
import ssl
from collections.abc import Callable
from typing import Any

from gunicorn.http import wsgi
from gunicorn.http.errors import (  # type: ignore[attr-defined] # the stubs are of an older one
    ConfigurationProblem,
    ExpectationFailed,
    InvalidResponseHeader,
    InvalidResponseHeaderName,
    LimitRequestHeaders,
    LimitRequestLine,
    NoMoreData,
    ParseException,
    UnsupportedTransferCoding,
)

from sessionary.http_server.connection import Connection
from sessionary.http_server.sockets import BlockingSocket, BufferedSocket

Application = Callable[[dict[str, Any], Any], Any]  # WSGI
_log = logging.getLogger("sessionary")
_CLIENT_LEFT = (errno.EPIPE, errno.ECONNRESET, errno.ENOTCONN)
_OUR_FAULT = (ConfigurationProblem, InvalidResponseHeader, InvalidResponseHeaderName)
_STATUS = {
    ExpectationFailed: "417 Expectation Failed",
    LimitRequestHeaders: "431 Request Header Fields Too Large",
    LimitRequestLine: "414 URI Too Long",
    UnsupportedTransferCoding: "501 Not Implemented",
}


def answer(
    application: Application,
    connection: Connection,
    sock: BufferedSocket | BlockingSocket,
    *,
    close: bool,
) -> bool:
    """Read a request, send the response; return whether the connection may have another.

    `close` ends the connection with this response.
    """
    try:
        request = next(connection.parser)
        if not _respond(application, request, connection, sock, close):
            return False
        return _finish_body(connection, sock)
    except (NoMoreData, StopIteration, ssl.SSLError):
        return False
    except OSError as error:
        if error.errno not in _CLIENT_LEFT:
            _log.exception("Socket error processing request")
    except Exception as error:  # noqa: BLE001 - whatever the application raises is answered
        refuse(connection, sock, error)
    return False


def _respond(
    application: Application, request: Any, connection: Connection, sock: Any, close: bool
) -> bool:
    response, environ = wsgi.create(
        request, sock, connection.peer, connection.server, connection.parser.cfg
    )
    environ["wsgi.multithread"] = True
    if close or connection.is_body_refused:
        response.force_close()
    try:
        _run(application, environ, response)
    except OSError:
        raise
    except Exception:
        if not response.headers_sent:
            raise
        _log.exception("Error handling request")
        connection.abort()
        return False
    return not response.should_close()


def _run(application: Application, environ: Any, response: wsgi.Response) -> None:
    body = application(environ, response.start_response)
    try:
        for part in body:
            response.write(part)
        response.close()
    finally:
        if hasattr(body, "close"):
            body.close()


def _finish_body(connection: Connection, sock: BufferedSocket | BlockingSocket) -> bool:
    """Skip the unread rest of a request; return whether the next one begins after it."""
    sock.shorten_deadline()
    try:
        return bool(connection.parser.finish_body())
    except (OSError, ParseException):
        return False


def refuse(connection: Connection, sock: Any, error: Exception) -> None:
    """Answer a request that cannot be read, or that the application failed on.

    The log does not quote the request: it may hold credentials.
    """
    if isinstance(error, ParseException) and not isinstance(error, _OUR_FAULT):
        _log.warning("Invalid request from ip=%s", connection.peer[0])
        status, message = _STATUS.get(type(error), "400 Bad Request"), f"{error}\n"
    else:
        _log.exception("Error handling request")
        status, message = "500 Internal Server Error", ""
    body = message.encode("latin-1", "replace")
    head = (
        f"HTTP/1.1 {status}\r\nConnection: close\r\nContent-Type: text/plain\r\n"
        f"Content-Length: {len(body)}\r\n\r\n"
    )
    try:
        sock.sendall(head.encode() + body)
    except OSError:
        _log.debug("The client has left before its error response")
