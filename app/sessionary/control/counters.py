"""The `/changes` resource: how much a namespace has, and a number that grows with each change."""

from collections.abc import Sequence
from typing import Any, NamedTuple

from flask import request
from marshmallow import fields
from werkzeug.wrappers import Response

from sessionary import clock, store
from sessionary.control.blueprint import control, make_blueprint
from sessionary.control.clock import clock_to_json
from sessionary.control.faults import matching
from sessionary.control.fields import response_schema
from sessionary.control.journal import models
from sessionary.store import TooLarge
from sessionary.web.context import settings
from sessionary.web.fields import OneOf, Text
from sessionary.web.held import LOAD
from sessionary.web.operations import answer, operation
from sessionary.web.surface import Surface

routes = make_blueprint("changes")
ClockState = response_schema("ClockState", text="mode now", number="rate")
ChangesResponse = response_schema(
    "ChangesResponse",
    integer="number sessions open calls faults namespaces",
    boolean="readonly",
    role=Text(required=True, validate=OneOf(("double", "server"))),
    clock=fields.Nested(ClockState, required=True),
)


class Counts(NamedTuple):
    """How many sessions there are, how many of them are open, and calls and faults."""

    sessions: int
    open: int
    calls: int
    faults: int

    @classmethod
    def of(cls, surfaces: Sequence[Surface]) -> "Counts":
        """Count in the active namespace."""
        at, total, is_open = clock.now(), 0, 0
        for queries in (surface.sessions for surface in surfaces):
            for status, count in queries.counts(at).items():
                total += count
                is_open += count * queries.is_open_status(status)
        calls = models.kept_count() if settings().journal else 0
        return cls(total, is_open, calls, matching.armed_count.one() or 0)


@routes.get("/changes")
@operation("Get counters and the change number", answers={200: ChangesResponse(), 304: None})
def show() -> Response:
    """Answer 304 if nothing has changed since the ETag in If-None-Match. Writes nothing."""
    number, namespaces = store.change_number(), control().namespaces
    count, newest = (1, "") if namespaces is None else (namespaces.count(), namespaces.newest())
    etag = f"{number}-{count}-{newest}"
    if request.if_none_match.contains_weak(etag):
        response = Response(status=304)
    else:
        response = answer(_to_json(number, count))
    response.set_etag(etag, weak=True)
    return response


def _to_json(number: int, namespace_count: int) -> dict[str, Any]:
    """Count. In a file with many sessions that takes long: not on a thread that others wait for."""
    if not store.current_namespace().is_in_memory and LOAD not in request.environ:
        raise TooLarge
    shown = clock_to_json()
    return {
        "number": number,
        "clock": {name: shown[name] for name in ("mode", "now", "rate")},
        **Counts.of(control().surfaces)._asdict(),
        "namespaces": namespace_count,
        "role": "server" if control().namespaces is None else "double",
        "readonly": settings().control_readonly,
    }
