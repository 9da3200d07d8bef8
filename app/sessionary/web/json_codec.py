"""JSON of requests and responses: the limits of the decoder, and the encoder."""

import json
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from typing import Any, NoReturn

MAX_DEPTH = 100
_MARK = b"\xef\xbb\xbf"  # of the byte order, which some programs write


class BadDocument(ValueError):
    """A body that is not a JSON object within the limits; the message says why."""


class NotAnObject(BadDocument):
    """A body of valid JSON other than an object."""


def _refuse_constant(name: str) -> NoReturn:
    raise BadDocument(f"{name} is not JSON")


def _reason(error: Exception) -> BadDocument:
    """Say in our words why text is not JSON."""
    if isinstance(error, RecursionError):
        return BadDocument(f"nested deeper than {MAX_DEPTH}")
    if isinstance(error, UnicodeDecodeError):
        return BadDocument(f"not valid JSON: byte {error.start} is not UTF-8")
    if isinstance(error, json.JSONDecodeError):
        return BadDocument(f"not valid JSON: {error}")
    return BadDocument(f"an integer has more than {sys.get_int_max_str_digits()} digits")


def _finite(text: str) -> float:
    number = float(text)
    if number in (float("inf"), float("-inf")):
        raise BadDocument("a number is too large for a double")
    return number


_decoder = json.JSONDecoder(parse_constant=_refuse_constant, parse_float=_finite)
_encoder = json.JSONEncoder(separators=(",", ":"), allow_nan=False, check_circular=False)

# Compact ASCII. Values come back equal, lone surrogates and big integers included.
encode = _encoder.encode
_quick_bytes: Callable[[Any], bytes] | None = None
with suppress(ImportError):  # an extra, for speed
    from orjson import dumps as _quick_bytes


def to_bytes(value: Any) -> bytes:
    """Encode a response: with orjson if it is installed and accepts the value, or with `encode`.

    orjson refuses integers over 64 bits and lone surrogates.
    """
    if _quick_bytes is not None:
        with suppress(TypeError):
            return _quick_bytes(value)
    return encode(value).encode()


def page_value(page: Iterable[Any]) -> Any:
    """The list of a `map`, or the object of names and values, where a `map` is a list."""
    if isinstance(page, map):
        return list(page)
    return {name: list(value) if isinstance(value, map) else value for name, value in page}


def page_pieces(page: Iterable[Any]) -> Iterator[bytes]:
    """Encode a page piece by piece; see `page_value`."""
    if isinstance(page, map):
        yield from _item_pieces(page)
        return
    separator = b"{"
    for name, value in page:
        yield separator + to_bytes(name) + b":"
        yield from _item_pieces(value) if isinstance(value, map) else [to_bytes(value)]
        separator = b","
    yield b"}"


def _item_pieces(items: Iterable[Any]) -> Iterator[bytes]:
    separator = b"["
    for item in items:
        yield separator + to_bytes(item)
        separator = b","
    yield b"]" if separator == b"," else b"[]"


_scan: Callable[[str, int], tuple[Any, int]] = vars(json.JSONDecoder())["scan_once"]


def decode(text: str) -> Any:
    """The value of text that `encode` wrote. Use `parse` for text from outside."""
    return _scan(text, 0)[0]


def value(text: str) -> Any:
    """The value of any JSON text. Raises BadDocument."""
    try:
        return _decoder.decode(text)
    except BadDocument:
        raise
    except (RecursionError, ValueError) as error:
        raise _reason(error) from None


def parse(body: bytes) -> dict[str, Any]:
    """The object in a request body. Raises BadDocument.

    Refuses invalid UTF-8, NaN and Infinity, numbers beyond a double, integers over 4300 digits,
    nesting over 100, and values other than an object. The last of duplicate keys wins.
    """
    try:
        found = _decoder.decode(body.removeprefix(_MARK).decode())
    except BadDocument:
        raise
    except (RecursionError, ValueError) as error:
        raise _reason(error) from None
    if not isinstance(found, dict):
        raise NotAnObject("not a JSON object")
    if body.count(b"{") + body.count(b"[") > MAX_DEPTH and _is_deep(found):
        raise BadDocument(f"nested deeper than {MAX_DEPTH}")
    return found


def _is_deep(value: Any) -> bool:
    level = [value]
    for _ in range(MAX_DEPTH):
        level = [
            inner
            for outer in level
            for inner in (outer.values() if isinstance(outer, dict) else outer)
            if isinstance(inner, dict | list)
        ]
        if not level:
            return False
    return True
