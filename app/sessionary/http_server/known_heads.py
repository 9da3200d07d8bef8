"""Heads of requests that gunicorn's parser has accepted: equal ones are not parsed again.

Clients repeat their headers. What the parser made of a method and a block of headers is kept when
they come a second time; of later requests with the same bytes only the request line is read. A
request line that is unusual in any way is the parser's.
"""

import re
from collections import OrderedDict
from io import BytesIO
from typing import Any, NamedTuple

from sessionary.http_server.connection import HEAD_END, Connection

_LINE = re.compile(
    rb"(GET|POST|PUT|PATCH|DELETE) (/[A-Za-z0-9._~/-]*)(?:\?([A-Za-z0-9._~/%&=+:,-]*))?"
    rb" HTTP/1\.1\r\n"
)
_MAX_LINE_BYTES = _MAX_BLOCK_BYTES = 4096
_MAX_HEADS = 512
_OBJECTS = ("wsgi.input", "gunicorn.socket", "wsgi.early_hints")  # of one request
_Key = tuple[bytes, bytes]  # method, header block


class KnownHead(NamedTuple):
    """The parser's request, and its part of the WSGI environment that depends on the key alone."""

    request: Any
    environ: dict[str, Any]


class KnownHeads:
    """The heads that came last, by method and header block."""

    def __init__(self) -> None:
        self._heads: OrderedDict[_Key, KnownHead | None] = OrderedDict()  # None: seen once

    def take(self, connection: Connection) -> KnownHead | None:
        """Take the complete request that was received, if its head is known."""
        received, needed = connection.received, connection.needed
        line = _LINE.match(received, 0, _MAX_LINE_BYTES)
        peer, server = connection.peer, connection.server
        if line is None or connection.is_body_refused or not isinstance(server, tuple):
            return None  # `server` is the path of a Unix socket
        end = received.find(HEAD_END, line.end() - 2) + len(HEAD_END)
        key = line[1], bytes(received[line.end() : end])
        known = self._heads.get(key)
        if known is None:
            return None
        self._heads.move_to_end(key)
        path, query = line[2].decode(), (line[3] or b"").decode()
        connection.give(needed)
        environ = known.environ.copy()
        environ["PATH_INFO"] = path
        environ["QUERY_STRING"] = query
        environ["RAW_URI"] = path if line[3] is None else f"{path}?{query}"
        environ["REMOTE_ADDR"], environ["REMOTE_PORT"] = peer[0], str(peer[1])
        environ["SERVER_NAME"], environ["SERVER_PORT"] = server[0], str(server[1])
        environ["wsgi.input"] = BytesIO(connection.given[end:])
        return KnownHead(known.request, environ)

    def learn(self, given: bytes, request: Any, environ: dict[str, Any]) -> None:
        """Keep what the parser made of a request's head, if it has come before."""
        line = _LINE.match(given, 0, _MAX_LINE_BYTES)
        if line is None:
            return
        end = given.find(HEAD_END, line.end() - 2) + len(HEAD_END)
        if end - line.end() > _MAX_BLOCK_BYTES:
            return
        key = line[1], given[line.end() : end]
        if key not in self._heads:
            self._heads[key] = None
            if len(self._heads) > _MAX_HEADS:
                self._heads.popitem(last=False)
        elif not environ["SCRIPT_NAME"]:  # the path depends on it
            known = {name: each for name, each in environ.items() if name not in _OBJECTS}
            self._heads[key] = KnownHead(request, known)
