"""Calls the WSGI application for one request, and answers requests that are not HTTP."""

import errno
import logging
import ssl
from collections.abc import Callable, Iterable
from functools import partial
from typing import Any, NamedTuple

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
from sessionary.web.held import Held

Application = Callable[[Any, Any], Any]  # WSGI
_log = logging.getLogger("sessionary")
_CLIENT_LEFT = (errno.EPIPE, errno.ECONNRESET, errno.ENOTCONN)
_OUR_FAULT = (ConfigurationProblem, InvalidResponseHeader, InvalidResponseHeaderName)
_STATUS = {
    ExpectationFailed: "417 Expectation Failed",
    LimitRequestHeaders: "431 Request Header Fields Too Large",
    LimitRequestLine: "414 URI Too Long",
    UnsupportedTransferCoding: "501 Not Implemented",
}


class Pending(NamedTuple):
    """A request with a response to be made later, by `respond`."""

    seconds: float
    may_block: bool
    respond: Callable[[], "Outcome"]


# Whether the connection may have another request, or how to go on.
Outcome = bool | Pending


def answer(
    application: Application,
    connection: Connection,
    sock: BufferedSocket | BlockingSocket,
    is_last: Callable[[], bool],
) -> Outcome:
    """Read a request and send the response, unless it is held.

    `is_last` says whether the connection ends with this response.
    """
    return _guard(connection, sock, partial(_begin, application, connection, sock, is_last))


def _guard(connection: Connection, sock: Any, respond: Callable[[], Outcome]) -> Outcome:
    try:
        return respond()
    except (NoMoreData, StopIteration, ssl.SSLError):
        return False
    except OSError as error:
        if error.errno not in _CLIENT_LEFT:
            _log.exception("Socket error processing request")
    except Exception as error:  # noqa: BLE001 - whatever the application raises is answered
        refuse(connection, sock, error)
    return False


def _begin(
    application: Application, connection: Connection, sock: Any, is_last: Callable[[], bool]
) -> Outcome:
    request = next(connection.parser)
    response, environ = wsgi.create(
        request, sock, connection.peer, connection.server, connection.parser.cfg
    )
    environ["wsgi.multithread"] = True
    environ["sessionary.reset"] = connection.reset_on_close

    def respond(make: Callable[[], Iterable[bytes]]) -> Outcome:
        if connection.is_body_refused or is_last():
            response.force_close()
        try:
            body = make()
            if isinstance(body, Held):
                go_on = partial(_guard, connection, sock, partial(respond, body.make))
                return Pending(body.seconds, body.may_block, go_on)
            _send(body, response)
        except OSError:
            raise
        except Exception:
            if not response.headers_sent:
                raise
            _log.exception("Error handling request")
            connection.abort()
            return False
        return not response.should_close() and _finish_body(connection, sock)

    return respond(partial(application, environ, response.start_response))


def _send(body: Any, response: wsgi.Response) -> None:
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
