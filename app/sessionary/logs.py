"""How the log looks: a line for each request and each mishap, as text or as JSON, on stderr.

A line has no path, query, header or body of a request: none of them is free of credentials.
"""

import json
import logging
import sys
from contextvars import ContextVar
from functools import lru_cache
from urllib.parse import quote

from sessionary.clock import wall
from sessionary.web.events import Observer, RequestFinished
from sessionary.web.instants import to_text

# Of the request at hand; mishaps are told with it.
request_id: ContextVar[str | None] = ContextVar("sessionary_request_id", default=None)


class _Text(logging.Formatter):
    def formatTime(self, record: logging.LogRecord, _: str | None = None) -> str:  # noqa: N802
        return to_text(int(record.created * 1_000_000))

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802
        at, level = self.formatTime(record), record.levelname
        return f"{at} {level} {record.getMessage()}{_of_request()}"


class _Json(_Text):
    def format(self, record: logging.LogRecord) -> str:
        line = {
            "time": self.formatTime(record),
            "level": record.levelname.lower(),
            "message": record.getMessage(),
            "request_id": request_id.get(),
        }
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        return json.dumps(line)


class _Discreet(logging.Filter):
    """Takes out of a server's own lines what they quote of a request."""

    def filter(self, record: logging.LogRecord) -> bool:
        said = str(record.msg)
        if said.startswith("Invalid request from"):
            record.msg, record.args = said.partition(": ")[0], ()
        elif said.startswith("Error handling request"):
            record.msg, record.args = "Error handling request", ()
        return True


def configure(form: str) -> None:
    """Write mishaps to stderr in this form, `text` or `json`; gunicorn's as well."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_Json() if form == "json" else _Text())
    handler.addFilter(_Discreet())
    for name in ("sessionary", "gunicorn.error"):
        logger = logging.getLogger(name)
        logger.handlers[:] = [handler]
        logger.setLevel(logging.INFO)
        logger.propagate = False


def to_stderr(form: str) -> Observer:
    """Write a line for each request to stderr in this form: `text` or `json`.

    It does without `logging`, whose records would cost more than a short request.
    """
    write = sys.stderr.write

    def as_text(it: RequestFinished) -> None:
        write(
            f"{to_text(wall())} {it.method} {it.surface or '-'} {it.route or '-'} "
            f"{it.status or '-'} {it.seconds * 1000:.2f}ms "
            f"organization={_word(it.organization)} request={it.request_id}\n"
        )

    def as_json(it: RequestFinished) -> None:
        write(
            f'{{"time": "{to_text(wall())}", "method": "{it.method}", '
            f'"surface": {_json(it.surface)}, "route": {_json(it.route)}, '
            f'"status": {_json(it.status)}, "milliseconds": {it.seconds * 1000:.2f}, '
            f'"organization": {_json(it.organization)}, "request_id": "{it.request_id}"}}\n'
        )

    return as_json if form == "json" else as_text


def _of_request() -> str:
    found = request_id.get()
    return "" if found is None else f" request={found}"


_json = lru_cache(maxsize=1024)(json.dumps)


@lru_cache(maxsize=1024)
def _word(text: str | None) -> str:
    """Quoted, so that no name can forge a line."""
    return "-" if text is None else quote(text)
