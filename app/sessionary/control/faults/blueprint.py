"""Faults over HTTP: armed, shown with how often they were hit, disarmed."""

from typing import Any

from marshmallow import fields
from werkzeug.wrappers import Response

from sessionary import store
from sessionary.control import errors
from sessionary.control.blueprint import control, make_blueprint
from sessionary.control.faults import schemas
from sessionary.control.faults.matching import COLUMNS, Fault, FaultRow
from sessionary.control.fields import Number, Strict
from sessionary.store import Statement, insert_statement, param
from sessionary.web import json_codec
from sessionary.web.fields import Boolean, Integer, Object, QueryBoolean, Text
from sessionary.web.instants import to_text
from sessionary.web.operations import answer, operation

routes = make_blueprint("faults")


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
    spent = Boolean(required=True)


class Which(Strict):
    """Those of one surface; those that were never hit."""

    surface = Text(load_default=None)
    unmatched = QueryBoolean(load_default=False)


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
    source = Text(required=True)


class Presets(Strict):
    """The presets of all surfaces."""

    presets = fields.List(fields.Nested(Preset), required=True)


_insert = insert_statement(Fault, without=("id",))
_newest = Statement(FaultRow._make, lambda: Fault.select(*COLUMNS).order_by(Fault.id.desc()))
_all = Statement(FaultRow._make, lambda: Fault.select(*COLUMNS).order_by(Fault.id))
_by_id = Statement(FaultRow._make, lambda: Fault.select(*COLUMNS).where(Fault.id == param("id")))
_disarm = Statement(tuple, lambda: Fault.delete().where(Fault.id == param("id")))
_disarm_all = Statement(tuple, Fault.delete)


@routes.get("/faults")
@operation("The armed faults", query=Which(), answers={200: AllFaults()})
def list_faults(query: dict[str, Any]) -> Response:
    if query["surface"] is not None:
        control().surface(query["surface"])
    found = [
        _shown(fault)
        for fault in _all.all()
        if query["surface"] in (None, fault.surface)
        and not (query["unmatched"] and fault.hit_count)
    ]
    return answer({"faults": found})


@routes.post("/faults")
@operation("Arm a fault", body=schemas.NewFault(), answers={201: FaultShown()})
def arm(body: dict[str, Any]) -> Response:
    row = schemas.row(body)
    with store.transaction():
        _insert.run(**row)
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
            "headers": schemas.headers(surface, failure.status, None),
            "body": dict(failure.body),
            "source": failure.source,
        }
        for surface in control().surfaces
        for name, failure in surface.fault_presets.items()
    ]
    return answer({"presets": presets})


@routes.get("/faults/<id:fault_id>")
@operation("A fault", answers={200: FaultShown()})
def show(fault_id: int) -> Response:
    return answer(_shown(_by_id.one(id=fault_id), fault_id))


@routes.delete("/faults/<id:fault_id>")
@operation("Disarm a fault", answers={204: None})
def disarm(fault_id: int) -> Response:
    with store.transaction():
        if not _disarm.run(id=fault_id):
            raise _no_fault(fault_id)
    return Response(status=204)


def _shown(fault: FaultRow | None, id: int | None = None) -> dict[str, Any]:
    if fault is None:
        raise _no_fault(id)
    return {
        **{name: getattr(fault, name) for name in ("id", "surface", "method", "route", "kind")},
        **{name: getattr(fault, name) for name in ("preset", "status")},
        "headers": json_codec.decode(fault.headers),
        "body": None if fault.body is None else json_codec.decode(fault.body),
        "delay": f"{fault.delay_us // 1000}ms" if fault.delay_us else None,
        **{name: getattr(fault, name) for name in ("times", "after", "probability", "seed")},
        "from": None if fault.from_at is None else to_text(fault.from_at),
        "to": None if fault.until_at is None else to_text(fault.until_at),
        "matched_count": fault.matched_count,
        "hit_count": fault.hit_count,
        "spent": fault.is_spent,
    }


def _no_fault(id: int | None) -> errors.Refusal:
    return errors.Refusal(404, f"there is no fault {id}: GET faults lists those that are armed")
