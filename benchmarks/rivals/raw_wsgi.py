"""The floor: the same work in raw sqlite3 as a bare WSGI application, without validation.

`python -m benchmarks.rivals.raw_wsgi PORT` serves it under bjoern.
"""

import json
import sys
from collections.abc import Callable, Iterable
from typing import Any

from benchmarks.rivals import raw_sessions


def app(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    status, shown = _answer(environ)
    body = json.dumps(shown, default=str).encode()
    headers = [("Content-Type", "application/json"), ("Content-Length", str(len(body)))]
    start_response(status, headers)
    return [body]


def _answer(environ: dict[str, Any]) -> tuple[str, Any]:
    found = raw_sessions.identify(environ.get("HTTP_AUTHORIZATION", ""))
    if found is None:
        return "401 Unauthorized", {"detail": "unknown key"}
    if environ["REQUEST_METHOD"] == "POST":
        given = json.loads(environ["wsgi.input"].read(int(environ["CONTENT_LENGTH"])))
        return "200 OK", raw_sessions.insert(found[0], given["session_timeout_minutes"])
    session = raw_sessions.find(environ["PATH_INFO"].rpartition("/")[2], *found)
    return (
        ("404 Not Found", {"detail": "no such session"}) if session is None else ("200 OK", session)
    )


if __name__ == "__main__":
    import bjoern

    bjoern.run(app, "127.0.0.1", int(sys.argv[1]))
