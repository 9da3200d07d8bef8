"""The `/clock` resource: read, set and advance the namespace's clock."""

from typing import Any

from marshmallow import fields
from werkzeug.wrappers import Response

from sessionary import clock, ids
from sessionary.control import timeline
from sessionary.control.blueprint import control, make_blueprint
from sessionary.control.errors import ApiError
from sessionary.control.fields import (
    Duration,
    Instant,
    Number,
    StrictSchema,
    response_schema,
)
from sessionary.control.recording import note
from sessionary.web.fields import OneOf, Text
from sessionary.web.instants import to_text
from sessionary.web.operations import answer, operation

routes = make_blueprint("clock")


class ClockRequest(StrictSchema):
    """The clock's mode and time; `rate` is for a scaled clock."""

    mode = Text(required=True, validate=OneOf(("real", "frozen", "offset", "scaled")))
    now = Instant(load_default=None)
    rate = Number(load_default=None)


class UntilStatus(StrictSchema):
    """A session, and the status that a transition will give it."""

    session = Text(required=True)
    surface = Text(load_default=None)
    status = Text(required=True)


class AdvanceRequest(StrictSchema):
    """One of three: a duration, the `next` transition, or the transition into a status."""

    by = Duration(load_default=None)
    to = Text(load_default=None, validate=OneOf(("next",)))
    until = fields.Nested(UntilStatus, load_default=None)


# `wall_time` is null where ids have a seed: it would differ between two runs.
ClockResponse = response_schema(
    "ClockResponse", text="mode now", text_or_null="wall_time", number="rate"
)


@routes.get("/clock")
@operation("Get the clock", answers={200: ClockResponse()})
def show() -> Response:
    return answer(clock_to_json())


@routes.put("/clock")
@operation("Set the clock", body=ClockRequest(), answers={200: ClockResponse()})
def put(body: dict[str, Any]) -> Response:
    clock.set_mode(body["mode"], body["now"], body["rate"])
    note("clock")
    return answer(clock_to_json())


@routes.post("/clock/advance")
@operation("Move the clock, also back", body=AdvanceRequest(), answers={200: ClockResponse()})
def advance(body: dict[str, Any]) -> Response:
    """Move the clock; every read after the response is at the new time."""
    if sum(value is not None for value in body.values()) != 1:
        raise ApiError(400, 'send one of {"by": "90s"}, {"to": "next"} and {"until": {…}}')
    if body["by"] is not None:
        clock.advance(body["by"])
    else:
        clock.set_time(_target(body["until"]))
    note("clock")
    return answer(clock_to_json())


def _target(until: dict[str, Any] | None) -> int:
    """Return the instant of the next transition, or of one into a status. Raises ApiError."""
    surfaces, now = control().surfaces, clock.now()
    if until is None:
        transitions = timeline.between(surfaces, now, timeline.END, 1)
        if not transitions:
            raise ApiError(409, "this namespace has no next transition")
        return transitions[0].transition.at
    if until["surface"] is not None:
        control().surface(until["surface"])
    owner, session = timeline.find_session(surfaces, until["session"], until["surface"])
    coming = [each.transition for each in timeline.of_session(owner, session, now)]
    for transition in coming:
        if transition.to_status == until["status"]:
            return transition.at
    becomes = " or ".join(f"{each.to_status} at {to_text(each.at)}" for each in coming)
    raise ApiError(
        409,
        f"time alone makes this session {becomes or 'nothing else'}, not {until['status']!r}",
    )


def clock_to_json() -> dict[str, Any]:
    """Serialize the active namespace's clock."""
    state, wall = clock.state(), clock.wall()
    return {
        "mode": state.mode,
        "now": to_text(state.at(wall)),
        "wall_time": None if ids.is_seeded() else to_text(wall),
        "rate": state.rate,
    }
