"""One HTTP connection on which the calls of a run are made again."""

import string
from collections.abc import Mapping
from http.client import HTTPConnection, HTTPException, HTTPResponse, HTTPSConnection, IncompleteRead
from typing import NamedTuple
from urllib.parse import quote, urlsplit

_TIMEOUT_SECONDS = 60
# A request for a WebSocket; its key proves nothing here.
HANDSHAKE = {
    "upgrade": "websocket",
    "connection": "upgrade",
    "sec-websocket-version": "13",
    "sec-websocket-key": "AAAAAAAAAAAAAAAAAAAAAA==",
}


class Received(NamedTuple):
    """A response as it was received; `is_cut` if the connection ended within it."""

    status: int
    headers: list[tuple[str, str]]
    body: bytes
    is_cut: bool


class Connection:
    """A connection to a server, opened again after it was closed."""

    def __init__(self, url: str) -> None:
        address = urlsplit(url)
        self._prefix = address.path.rstrip("/")
        kind = HTTPSConnection if address.scheme == "https" else HTTPConnection
        self._http = kind(address.netloc, timeout=_TIMEOUT_SECONDS)

    def call(
        self, method: str, target: str, headers: Mapping[str, str], body: bytes
    ) -> Received | None:
        """Send a request; return None if the connection is dropped without a response.

        Raises ConnectionError if the server cannot be reached.
        """
        try:
            self._http.connect()
        except OSError as error:
            raise ConnectionError(f"the server does not answer: {error}") from error
        try:
            self._send(method, target, headers, body)
            return _receive(self._http.getresponse())
        except (ConnectionError, HTTPException):
            return None
        finally:
            self._http.close()

    def _send(self, method: str, target: str, headers: Mapping[str, str], body: bytes) -> None:
        self._http.putrequest(method, self._prefix + target, skip_accept_encoding=True)
        for name, value in headers.items():
            self._http.putheader(name, value)
        self._http.endheaders(body)


def make_target(path: str, query: str) -> str:
    """Return the request target of a decoded path and a raw query."""
    target = quote(path.encode(errors="surrogateescape"), safe="/:@!$&'()*+,;=~")
    encoded = quote(query, safe=string.punctuation)
    return f"{target}?{encoded}" if encoded else target


def _receive(response: HTTPResponse) -> Received:
    is_cut = False
    try:
        body = response.read()
    except IncompleteRead as error:
        body, is_cut = error.partial, True
    return Received(response.status, response.getheaders(), body, is_cut)
