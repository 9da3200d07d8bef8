"""What is asked of a fault, and the row that it makes."""

from difflib import get_close_matches
from typing import Any

from sessionary.control import errors
from sessionary.control.blueprint import control
from sessionary.control.faults import matching
from sessionary.control.fields import Duration, Instant, Number, Strict
from sessionary.web import json_codec
from sessionary.web.fields import Bounds, Integer, OneOf, Text
from sessionary.web.surface import Surface

_METHODS = ("DELETE", "GET", "HEAD", "PATCH", "POST", "PUT")
_WAIT_MS = 1000  # what a vendor asks for that is not told how long
_LONGEST_DELAY = 600_000_000


class NewFault(Strict):
    """Which calls fail, how, and how often; what is left out is any, always or none."""

    surface = Text(required=True)
    method = Text(load_default=None, validate=OneOf(_METHODS))
    route = Text(load_default=None)
    kind = Text(load_default=matching.STATUS, validate=OneOf(matching.KINDS))
    preset = Text(load_default=None)
    status = Integer(load_default=None, validate=Bounds(400, 599))
    message = Text(load_default=None)
    retry_after = Duration(load_default=None, validate=Bounds(0))
    delay = Duration(load_default=0, validate=Bounds(0, _LONGEST_DELAY))
    times = Integer(load_default=None, validate=Bounds(1))
    after = Integer(load_default=0, validate=Bounds(0))
    probability = Number(load_default=1.0, validate=Bounds(0, 1))
    seed = Integer(load_default=0)
    from_at = Instant(data_key="from", load_default=None)
    until_at = Instant(data_key="to", load_default=None)


def row(body: dict[str, Any]) -> dict[str, Any]:
    """The row of a fault that has never been met. Raises errors.Refusal."""
    surface = _surface(body["surface"])
    _check(body)
    as_asked = ("method", "kind", "preset", "times", "after", "probability", "seed")
    return {
        **{name: body[name] for name in (*as_asked, "from_at", "until_at")},
        "surface": surface.name,
        "route": _route(surface, body["method"], body["route"]),
        **_failure(surface, body),
        "delay_us": body["delay"],
        "matched_count": 0,
        "hit_count": 0,
    }


def _surface(name: str) -> Surface:
    for surface in control().surfaces:
        if surface.name == name:
            return surface
    names = ", ".join(surface.name for surface in control().surfaces)
    raise errors.Refusal(400, f"surface: must be one of {names}, not {name!r}")


def _route(surface: Surface, method: str | None, route: str | None) -> str | None:
    """The pattern or path that calls are compared with."""
    if route is None:
        return None
    addresses = control().addresses
    own = route.removeprefix(f"/{surface.name}") if route.startswith(f"/{surface.name}/") else route
    found = addresses.canonical(surface, method, own) if own.startswith("/") else None
    if found is None:
        known = {each.path for each in addresses.routes if each.surface is surface}
        nearest = get_close_matches(own, sorted(known), 1, 0) or sorted(known)
        called = "route" if method is None else f"{method} route"
        raise errors.Refusal(
            400, f"route: {surface.name} has no {called} {route!r}: the nearest is {nearest[0]}"
        )
    return found


def _failure(surface: Surface, body: dict[str, Any]) -> dict[str, Any]:
    """What is answered instead: a preset's words, or a status in the vendor's envelope."""
    if body["kind"] != matching.STATUS:
        return {"status": None, "headers": "{}", "body": None}
    if body["preset"] is not None:
        if body["preset"] not in surface.fault_presets:
            known = ", ".join(surface.fault_presets)
            raise errors.Refusal(400, f"preset: {surface.name} has {known}")
        failure = surface.fault_presets[body["preset"]]
        status, said = failure.status, dict(failure.body)
    elif body["status"] is not None:
        status = body["status"]
        said = surface.error_body(status, body["message"] or "A fault was armed for this call")
    else:
        raise errors.Refusal(400, "status: is required for the kind status, or send a preset")
    return {
        "status": status,
        "headers": json_codec.encode(headers(surface, status, body["retry_after"])),
        "body": json_codec.encode(said),
    }


def headers(surface: Surface, status: int, retry_after: int | None) -> dict[str, str]:
    """Those that go with a status; `retry_after` is in microseconds, None for what is usual."""
    if retry_after is not None:
        return surface.retry_headers(retry_after // 1000)
    return surface.retry_headers(_WAIT_MS) if status in surface.retry_statuses else {}


def _check(body: dict[str, Any]) -> None:
    """Refuse what does not fit together, and what this server cannot do."""
    kind = body["kind"]
    if kind == matching.LATENCY and not body["delay"]:
        raise errors.Refusal(400, 'delay: is required for the kind latency, such as "2s"')
    if kind != matching.STATUS:
        for name in ("preset", "status", "message", "retry_after"):
            if body[name] is not None:
                raise errors.Refusal(400, f"{name}: goes with the kind status, not with {kind}")
    elif body["preset"] is not None and (body["status"], body["message"]) != (None, None):
        raise errors.Refusal(400, "preset: brings status and message: leave them out, or it")
    if None not in (body["from_at"], body["until_at"]) and body["from_at"] >= body["until_at"]:
        raise errors.Refusal(400, "to: must be after from")
    if kind in matching.OF_CONNECTIONS and control().namespaces is None:
        raise errors.Refusal(
            409,
            f"kind: this server cannot do {kind} to a connection: start a double instead, "
            "or arm status or latency",
        )
