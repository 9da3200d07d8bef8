"""A request, and how to send it to a WSGI application without a server."""

import io
import json
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from werkzeug.test import EnvironBuilder


class Request(NamedTuple):
    """A request and its expected status."""

    method: str
    path: str  # with the query
    body: Any = None
    status: int = 200

    def content(self) -> bytes | None:
        return None if self.body is None else json.dumps(self.body).encode()


class UnexpectedResponse(Exception):
    """A response with another status; the message shows it."""


def wsgi_call(
    app: Callable[..., Any], request: Request, headers: Mapping[str, str]
) -> Callable[[], bytes]:
    """Make a function that sends this request to an application and returns the body.

    Each call copies a prepared environ.
    """
    content = request.content()
    environ = EnvironBuilder(
        path=request.path,
        method=request.method,
        headers=list(headers.items()),
        data=content,
        content_type=None if content is None else "application/json",
    ).get_environ()
    expected = f"{request.status} "

    def call() -> bytes:
        seen = ""

        def start(status: str, *_: Any) -> None:
            nonlocal seen
            seen = status

        copy = environ.copy()
        if content is not None:
            copy["wsgi.input"] = io.BytesIO(content)
        answer = app(copy, start)
        body = b"".join(answer)
        if hasattr(answer, "close"):
            answer.close()
        if not seen.startswith(expected):
            raise UnexpectedResponse(f"{request.method} {request.path}: {seen} {body[:300]!r}")
        return body

    return call
