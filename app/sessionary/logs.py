"""How the log looks: a line for each request and each mishap, as text or as JSON, on stderr."""

import json
import logging
import sys
from collections.abc import Callable

from sessionary.clock import wall
from sessionary.wire.instants import to_text

RequestLog = Callable[[str, str, int, float], None]

_STANDARD = logging.Formatter("%(asctime)s %(levelname)s %(message)s")


class _Json(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        line = {
            "time": self.formatTime(record),
            "level": record.levelname.lower(),
            "message": record.getMessage(),
        }
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        return json.dumps(line)


def configure(form: str) -> None:
    """Write Sessionary's mishaps to stderr in this form: `text` or `json`."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_Json() if form == "json" else _STANDARD)
    logger = logging.getLogger("sessionary")
    logger.handlers[:] = [handler]
    logger.setLevel(logging.INFO)
    logger.propagate = False


def to_stderr(form: str) -> RequestLog:
    """Write a line for each request to stderr in this form: `text` or `json`.

    It does without `logging`, whose records would cost more than a short request.
    """
    write = sys.stderr.write

    def as_text(method: str, path: str, status: int, milliseconds: float) -> None:
        write(f"{to_text(wall())} {method} {path} {status} {milliseconds:.2f}ms\n")

    def as_json(method: str, path: str, status: int, milliseconds: float) -> None:
        line = {
            "time": to_text(wall()),
            "method": method,
            "path": path,
            "status": status,
            "milliseconds": round(milliseconds, 2),
        }
        write(json.dumps(line) + "\n")

    return as_json if form == "json" else as_text
