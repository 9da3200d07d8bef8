"""The files of the console, with the headers that a browser gets."""

import gzip
from functools import cache
from hashlib import sha256
from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import Any, NamedTuple

from werkzeug.wrappers import Response

from sessionary.control.errors import CONTENT_TYPE, error_body
from sessionary.seeds import demo
from sessionary.web import json_codec

TYPES = {
    "html": "text/html; charset=utf-8",
    "js": "text/javascript; charset=utf-8",
    "css": "text/css; charset=utf-8",
    "svg": "image/svg+xml",
    "toml": "application/toml",
}
HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; "
        "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cache-Control": "no-cache",
}
_INDEX = "index.html"
_DEMO = "demo.toml"


class File(NamedTuple):
    """The content of a file, the same packed by gzip, its type, and the tag of this content."""

    content: bytes
    packed: bytes
    content_type: str
    etag: str


@cache
def assets() -> dict[str, bytes]:
    """Read what the page consists of, by path."""
    return dict(_read(files(__package__) / "static", ""))


def response(name: str, environ: dict[str, Any]) -> Response:
    """Return the response with a file, or 404."""
    file = _files().get(name or _INDEX)
    if file is None:
        body = json_codec.to_bytes(error_body(404, f"the console has no file {name!r}"))
        return Response(body, 404, HEADERS, content_type=CONTENT_TYPE)
    is_packed = "gzip" in environ.get("HTTP_ACCEPT_ENCODING", "")
    content = file.packed if is_packed else file.content
    found = Response(content, headers=HEADERS, content_type=file.content_type)
    found.vary.add("Accept-Encoding")
    if is_packed:
        found.content_encoding = "gzip"
    found.set_etag(f"{file.etag}-gzip" if is_packed else file.etag)
    return found.make_conditional(environ)


def redirect(path: str) -> Response:
    """Lead from a path to the console; the address is relative, for proxies that add a prefix."""
    last = path.rpartition("/")[2]
    target = "" if last == "console" else "_control/console/"
    location = f"{last}/{target}" if last else target
    headers = {**HEADERS, "Location": location, "Vary": "Accept"}
    found = Response(status=302, headers=headers)
    found.autocorrect_location_header = False
    return found


@cache
def _files() -> dict[str, File]:
    contents = {**assets(), _DEMO: demo.text().encode()}
    return {name: _file(name, content) for name, content in contents.items()}


def _file(name: str, content: bytes) -> File:
    content_type, etag = TYPES[name.rpartition(".")[2]], sha256(content).hexdigest()[:16]
    return File(content, gzip.compress(content, mtime=0), content_type, etag)


def _read(folder: Traversable, prefix: str) -> list[tuple[str, bytes]]:
    found = []
    for each in folder.iterdir():
        name = prefix + each.name
        found += _read(each, f"{name}/") if each.is_dir() else [(name, each.read_bytes())]
    return found
