"""Faults over HTTP: armed, shown with how often they were hit, disarmed."""

from difflib import get_close_matches
from typing import Any

from marshmallow import fields
from werkzeug.wrappers import Response

from sessionary import store
from sessionary.control import errors, faults
from sessionary.control.faults import COLUMNS, Fault, FaultRow
from sessionary.control.fields import Duration, Instant, Number, Strict
from sessionary.control.routes import blueprint, control
from sessionary.store import Statement, given, insertion
from sessionary.wire import documents
from sessionary.wire.fields import Boolean, Bounds, Integer, Object, OneOf, QueryBoolean, Text
from sessionary.wire.instants import to_text
from sessionary.wire.operation import answer, operation
from sessionary.wire.surface import Surface

_METHODS = ("DELETE", "GET", "HEAD", "PATCH", "POST", "PUT")
_WAIT_MS = 1000  # what a vendor asks for that is not told how long
_LONGEST_DELAY = 600_000_000
routes = blueprint("faults")


class NewFault(Strict):
    """Which calls fail, how, and how often; what is left out is any, always or none."""

    surface = Text(required=True)
    method = Text(load_default=None, validate=OneOf(_METHODS))
    route = Text(load_default=None)
    kind = Text(load_default=faults.STATUS, validate=OneOf(faults.KINDS))
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


class FaultShown(Strict):
    """A fault; `matched_count` calls were such as it is armed for, `hit_count` of them it hit."""

    id = Integer(required=True)
    surface = Text(required=True)
    method = Text(required=True, allow_none=True)
    route = Text(required=True, allow_none=True)
    kind = Text(required=True)
    preset = Text(required=True, allow_none=True)
    status = Integer(required=True, allow_none=True)
    headers = Object(required=True)
    body = Object(required=True, allow_none=True)
    delay = Text(required=True, allow_none=True)
    times = Integer(required=True, allow_none=True)
    after = Integer(required=True)
    probability = Number(required=True)
    seed = Integer(required=True)
    from_at = Text(data_key="from", required=True, allow_none=True)
    until_at = Text(data_key="to", required=True, allow_none=True)
    matched_count = Integer(required=True)
    hit_count = Integer(required=True)
    is_spent = Boolean(required=True)


class Which(Strict):
    """Those of one surface; those that were never hit."""

    surface = Text(load_default=None)
    unhit = QueryBoolean(load_default=False)


class AllFaults(Strict):
    """Faults in the order in which they were armed, spent ones too."""

    faults = fields.List(fields.Nested(FaultShown), required=True)


class Preset(Strict):
    """An answer with which a vendor is known to fail, and where that is known from."""

    surface = Text(required=True)
    name = Text(required=True)
    status = Integer(required=True)
    headers = Object(required=True)
    body = Object(required=True)
    rests_on = Text(required=True)


class Presets(Strict):
    """The presets of all surfaces."""

    presets = fields.List(fields.Nested(Preset), required=True)


_insert = insertion(Fault, without=("id",))
_newest = Statement(FaultRow._make, lambda: Fault.select(*COLUMNS).order_by(Fault.id.desc()))
_all = Statement(FaultRow._make, lambda: Fault.select(*COLUMNS).order_by(Fault.id))
_by_id = Statement(FaultRow._make, lambda: Fault.select(*COLUMNS).where(Fault.id == given("id")))
_disarm = Statement(tuple, lambda: Fault.delete().where(Fault.id == given("id")))
_disarm_all = Statement(tuple, Fault.delete)


@routes.get("/faults")
@operation("The armed faults", query=Which(), answers={200: AllFaults()})
def list_faults(query: dict[str, Any]) -> Response:
    found = [
        _shown(fault)
        for fault in _all.all()
        if query["surface"] in (None, fault.surface) and not (query["unhit"] and fault.hit_count)
    ]
    return answer({"faults": found})


@routes.post("/faults")
@operation("Arm a fault", body=NewFault(), answers={201: FaultShown()})
def arm(body: dict[str, Any]) -> Response:
    surface = _surface(body["surface"])
    row = {
        "surface": surface.name,
        "method": body["method"],
        "route": _route(surface, body["method"], body["route"]),
        "kind": body["kind"],
        "preset": body["preset"],
        **_failure(surface, body),
        "delay_us": body["delay"],
        **{name: body[name] for name in ("times", "after", "probability", "seed")},
        **{name: body[name] for name in ("from_at", "until_at")},
    }
    _check(body)
    with store.transaction():
        _insert.run(**row, matched_count=0, hit_count=0)
        return answer(_shown(_newest.one()), 201)


@routes.delete("/faults")
@operation("Disarm all faults", answers={204: None})
def disarm_all() -> Response:
    with store.transaction():
        _disarm_all.run()
    return Response(status=204)


@routes.get("/faults/presets")
@operation("What vendors are known to fail with", answers={200: Presets()})
def list_presets() -> Response:
    presets = [
        {
            "surface": surface.name,
            "name": name,
            "status": failure.status,
            "headers": _headers(surface, failure.status, None),
            "body": dict(failure.body),
            "rests_on": failure.rests_on,
        }
        for surface in control().surfaces
        for name, failure in surface.faults.items()
    ]
    return answer({"presets": presets})


@routes.get("/faults/<int:fault_id>")
@operation("A fault", answers={200: FaultShown()})
def show(fault_id: int) -> Response:
    return answer(_shown(_by_id.one(id=fault_id), fault_id))


@routes.delete("/faults/<int:fault_id>")
@operation("Disarm a fault", answers={204: None})
def disarm(fault_id: int) -> Response:
    with store.transaction():
        if not _disarm.run(id=fault_id):
            raise _no_fault(fault_id)
    return Response(status=204)


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
    if body["kind"] != faults.STATUS:
        return {"status": None, "headers": "{}", "body": None}
    if body["preset"] is not None:
        if body["preset"] not in surface.faults:
            known = ", ".join(surface.faults)
            raise errors.Refusal(400, f"preset: {surface.name} has {known}")
        failure = surface.faults[body["preset"]]
        status, said = failure.status, dict(failure.body)
    elif body["status"] is not None:
        status = body["status"]
        said = surface.refuse(status, body["message"] or "A fault was armed for this call")
    else:
        raise errors.Refusal(400, "status: is required for the kind status, or send a preset")
    headers = _headers(surface, status, body["retry_after"])
    return {
        "status": status,
        "headers": documents.encode(headers),
        "body": documents.encode(said),
    }


def _headers(surface: Surface, status: int, retry_after: int | None) -> dict[str, str]:
    if retry_after is not None:
        return surface.waits(retry_after // 1000)
    return surface.waits(_WAIT_MS) if status in surface.wait_statuses else {}


def _check(body: dict[str, Any]) -> None:
    """Refuse what does not fit together, and what this server cannot do."""
    kind = body["kind"]
    if kind == faults.LATENCY and not body["delay"]:
        raise errors.Refusal(400, 'delay: is required for the kind latency, such as "2s"')
    if kind != faults.STATUS:
        for name in ("preset", "status", "message", "retry_after"):
            if body[name] is not None:
                raise errors.Refusal(400, f"{name}: goes with the kind status, not with {kind}")
    elif body["preset"] is not None and (body["status"], body["message"]) != (None, None):
        raise errors.Refusal(400, "preset: brings status and message: leave them out, or it")
    if None not in (body["from_at"], body["until_at"]) and body["from_at"] >= body["until_at"]:
        raise errors.Refusal(400, "to: must be after from")
    if kind in faults.OF_CONNECTIONS and control().worlds is None:
        raise errors.Refusal(
            409,
            f"kind: this server cannot do {kind} to a connection: start a double instead, "
            "or arm status or latency",
        )


def _shown(fault: FaultRow | None, id: int | None = None) -> dict[str, Any]:
    if fault is None:
        raise _no_fault(id)
    return {
        **{name: getattr(fault, name) for name in ("id", "surface", "method", "route", "kind")},
        **{name: getattr(fault, name) for name in ("preset", "status")},
        "headers": documents.decode(fault.headers),
        "body": None if fault.body is None else documents.decode(fault.body),
        "delay": f"{fault.delay_us // 1000}ms" if fault.delay_us else None,
        **{name: getattr(fault, name) for name in ("times", "after", "probability", "seed")},
        "from": None if fault.from_at is None else to_text(fault.from_at),
        "to": None if fault.until_at is None else to_text(fault.until_at),
        "matched_count": fault.matched_count,
        "hit_count": fault.hit_count,
        "is_spent": fault.is_spent,
    }


def _no_fault(id: int | None) -> errors.Refusal:
    return errors.Refusal(404, f"there is no fault {id}: GET faults lists those that are armed")
