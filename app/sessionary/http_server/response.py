"""gunicorn's response, with a head that is written in one go where nothing in it is unusual."""

import re
from collections.abc import Iterable
from functools import lru_cache
from typing import Any

from gunicorn import util
from gunicorn.http import wsgi

_STATUS = re.compile(r"[0-9]{3}(?: [ \t!-~\x80-\xff]*)?")
_DIGITS = re.compile(r"[0-9]+")
_NO_BODY = ("1", "204", "304")  # how such a status begins
_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_VALUE = r"(?:[!-~\x80-\xff]+(?:[ \t]+[!-~\x80-\xff]+)*)?"  # no space at its ends
_VALUES = re.compile(rf"{_VALUE}(?:\n{_VALUE})*")


class Response(wsgi.Response):
    """A response to one request. What is unusual, gunicorn checks and sends.

    The application's own `Date` takes precedence.
    """

    _fields: str | None = None
    _date: str | None = None

    def start_response(self, status: str, headers: Any, exc_info: Any = None) -> Any:
        if exc_info is not None or self.status is not None or not self._is_usual(status, headers):
            self._fields = None
            return super().start_response(status, headers, exc_info)
        self.status, self.status_code = status, int(status[:3])
        return self.write

    def _is_usual(self, status: str, headers: list[tuple[str, str]]) -> bool:
        """Take the headers, if they can be sent as they are."""
        has_usual_body = self.req.method != "HEAD" and not status.startswith(_NO_BODY)
        if not has_usual_body or self.req.version != (1, 1) or not _STATUS.fullmatch(status):
            return False
        length_index = _length_index(tuple([name for name, _ in headers]))
        if length_index is None or not _VALUES.fullmatch("\n".join([each for _, each in headers])):
            return False
        length = headers[length_index][1]
        if not _DIGITS.fullmatch(length):
            return False
        self._fields = "".join([f"{name}: {value}\r\n" for name, value in headers])
        self.response_length = int(length)
        return True

    def process_headers(self, headers: Iterable[tuple[str, str]]) -> None:
        super().process_headers(headers)
        self._date = dict(headers).get("Date")

    def default_headers(self) -> list[str]:
        found: list[str] = super().default_headers()
        if self._date is not None:
            found[2] = f"Date: {self._date}\r\n"
        return found

    def send_headers(self) -> None:
        if self._fields is None or self.headers_sent:
            super().send_headers()
            return
        connection = "close" if self.should_close() else "keep-alive"
        head = (
            f"HTTP/1.1 {self.status}\r\nServer: {self.version}\r\nDate: {util.http_date()}\r\n"
            f"Connection: {connection}\r\n{self._fields}\r\n"
        )
        self.sock.sendall(head.encode("latin-1"))
        self.headers_sent = True


@lru_cache(maxsize=64)
def _length_index(names: tuple[Any, ...]) -> int | None:
    """Return which of these headers is the length of the body; None if any name is unusual."""
    for name in names:
        if not isinstance(name, str) or not _NAME.fullmatch(name) or util.is_hoppish(name):
            return None
    lengths = [index for index, name in enumerate(names) if name.lower() == "content-length"]
    return lengths[0] if len(lengths) == 1 else None
