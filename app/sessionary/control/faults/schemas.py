"""The fault request: its schema, its validation, and the row that it becomes."""

from difflib import get_close_matches
from typing import Any

from sessionary.control.blueprint import control
from sessionary.control.errors import ApiError
from sessionary.control.faults import matching
from sessionary.control.fields import Duration, Instant, MaximumDuration, Number, StrictSchema
from sessionary.near_names import did_you_mean
from sessionary.web import json_codec
from sessionary.web.fields import Bounds, Integer, OneOf, Text
from sessionary.web.messages import METHOD
from sessionary.web.surface import Surface

_METHODS = ("DELETE", "GET", "HEAD", "PATCH", "POST", "PUT", METHOD)
_DEFAULT_RETRY_MS = 1000


class FaultRequest(StrictSchema):
    """The calls to match, the effect on them, and its limits. Defaults match every call."""

    surface = Text(required=True)
    method = Text(load_default=None, validate=OneOf(_METHODS))
    route = Text(load_default=None)
    kind = Text(load_default=matching.STATUS, validate=OneOf(matching.KINDS))
    phase = Text(load_default=None, validate=OneOf(matching.PHASES))
    preset = Text(load_default=None)
    status = Integer(load_default=None, validate=Bounds(400, 599))
    message = Text(load_default=None)
    retry_after = Duration(load_default=None, validate=MaximumDuration("1w"))
    delay = Duration(load_default=0, validate=MaximumDuration("10m"))
    times = Integer(load_default=None, validate=Bounds(1))
    after = Integer(load_default=0, validate=Bounds(0))
    probability = Number(load_default=1.0, validate=Bounds(0, 1))
    seed = Integer(load_default=0)
    from_at = Instant(data_key="from", load_default=None)
    until_at = Instant(data_key="to", load_default=None)


_COPIED = ("method", "kind", "preset", "times", "after", "probability", "seed")


def fault_row(body: dict[str, Any]) -> dict[str, Any]:
    """Return the row of a new fault. Raises ApiError."""
    surface = control().surface(body["surface"], 400)
    _check(body)
    return {
        **{name: body[name] for name in (*_COPIED, "from_at", "until_at")},
        "surface": surface.name,
        "phase": body["phase"] or matching.USUAL_PHASE[body["kind"]],
        "route": _route(surface, body["method"], body["route"]),
        **_response(surface, body),
        "delay_us": body["delay"],
        "matched_count": 0,
        "hit_count": 0,
    }


def _route(surface: Surface, method: str | None, route: str | None) -> str | None:
    """Return the template or path that calls are compared with."""
    messages = () if surface.messages is None else surface.messages.routes
    if method == METHOD and not messages:
        raise ApiError(400, f"method: {surface.name} has no {METHOD} calls")
    if route is None:
        return None
    if route in messages:
        if method not in (None, METHOD):
            raise ApiError(400, f"method: must be {METHOD} for {route!r}, or left out")
        return route
    routes = control().routes
    own = route.removeprefix(f"/{surface.name}") if route.startswith(f"/{surface.name}/") else route
    found = routes.canonical(surface, method, own) if own.startswith("/") else None
    if found is None:
        known = sorted(messages if method == METHOD else {r.path for r in routes.routes(surface)})
        nearest = get_close_matches(own, known, 1, 0) or known
        kind = "route" if method is None else f"{method} route"
        raise ApiError(
            400, f"route: {surface.name} has no {kind} {route!r}: the nearest is {nearest[0]}"
        )
    return found


def _response(surface: Surface, body: dict[str, Any]) -> dict[str, Any]:
    """Return the response's columns: of a preset, or of a status in the vendor's error format."""
    if body["kind"] != matching.STATUS:
        return {"status": None, "headers": "{}", "body": None}
    if body["preset"] is not None:
        preset = surface.fault_presets.get(body["preset"])
        if preset is None:
            known = surface.fault_presets
            hint = did_you_mean(body["preset"], known) or f": its presets are {', '.join(known)}"
            raise ApiError(400, f"{surface.name} has no preset {body['preset']!r}{hint}")
        status, content = preset.status, dict(preset.body)
    elif body["status"] is not None:
        status = body["status"]
        content = surface.error_body(status, body["message"] or "A fault was armed for this call")
    else:
        raise ApiError(400, "status: is required for the kind status without a preset")
    return {
        "status": status,
        "headers": json_codec.encode(retry_headers(surface, status, body["retry_after"])),
        "body": json_codec.encode(content),
    }


def retry_headers(surface: Surface, status: int, retry_after: int | None = None) -> dict[str, str]:
    """Return the vendor's headers for a wait in microseconds, or its usual ones for the status."""
    if retry_after is not None:
        return surface.retry_headers(retry_after // 1000)
    return surface.retry_headers(_DEFAULT_RETRY_MS) if status in surface.retry_statuses else {}


def _check(body: dict[str, Any]) -> None:
    """Raise ApiError for members that exclude each other, and for kinds that need a double."""
    kind = body["kind"]
    if kind == matching.LATENCY and not body["delay"]:
        raise ApiError(400, 'delay: must be above 0s for the kind latency, such as "2s"')
    if kind != matching.STATUS:
        for name in ("preset", "status", "message", "retry_after"):
            if body[name] is not None:
                raise ApiError(400, f"{name}: goes with the kind status, not with {kind}")
    elif body["preset"] is not None and (body["status"], body["message"]) != (None, None):
        raise ApiError(400, "preset: includes status and message: leave these out")
    if None not in (body["from_at"], body["until_at"]) and body["from_at"] >= body["until_at"]:
        raise ApiError(400, "to: must be after `from`")
    if kind in matching.CONNECTION_KINDS and control().namespaces is None:
        raise ApiError(
            409,
            f"kind: a server cannot do {kind} to a connection: start a double instead, "
            "or use the kinds status and latency",
        )
