"""HAR files (HTTP Archive 1.2), as browsers and proxies save them."""

import base64
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import unquote, urlsplit

from sessionary.web.instants import BadInstant, parse

NO_BODY: Any = object()


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
        entries = json.loads(file.read_text(encoding="utf-8-sig"))["log"]["entries"]
        return sorted(_entries(entries), key=lambda entry: entry.at)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        where = f"no {error}" if isinstance(error, KeyError) else error
        raise BadHar(f"{file} is not a HAR file: {where}") from None


def _entries(entries: list[dict[str, Any]]) -> Iterator[Entry]:
    for number, entry in enumerate(entries):
        request, response = entry["request"], entry["response"]
        url = urlsplit(request["url"])
        try:
            at = parse(entry["startedDateTime"]) // 1000
        except BadInstant as error:
            raise BadHar(f"entries/{number}/startedDateTime {error}") from None
        yield Entry(
            at=at,
            took=max(0, int((entry.get("time") or 0) * 1000)),
            method=request["method"].upper(),
            path=unquote(url.path) or "/",
            query=url.query,
            headers={each["name"].lower(): each["value"] for each in request["headers"]},
            body=(request.get("postData") or {}).get("text"),
            status=response["status"],
            response=_body(response.get("content") or {}),
        )


def _body(content: Mapping[str, Any]) -> Any:
    """Return the JSON or text of a response; NO_BODY if the file has none."""
    text = content.get("text")
    if not text:
        return NO_BODY
    if content.get("encoding") == "base64":
        text = base64.b64decode(text).decode("utf-8", "replace")
    try:
        return json.loads(text)
    except ValueError:
        return text
