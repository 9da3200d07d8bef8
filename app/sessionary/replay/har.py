"""HAR files (HTTP Archive 1.2), as browsers and proxies save them."""

import base64
import json
import math
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import unquote, urlsplit

from sessionary.clock import MAXIMUM_AT
from sessionary.web.instants import BadInstant, parse

NO_BODY: Any = object()
Kind = type | tuple[type, ...]
_KINDS: Mapping[Kind, str] = {
    dict: "an object",
    list: "a list",
    str: "text",
    int: "a whole number",
    (int, float): "a number",
}


class BadHar(ValueError):
    """A file that is not a HAR file; the message says where."""


class Entry(NamedTuple):
    """A recorded call: when it was made and how long it took in microseconds, and its answer.

    `path` is decoded. Names of headers are in lower case. `response` is JSON, text or NO_BODY.
    """

    at: int
    took: int
    method: str
    path: str
    query: str
    headers: Mapping[str, str]
    body: str | None
    status: int
    response: Any


def read_har(file: Path) -> list[Entry]:
    """Return the calls of a file in the order of their instants. Raises BadHar and OSError."""
    try:
        har = json.loads(file.read_text(encoding="utf-8-sig"))
        if not isinstance(har, dict):
            raise BadHar("it must be an object")
        entries = _objects(_part(har, "log", dict), "entries")
        return sorted((_entry(*each) for each in entries), key=lambda entry: entry.at)
    except ValueError as error:
        raise BadHar(f"{file} is not a HAR file: {error}") from None


def _entry(entry: Mapping[str, Any], where: str) -> Entry:
    request, response = (_part(entry, each, dict, where) for each in ("request", "response"))
    in_request, in_response = f"{where}request/", f"{where}response/"
    url = urlsplit(_part(request, "url", str, in_request))
    try:
        at = parse(_part(entry, "startedDateTime", str, where)) // 1000
    except BadInstant as error:
        raise BadHar(f"{where}startedDateTime {error}") from None
    if not 0 <= at < MAXIMUM_AT:
        raise BadHar(f"{where}startedDateTime must lie between the years 1970 and 9000")
    took = _optional(entry, "time", (int, float), where) or 0
    if not math.isfinite(took):
        raise BadHar(f"{where}time must be a finite number")
    post_data = _optional(request, "postData", dict, in_request) or {}
    content = _optional(response, "content", dict, in_response) or {}
    return Entry(
        at=at,
        took=max(0, int(took * 1000)),
        method=_part(request, "method", str, in_request).upper(),
        path=unquote(url.path) or "/",
        query=url.query,
        headers={
            _part(header, "name", str, place).lower(): _part(header, "value", str, place)
            for header, place in _objects(request, "headers", in_request)
        },
        body=_optional(post_data, "text", str, f"{in_request}postData/"),
        status=_optional(response, "status", int, in_response) or 0,
        response=_body(content, f"{in_response}content/"),
    )


def _part(holder: Mapping[str, Any], name: str, kind: Kind, where: str = "") -> Any:
    """Return a part that the file must have. Raises BadHar, which names its place."""
    if name not in holder:
        raise BadHar(f"no {name!r}" + (f" in {where.rstrip('/')}" if where else ""))
    value = holder[name]
    if not isinstance(value, kind) or isinstance(value, bool):
        raise BadHar(f"{where}{name} must be {_KINDS[kind]}")
    return value


def _optional(holder: Mapping[str, Any], name: str, kind: Kind, where: str) -> Any:
    """Return a part that the file may have; None if it is null or not there."""
    return None if holder.get(name) is None else _part(holder, name, kind, where)


def _objects(
    holder: Mapping[str, Any], name: str, where: str = ""
) -> Iterator[tuple[Mapping[str, Any], str]]:
    """Yield the objects of a list, each with its place."""
    for number, each in enumerate(_part(holder, name, list, where)):
        place = f"{where}{name}/{number}"
        if not isinstance(each, dict):
            raise BadHar(f"{place} must be {_KINDS[dict]}")
        yield each, f"{place}/"


def _body(content: Mapping[str, Any], where: str) -> Any:
    """Return the JSON or text of a response; NO_BODY if the file has none."""
    text = _optional(content, "text", str, where)
    if not text:
        return NO_BODY
    if content.get("encoding") == "base64":
        text = base64.b64decode(text).decode("utf-8", "replace")
    try:
        return json.loads(text)
    except ValueError:
        return text
