"""A request, and how it is made of a WSGI application without a server in between."""

import io
import json
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from werkzeug.test import EnvironBuilder


class Request(NamedTuple):
    """One request and the status that answers it."""

    method: str
    path: str  # with its query
    body: Any = None
    status: int = 200

    def content(self) -> bytes | None:
        return None if self.body is None else json.dumps(self.body).encode()


class UnexpectedAnswer(Exception):
    """An answer that the benchmark cannot count; the message shows it."""


def calling(
    app: Callable[..., Any], request: Request, headers: Mapping[str, str]
) -> Callable[[], bytes]:
    """A function that makes this request of an application and gives the answer's body.

    The environ is prepared; each call copies it.
    """
    content = request.content()
    environ = EnvironBuilder(
        path=request.path,
        method=request.method,
        headers=dict(headers),
        data=content,
        content_type=None if content is None else "application/json",
    ).get_environ()
    expected = f"{request.status} "

    def call() -> bytes:
        seen = ""

        def start(status: str, *_: Any) -> None:
            nonlocal seen
            seen = status

        asked = environ.copy()
        if content is not None:
            asked["wsgi.input"] = io.BytesIO(content)
        answer = app(asked, start)
        body = b"".join(answer)
        if hasattr(answer, "close"):
            answer.close()
        if not seen.startswith(expected):
            raise UnexpectedAnswer(f"{request.method} {request.path}: {seen} {body[:300]!r}")
        return body

    return call
