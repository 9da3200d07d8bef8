"""A vendor's call written into the journal, without credentials."""

import logging
from collections.abc import Mapping
from typing import Any, NamedTuple

from flask import request

from sessionary import clock
from sessionary.control.faults.matching import FaultRow
from sessionary.control.journal import models
from sessionary.control.journal.redaction import credentials, redacted
from sessionary.control.messages import Answer, Asked
from sessionary.control.route_table import Addresses, own_pattern
from sessionary.web import json_codec
from sessionary.web.context import CALLER

LONGEST = 16_384  # characters of a body
_HEADERS = ("Content-Type", "Sessionary-At", "x-notte-sdk-version")
_ROUTED = "sessionary.routed"
_log = logging.getLogger("sessionary")


class Heard(NamedTuple):
    """What is written down of a call besides what its environment says."""

    body: bytes | None  # None for one that is too long to be read
    body_bytes: int
    answer: Answer | None  # None where the connection was dropped
    fault: FaultRow | None


def record(addresses: Addresses, asked: Asked, heard: Heard) -> int | None:
    """Keep a call of the active namespace's; gives its id, None where it is not kept.

    The call is over by then: a failure is logged, never answered.
    """
    try:
        route, values = _route(addresses, asked)
        if route == "/openapi.json":
            return None
        return models.keep(**_row(asked, heard, route, values))
    except Exception:  # noqa: BLE001 - whatever it is, it is no failure of the call
        _log.exception("the journal could not keep a call")
        return None


def note_route() -> None:
    """Leave in the request's environment which route was found for it."""
    request.environ[_ROUTED] = request.url_rule, request.view_args


def _route(addresses: Addresses, asked: Asked) -> tuple[str | None, Mapping[str, Any]]:
    """The route that was taken, or would have been but for a fault, and its values."""
    if _ROUTED not in asked.environ:
        found = addresses.find(asked.method, asked.environ["PATH_INFO"])
        return found.route, found.values
    rule, values = asked.environ[_ROUTED]
    if rule is None:
        return None, {}
    return own_pattern(asked.surface.name if asked.surface else "", rule.rule), values or {}


def _row(
    asked: Asked, heard: Heard, route: str | None, values: Mapping[str, Any]
) -> dict[str, Any]:
    environ, answer, fault = asked.environ, heard.answer, heard.fault
    secrets, caller = credentials(environ), environ.get(CALLER)
    session = values.get("session_id") or _session(asked, heard)
    as_of = "HTTP_SESSIONARY_AT" in environ
    return {
        "at": (None if as_of else clock.last_read_at.get()) or clock.now(),
        "wall_at": clock.wall(),
        "surface": None if asked.surface is None else asked.surface.name,
        "method": asked.method,
        "path": redacted(asked.path, secrets),
        "route": route,
        "query": redacted(environ.get("QUERY_STRING", ""), secrets)[:LONGEST],
        "headers": redacted(json_codec.encode(headers_of(asked)), secrets),
        **_kept("body", heard.body, heard.body_bytes, secrets),
        "status": None if answer is None else answer.code,
        **_kept("response", b"" if answer is None else answer.body, None, secrets),
        "user": None if caller is None else caller.user,
        "organization": None if caller is None else caller.organization,
        "session": None if session is None else redacted(session, secrets),
        "fault": None if fault is None else fault.id,
        "fault_kind": None if fault is None else fault.kind,
    }


def headers_of(asked: Asked) -> dict[str, str]:
    """Those of a call's headers that its meaning depends on; none of them is a credential."""
    named = (
        () if asked.surface is None else (each["name"] for each in asked.surface.header_parameters)
    )
    found = {}
    for name in (*_HEADERS, *named):
        variable = name.upper().replace("-", "_")
        variable = variable if variable == "CONTENT_TYPE" else f"HTTP_{variable}"
        if asked.environ.get(variable):
            found[name.lower()] = asked.environ[variable]
    return found


def _kept(
    name: str, content: bytes | None, length: int | None, secrets: tuple[str, ...]
) -> dict[str, Any]:
    """A body as it is kept: first without credentials, then cut, so that no half of one is left."""
    if content is None:
        return {name: None, f"{name}_bytes": length, f"{name}_truncated": 1}
    text = redacted(content.decode(errors="replace"), secrets)
    return {
        name: text[:LONGEST] or None,
        f"{name}_bytes": len(content),
        f"{name}_truncated": int(len(text) > LONGEST),
    }


def _session(asked: Asked, heard: Heard) -> str | None:
    """The session that a call without one in its path made or named, as its bodies have it."""
    if asked.surface is None or asked.method != "POST":
        return None
    key = asked.surface.session_key
    bodies = [] if heard.answer is None else [_object(heard.answer.body)]
    bodies += [each["session"] for each in bodies if isinstance(each.get("session"), dict)]
    if key != "id" and heard.body:
        bodies.append(_object(heard.body))
    for each in bodies:
        if isinstance(each.get(key), str):
            return str(each[key])
    return None


def _object(content: bytes) -> dict[str, Any]:
    try:
        return json_codec.parse(content)
    except json_codec.BadDocument:
        return {}
