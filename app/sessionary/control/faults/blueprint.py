"""The `/faults` resource: arm, list and disarm faults."""

from collections.abc import Iterable
from typing import Any

from werkzeug.wrappers import Response

from sessionary import store
from sessionary.control.blueprint import control, make_blueprint
from sessionary.control.errors import ApiError
from sessionary.control.faults.matching import COLUMNS, Fault, FaultRow
from sessionary.control.faults.schemas import FaultRequest, fault_row, retry_headers
from sessionary.control.fields import StrictSchema, response_schema
from sessionary.control.recording import note
from sessionary.store import Statement, insert_statement, param
from sessionary.web import json_codec
from sessionary.web.fields import QueryBoolean, Text
from sessionary.web.instants import to_text
from sessionary.web.operations import answer, operation, read_object
from sessionary.web.responses import items

routes = make_blueprint("faults")


FaultResponse = response_schema(
    "FaultResponse",
    text="surface kind phase",
    text_or_null="method route preset delay from to",
    integer="id after seed matched_count hit_count",
    integer_or_null="status times",
    number="probability",
    boolean="spent",
    object="headers",
    object_or_null="body",
)


class FaultQuery(StrictSchema):
    """Filters: one surface; faults with no hit."""

    surface = Text(load_default=None)
    unmatched = QueryBoolean(load_default=False)


FaultList = response_schema("FaultList", faults=items(FaultResponse))
PresetResponse = response_schema(
    "PresetResponse", text="surface name source", integer="status", object="headers body"
)
PresetList = response_schema("PresetList", presets=items(PresetResponse))
_insert = insert_statement(Fault, without=("id",))
_newest = Statement(FaultRow._make, lambda: Fault.select(*COLUMNS).order_by(Fault.id.desc()))
_all = Statement(FaultRow._make, lambda: Fault.select(*COLUMNS).order_by(Fault.id))
_by_id = Statement(FaultRow._make, lambda: Fault.select(*COLUMNS).where(Fault.id == param("id")))
_disarm = Statement(tuple, lambda: Fault.delete().where(Fault.id == param("id")))
_disarm_all = Statement(tuple, Fault.delete)
_COPIED = (
    *("id", "surface", "method", "route", "kind", "phase", "preset", "status"),
    *("times", "after", "probability", "seed", "matched_count", "hit_count"),
)


@routes.get("/faults")
@operation("List faults", query=FaultQuery(), answers={200: FaultList()})
def list_faults(query: dict[str, Any]) -> Response:
    if query["surface"] is not None:
        control().surface(query["surface"])
    found = [
        _to_json(fault)
        for fault in _all.all()
        if query["surface"] in (None, fault.surface)
        and not (query["unmatched"] and fault.hit_count)
    ]
    return answer({"faults": found})


@routes.post("/faults")
@operation("Arm a fault", body=FaultRequest(), answers={201: FaultResponse()})
def arm(body: dict[str, Any]) -> Response:
    row = fault_row(body)
    with store.transaction():
        _insert.run(**row)
        armed = _to_json(_newest.one())
        note("fault", id=armed["id"], fault=read_object())
        return answer(armed, 201)


def insert_faults(rows: Iterable[dict[str, Any]]) -> None:
    """Arm faults in the active namespace, as `fault_row` returns them."""
    with store.transaction():
        for row in rows:
            _insert.run(**row)


@routes.delete("/faults")
@operation("Disarm all faults", answers={204: None})
def disarm_all() -> Response:
    with store.transaction():
        _disarm_all.run()
    store.current_namespace().end_delays()
    return Response(status=204)


@routes.get("/faults/presets")
@operation("List the known failures of all vendors", answers={200: PresetList()})
def list_presets() -> Response:
    presets = [
        {
            "surface": surface.name,
            "name": name,
            "status": preset.status,
            "headers": retry_headers(surface, preset.status),
            "body": dict(preset.body),
            "source": preset.source,
        }
        for surface in control().surfaces
        for name, preset in surface.fault_presets.items()
    ]
    return answer({"presets": presets})


@routes.get("/faults/<id:fault_id>")
@operation("Get a fault", answers={200: FaultResponse()})
def show(fault_id: int) -> Response:
    return answer(_to_json(_by_id.one(id=fault_id), fault_id))


@routes.delete("/faults/<id:fault_id>")
@operation("Disarm a fault", answers={204: None})
def disarm(fault_id: int) -> Response:
    with store.transaction():
        if not _disarm.run(id=fault_id):
            raise _not_found(fault_id)
    store.current_namespace().end_delays()
    return Response(status=204)


def _to_json(fault: FaultRow | None, id: int | None = None) -> dict[str, Any]:
    if fault is None:
        raise _not_found(id)
    return {
        **{name: getattr(fault, name) for name in _COPIED},
        "headers": json_codec.decode(fault.headers),
        "body": None if fault.body is None else json_codec.decode(fault.body),
        "delay": f"{fault.delay_us // 1000}ms" if fault.delay_us else None,
        "from": None if fault.from_at is None else to_text(fault.from_at),
        "to": None if fault.until_at is None else to_text(fault.until_at),
        "spent": fault.is_spent,
    }


def _not_found(id: int | None) -> ApiError:
    return ApiError(404, f"fault {id} not found: no fault with this id is armed")
