"""Calls the WSGI application for one request."""

import errno
import logging
import re
import ssl
from collections.abc import Callable, Iterable
from functools import partial
from typing import Any

from gunicorn.http import wsgi
from gunicorn.http.errors import NoMoreData, ParseException, UnsupportedTransferCoding

from sessionary.http_server.connection import Connection
from sessionary.http_server.known_heads import KnownHeads
from sessionary.http_server.outcome import Application, Outcome, Pending
from sessionary.http_server.refusals import refuse
from sessionary.http_server.response import Response
from sessionary.http_server.sockets import BlockingSocket, BufferedSocket
from sessionary.http_server.websocket import accept, note_upgrade
from sessionary.web.held import IS_ABORTED, ON_LOOP, Held
from sessionary.web.messages import UPGRADE
from sessionary.web.spool import Spool

_log = logging.getLogger("sessionary")
_PLAIN_CODINGS = re.compile(r"[\s,]*(identity[\s,]+)*chunked[\s,]*", re.IGNORECASE)
_HOST = re.compile(r"([A-Za-z0-9._~!$&'()*+,;=%-]+|\[[0-9A-Fa-f:.]+\])(:[0-9]{0,5})?")
SWITCHING = 101
_CLIENT_LEFT = (errno.EPIPE, errno.ECONNRESET, errno.ENOTCONN)


def answer(
    application: Application,
    connection: Connection,
    sock: BufferedSocket | BlockingSocket,
    is_last: Callable[[], bool],
    heads: KnownHeads,
) -> Outcome:
    """Read a request and send the response, unless it is held.

    `is_last` says whether the connection ends with this response.
    """
    begin = partial(_begin, application, connection, sock, is_last, heads)
    return _guard(application, connection, sock, begin)


def _guard(
    application: Application, connection: Connection, sock: Any, respond: Callable[[], Outcome]
) -> Outcome:
    try:
        return respond()
    except (NoMoreData, StopIteration, ssl.SSLError):
        return False
    except OSError as error:
        if error.errno not in _CLIENT_LEFT:
            _log.exception("Socket error processing request")
    except Exception as error:  # noqa: BLE001 - whatever the application raises is answered
        return refuse(application, connection, sock, error)
    return False


def _begin(
    application: Application,
    connection: Connection,
    sock: Any,
    is_last: Callable[[], bool],
    heads: KnownHeads,
) -> Outcome:
    known = heads.take(connection) if isinstance(sock, BufferedSocket) else None
    if known is None:
        response, environ = _parse(connection, sock)
        note_upgrade(environ)
        if UPGRADE not in environ:  # its key comes once
            heads.learn(connection.given, response.req, environ)
    else:
        environ = known.environ
        response = Response(known.request, sock, connection.parser.cfg)
    environ["wsgi.multithread"] = True
    environ["sessionary.reset"] = connection.reset_on_close
    environ[IS_ABORTED] = lambda: connection.is_aborted
    if isinstance(sock, BufferedSocket):
        environ[ON_LOOP] = True

    def respond(make: Callable[[], Iterable[bytes]]) -> Outcome:
        if connection.is_body_refused or is_last():
            response.force_close()
        try:
            body = make()
            if isinstance(body, Held):
                go_on = partial(_guard, application, connection, sock, partial(respond, body.make))
                return Pending(body, go_on)
            if response.status_code == SWITCHING and UPGRADE in environ:
                accept(connection, response, environ)
                return True
            if isinstance(body, Spool):
                return _send_later(body, response, sock) and _finish_body(connection, sock)
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


def _parse(connection: Connection, sock: Any) -> tuple[wsgi.Response, dict[str, Any]]:
    connection.give_to_parser(sock)
    if connection.error is not None:
        raise connection.error
    response, environ = wsgi.create(
        next(connection.parser),
        sock,
        connection.peer,
        connection.server,
        connection.parser.cfg,
        Response,
    )
    host = environ.get("HTTP_HOST")
    is_old = environ["SERVER_PROTOCOL"] == "HTTP/1.0"
    if not (is_old if host is None else _HOST.fullmatch(host)):
        raise ParseException("The Host header is " + ("malformed" if host else "missing"))
    codings = environ.get("HTTP_TRANSFER_ENCODING")
    if codings is not None and not _PLAIN_CODINGS.fullmatch(codings):
        raise UnsupportedTransferCoding(codings)
    return response, dict(environ)


def _send_later(body: Spool, response: wsgi.Response, sock: Any) -> bool:
    """Send the head; the loop sends the body. Return whether another request may follow."""
    response.send_headers()
    sock.body = body
    return not response.should_close() and len(body) == response.response_length


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
