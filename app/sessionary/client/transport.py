"""How the control plane is called, and what its refusals become."""

from collections.abc import Callable, Mapping
from datetime import date, time
from typing import Any, NamedTuple
from urllib.parse import quote, urlencode, urlsplit

PREFIX = "/_control/v1/"
_PATIENCE_SECONDS = 60


class Problem(Exception):
    """A refusal of the control plane; the message says what to send instead.

    `document` is the whole problem document, `errors` are its places.
    """

    def __init__(self, status: int, detail: str, document: Mapping[str, Any]) -> None:
        super().__init__(detail)
        self.status = status
        self.detail = detail
        self.document = document
        self.errors: list[dict[str, str]] = document.get("errors", [])


class Answer(NamedTuple):
    """An HTTP answer."""

    status: int
    content: bytes


# Sends one request: method, path with its query, headers, body.
Send = Callable[[str, str, Mapping[str, str], bytes | None], Answer]


def over_http(url: str) -> Send:
    """Send to the server at `url`, on a connection for each request. Raises ConnectionError."""
    address = urlsplit(url)
    if address.scheme not in ("http", "https") or not address.netloc:
        raise ValueError(f"a server's address looks like http://127.0.0.1:8000, not {url!r}")

    def send(method: str, path: str, headers: Mapping[str, str], body: bytes | None) -> Answer:
        from http.client import HTTPConnection, HTTPException, HTTPSConnection

        kind = HTTPSConnection if address.scheme == "https" else HTTPConnection
        connection = kind(address.netloc, timeout=_PATIENCE_SECONDS)
        try:
            connection.request(method, address.path.rstrip("/") + path, body, dict(headers))
            response = connection.getresponse()
            return Answer(response.status, response.read())
        except (OSError, HTTPException) as error:
            raise ConnectionError(f"{url} does not answer: {error}") from error
        finally:
            connection.close()

    return send


class Calls:
    """Calls of the control plane, about one namespace where one is named."""

    def __init__(self, send: Send, namespace: str | None, token: str | None) -> None:
        self._send = send
        self.namespace = namespace
        self._headers = {} if namespace is None else {"Sessionary-Namespace": namespace}
        if token is not None:
            self._headers["Authorization"] = f"Bearer {token.strip()}"

    def __call__(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        query: Mapping[str, Any] | None = None,
        at: str | None = None,
    ) -> Any:
        """One call: the answer's JSON, None where it has none. Raises Problem.

        Of the query, what is None is left out; `at` is the instant as of which is asked.
        """
        import json

        headers = {} if at is None else {"Sessionary-At": at}
        content = None
        if body is not None:
            headers["Content-Type"] = "application/json"
            content = encode(body)
        found = self.send(method, path, content, headers, query)
        return json.loads(found) if found else None

    def send(
        self,
        method: str,
        path: str,
        content: bytes | None = None,
        headers: Mapping[str, str] | None = None,
        query: Mapping[str, Any] | None = None,
    ) -> bytes:
        """One call with a body as it is: the answer's body. Raises Problem."""
        given = [(name, value) for name, value in (query or {}).items() if value is not None]
        target = PREFIX + path + (f"?{urlencode(given)}" if given else "")
        answer = self._send(method, target, {**self._headers, **(headers or {})}, content)
        if answer.status >= 400:
            raise _problem(f"{method} {target}", answer)
        return answer.content


def encode(document: Any) -> bytes:
    """A document as JSON, with the dates and times that TOML has as text."""
    import json

    return json.dumps(document, default=_text).encode()


def _text(value: Any) -> str:
    if isinstance(value, date | time):
        return value.isoformat()
    raise TypeError(f"{value!r} cannot be sent as JSON")


def segment(text: str) -> str:
    """Text as one segment of a path."""
    return quote(text, safe="")


def _problem(call: str, answer: Answer) -> Problem:
    import json

    try:
        document = json.loads(answer.content)
        return Problem(answer.status, document["detail"], document)
    except (ValueError, KeyError, TypeError):
        said = f"{call} was answered with {answer.status}: no control plane is there"
        return Problem(answer.status, f"{said} (a double has one, a server with --control)", {})
