"""Compresses large responses of the control plane for clients that accept it."""

import zlib
from collections.abc import Iterable, Iterator
from typing import Any

from werkzeug.http import parse_accept_header

from sessionary.control.messages import Application, call_wsgi
from sessionary.web import spool
from sessionary.web.spool import Spool

MIN_BYTES = 16_384
_GZIP_BITS = 31  # zlib's sign for a gzip header and trailer
_TYPES = ("application/json", "application/problem+json", "text/")
Headers = list[tuple[str, str]]


def call_compressed(
    application: Application, environ: dict[str, Any], start_response: Any
) -> Iterable[bytes]:
    """Call an application; compress its response if that is large text.

    A response that is kept in a file is compressed into another one, piece by piece.
    """
    if environ["REQUEST_METHOD"] != "GET" or not _accepts_gzip(environ):
        return application(environ, start_response)
    response = call_wsgi(application, environ)
    status, headers, body = response
    kinds = [value for name, value in headers if name.lower() == "content-type"]
    if len(body) <= MIN_BYTES or not "".join(kinds).startswith(_TYPES):
        start_response(status, headers)
        return response.parts()
    compressed = _compress(body)
    if compressed is None:
        start_response(status, headers)
        return response.parts()
    kept = [each for each in headers if each[0].lower() != "content-length"]
    added = [("Content-Encoding", "gzip"), ("Content-Length", str(len(compressed)))]
    start_response(status, [*kept, *added, ("Vary", "Accept-Encoding")])
    return response._replace(body=compressed).parts()


def _accepts_gzip(environ: dict[str, Any]) -> bool:
    text = environ.get("HTTP_ACCEPT_ENCODING", "")
    return "gzip" in text and parse_accept_header(text)["gzip"] > 0


def _compress(body: bytes | Spool) -> bytes | Spool | None:
    """Compress a body; None where space is short."""
    if isinstance(body, bytes):
        return zlib.compress(body, wbits=_GZIP_BITS)
    try:
        compressed = spool.collect(_gzip(body), is_medium=False)
    except spool.LargeResponseRefused:
        body.rewind()
        return None
    body.close()
    return compressed


def _gzip(parts: Iterable[bytes]) -> Iterator[bytes]:
    compressor = zlib.compressobj(wbits=_GZIP_BITS)
    for part in parts:
        if piece := compressor.compress(part):
            yield piece
    yield compressor.flush()
