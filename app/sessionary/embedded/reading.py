"""Strict request parsing for cheroot, as in gunicorn: refuses what could be read in two ways."""

import re
from typing import Any

from cheroot.server import HeaderReader, HTTPConnection, HTTPRequest

MAX_HEAD_BYTES = 65_536
_LINE_END = b"\r\n"
_NAME = re.compile(rb"[!#$%&'*+.^`|~0-9A-Za-z-]+")
_CONTROL_CHARACTER = re.compile(rb"[\x00-\x08\n-\x1f\x7f]")
_ONCE = frozenset({b"Content-Length", b"Content-Type", b"Host", b"Transfer-Encoding"})
_SIZE = re.compile(rb"([0-9A-Fa-f]{1,16})[ \t]*(?:;[^\r\n]+)?\r\n")
_MAX_TRAILERS = 100


class _Headers(HeaderReader):
    """Reads headers. A name with an underscore is dropped: WSGI makes it equal to one with a
    hyphen.
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
            if _CONTROL_CHARACTER.search(value) or (name in found and name in _ONCE):
                raise ValueError(f"Illegal header {name.decode()}.")
            found[name] = found[name] + b"," + value if name in found else value
        _check_length(found)
        return found


def _check_length(headers: dict[bytes, bytes]) -> None:
    length, coding = headers.get(b"Content-Length"), headers.get(b"Transfer-Encoding")
    if length is not None and not length.isdigit():
        raise ValueError("Illegal Content-Length.")
    if coding is not None and (length is not None or coding.lower() != b"chunked"):
        raise ValueError("Illegal Transfer-Encoding.")


class _Request(HTTPRequest):
    header_reader = _Headers()


class Connection(HTTPConnection):
    """A connection that parses its requests strictly."""

    RequestHandlerClass = _Request


class ChunkReader:
    """Reads the size lines and chunks of a body, and skips its trailers.

    The connection is kept only after a body that was read to its end. Raises ValueError.
    """

    def __init__(self, request: Any) -> None:
        self._request = request
        self._closes = request.close_connection
        request.close_connection = True
        self.read = request.conn.rfile.read

    def readline(self) -> bytes:
        line: bytes = self._request.conn.rfile.readline()
        size = _SIZE.fullmatch(line)
        if size is None:
            raise ValueError("Illegal chunk.")
        if not int(size[1], 16):
            self._skip_trailers()
            self._request.close_connection = self._closes
        return line

    def _skip_trailers(self) -> None:
        for _ in range(_MAX_TRAILERS):
            line = self._request.conn.rfile.readline()
            if line == _LINE_END:
                return
            if not line.endswith(_LINE_END):
                break
        raise ValueError("Illegal trailer.")
