"""Requests read as strictly as gunicorn reads them: none that could be understood in two ways."""

import re
from typing import Any

from cheroot.server import HeaderReader, HTTPConnection, HTTPRequest

LONGEST_HEAD = 65_536
_LINE_END = b"\r\n"
_NAME = re.compile(rb"[!#$%&'*+.^`|~0-9A-Za-z-]+")
_NO_TEXT = re.compile(rb"[\x00-\x08\n-\x1f\x7f]")
_ONCE = frozenset({b"Content-Length", b"Content-Type", b"Host", b"Transfer-Encoding"})
_SIZE = re.compile(rb"([0-9A-Fa-f]{1,16})[ \t]*(?:;[^\r\n]+)?\r\n")
_MOST_TRAILERS = 100


class _Fields(HeaderReader):
    """Reads headers. One whose name has an underscore is left out: an application could not tell
    it from another that has a hyphen there.
    """

    def __call__(self, lines: Any, found: dict[bytes, bytes] | None = None) -> dict[bytes, bytes]:
        found = {} if found is None else found
        for line in iter(lines.readline, _LINE_END):
            name, colon, rest = line.partition(b":")
            value = rest[:-2].strip(b" \t")
            if b"_" in name and _NAME.fullmatch(name.replace(b"_", b"-")):
                continue
            if not (colon and rest.endswith(_LINE_END) and _NAME.fullmatch(name)):
                raise ValueError("Illegal header line.")
            name = name.title()
            if _NO_TEXT.search(value) or (name in found and name in _ONCE):
                raise ValueError(f"Illegal header {name.decode()}.")
            found[name] = found[name] + b"," + value if name in found else value
        _prove_length(found)
        return found


def _prove_length(headers: dict[bytes, bytes]) -> None:
    length, coding = headers.get(b"Content-Length"), headers.get(b"Transfer-Encoding")
    if length is not None and not length.isdigit():
        raise ValueError("Illegal Content-Length.")
    if coding is not None and (length is not None or coding.lower() != b"chunked"):
        raise ValueError("Illegal Transfer-Encoding.")


class _Request(HTTPRequest):
    header_reader = _Fields()


class Connection(HTTPConnection):
    """A connection whose requests are read so."""

    RequestHandlerClass = _Request


class Lines:
    """The lines before each chunk of a body, and its chunks; what follows the last is passed over.

    Only behind a body that was read to its end can there be another request. Raises ValueError.
    """

    def __init__(self, request: Any) -> None:
        self._request = request
        self._is_last = request.close_connection
        request.close_connection = True
        self.read = request.conn.rfile.read

    def readline(self) -> bytes:
        line: bytes = self._request.conn.rfile.readline()
        size = _SIZE.fullmatch(line)
        if size is None:
            raise ValueError("Illegal chunk.")
        if not int(size[1], 16):
            self._pass_trailers()
            self._request.close_connection = self._is_last
        return line

    def _pass_trailers(self) -> None:
        for _ in range(_MOST_TRAILERS):
            line = self._request.conn.rfile.readline()
            if line == _LINE_END:
                return
            if not line.endswith(_LINE_END):
                break
        raise ValueError("Illegal trailer.")
