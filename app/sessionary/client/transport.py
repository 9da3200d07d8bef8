"""Requests to the control plane, and its errors as exceptions."""

import re
from collections.abc import Callable, Mapping
from datetime import date, time
from typing import Any, NamedTuple, TypeVar, cast
from urllib.parse import quote, urlencode, urlsplit

__tracebackhide__ = True  # pytest leaves the frames of this module out
PREFIX = "/_control/v1/"
MAX_PAGE = 1000  # the largest page that the control plane returns
_TIMEOUT_SECONDS, _CONNECT_SECONDS = 60, 5
Json = TypeVar("Json")


class ControlError(Exception):
    """An error response of the control plane; the message says what to send instead.

    `document` is the problem document (RFC 9457), `errors` its list of places.
    """

    def __init__(self, status: int, detail: str, document: Mapping[str, Any]) -> None:
        super().__init__(detail)
        self.status = status
        self.detail = detail
        self.document = document
        self.errors: list[dict[str, str]] = document.get("errors", [])


class Response(NamedTuple):
    """An HTTP response."""

    status: int
    content: bytes


# Sends one request: method, path with its query, headers, body.
Transport = Callable[[str, str, Mapping[str, str], bytes | None], Response]


def https_hint(url: str, error: object) -> str:
    """Return the end of a sentence about a handshake that failed, perhaps with plain HTTP."""
    if url.startswith("https:") and (isinstance(error, TimeoutError) or "SSL" in str(error)):
        return " (if it speaks plain HTTP, use http://)"
    return ""


def http_transport(url: str) -> Transport:
    """Send each request to `url` on a connection of its own. Raises ConnectionError."""
    address = urlsplit(url)
    if address.scheme not in ("http", "https") or not address.netloc:
        raise ValueError(f"the server's URL must look like http://127.0.0.1:8000, not {url!r}")

    def send(method: str, path: str, headers: Mapping[str, str], body: bytes | None) -> Response:
        from http.client import HTTPConnection, HTTPException, HTTPSConnection

        kind = HTTPSConnection if address.scheme == "https" else HTTPConnection
        connection = kind(address.netloc, timeout=_CONNECT_SECONDS)
        try:
            connection.connect()
            connection.sock.settimeout(_TIMEOUT_SECONDS)
            connection.request(method, address.path.rstrip("/") + path, body, dict(headers))
            response = connection.getresponse()
            return Response(response.status, response.read())
        except (OSError, HTTPException) as error:
            why = getattr(error, "strerror", None) or error
            raise ConnectionError(
                f"{url} does not answer: {why}{https_hint(url, error)}"
            ) from error
        finally:
            connection.close()

    return send


class ControlApi:
    """Sends requests to the control plane, for one namespace if it is given."""

    def __init__(self, transport: Transport, namespace: str | None, token: str | None) -> None:
        self._transport = transport
        self.namespace = namespace
        self._headers = {} if namespace is None else {"Sessionary-Namespace": namespace}
        if token is not None:
            if not re.fullmatch("[!-~]+", token.strip()):
                name = "the control token (SESSIONARY_CONTROL_TOKEN)"
                raise ValueError(f"{name} must be printable ASCII without blanks")
            self._headers["Authorization"] = f"Bearer {token.strip()}"

    def request(
        self,
        _kind: type[Json],
        method: str,
        path: str,
        body: Any = None,
        *,
        query: Mapping[str, Any] | None = None,
        at: str | None = None,
    ) -> Json:
        """Send and receive JSON, typed as `_kind` but not checked. Raises ControlError.

        Query members that are None are left out. `at` is sent as `Sessionary-At`.
        """
        import json

        headers = {} if at is None else {"Sessionary-At": at}
        content = None
        if body is not None:
            headers["Content-Type"] = "application/json"
            content = encode(body)
        return cast(Json, json.loads(self.send(method, path, content, headers, query)))

    def send(
        self,
        method: str,
        path: str,
        content: bytes | None = None,
        headers: Mapping[str, str] | None = None,
        query: Mapping[str, Any] | None = None,
    ) -> bytes:
        """Send and receive raw bodies. Raises ControlError."""
        given = [(name, value) for name, value in (query or {}).items() if value is not None]
        target = PREFIX + path + (f"?{urlencode(given)}" if given else "")
        response = self._transport(method, target, {**self._headers, **(headers or {})}, content)
        if response.status >= 400:
            raise _make_error(f"{method} {target}", response)
        return response.content


def encode(document: Any) -> bytes:
    """Encode JSON; dates and times (as TOML has them) become text."""
    import json

    return json.dumps(document, default=_date_text).encode()


def segment(text: str) -> str:
    """Quote text as one path segment. Raises ValueError if it cannot be one, TypeError if no text.

    A server takes a quoted slash for one that separates segments.
    """
    if not isinstance(text, str):
        raise TypeError(f"an id or a name is text, not {text!r}")
    if not text:
        raise ValueError("an id or a name in a path must not be empty")
    if "/" in text:
        raise ValueError(f"an id or a name in a path has no slash, but {text!r} has")
    return quote(text, safe="")


def _date_text(value: Any) -> str:
    if isinstance(value, date | time):
        return value.isoformat()
    raise TypeError(f"{value!r} cannot be sent as JSON")


def _make_error(call: str, response: Response) -> ControlError:
    import json

    try:
        document = json.loads(response.content)
        return ControlError(response.status, document["detail"], document)
    except (ValueError, KeyError, TypeError):
        detail = (
            f"{call} returned {response.status}: the server has no control plane "
            "(a double always has one, a server needs --control)"
        )
        return ControlError(response.status, detail, {})
