"""Log formats: one line per request and per problem on stderr, as text or as JSON.

A line holds no path, query, header or body of a request: any of them may contain credentials.
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

# Of the current request; it is added to every line that is logged while it is answered.
request_id: ContextVar[str | None] = ContextVar("sessionary_request_id", default=None)


class _TextFormatter(logging.Formatter):
    def formatTime(self, record: logging.LogRecord, _: str | None = None) -> str:  # noqa: N802
        return to_text(int(record.created * 1_000_000))

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802
        line = f"{self.formatTime(record)} {record.levelname} {record.getMessage()}"
        current = request_id.get()
        return line if current is None else f"{line} request={current}"


class _JsonFormatter(_TextFormatter):
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


def configure(log_format: str) -> None:
    """Log problems to stderr as `text` or `json`, those of gunicorn too."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_JsonFormatter() if log_format == "json" else _TextFormatter())
    for name in ("sessionary", "gunicorn.error"):
        logger = logging.getLogger(name)
        logger.handlers[:] = [handler]
        logger.setLevel(logging.INFO)
        logger.propagate = False


def access_log(log_format: str) -> Observer:
    """Make an observer that writes a line per request to stderr, as `text` or `json`.

    It bypasses `logging`: creating a record costs more than a short request.
    """
    write = sys.stderr.write

    def write_text(it: RequestFinished) -> None:
        write(
            f"{to_text(wall())} {it.method} {it.surface or '-'} {it.route or '-'} "
            f"{it.status or '-'} {it.seconds * 1000:.2f}ms "
            f"organization={_quoted(it.organization)} request={it.request_id}\n"
        )

    def write_json(it: RequestFinished) -> None:
        write(
            f'{{"time": "{to_text(wall())}", "method": "{it.method}", '
            f'"surface": {_json(it.surface)}, "route": {_json(it.route)}, '
            f'"status": {_json(it.status)}, "milliseconds": {it.seconds * 1000:.2f}, '
            f'"organization": {_json(it.organization)}, "request_id": "{it.request_id}"}}\n'
        )

    return write_json if log_format == "json" else write_text


_json = lru_cache(maxsize=1024)(json.dumps)


@lru_cache(maxsize=1024)
def _quoted(text: str | None) -> str:
    """Percent-encode a value, so that it cannot forge a line."""
    return "-" if text is None else quote(text)
