"""The namespace's clock: read, set, and moved, to the next thing that happens as well."""

from typing import Any

from marshmallow import fields
from werkzeug.wrappers import Response

from sessionary import clock
from sessionary.control import errors, timeline
from sessionary.control.blueprint import control, make_blueprint
from sessionary.control.fields import Duration, Instant, Number, Strict
from sessionary.web.fields import OneOf, Text
from sessionary.web.instants import to_text
from sessionary.web.operations import answer, operation

routes = make_blueprint("clock")


class Setting(Strict):
    """How the clock goes, from which instant; `rate` is of a scaled one."""

    mode = Text(required=True, validate=OneOf(("real", "frozen", "offset", "scaled")))
    now = Instant(load_default=None)
    rate = Number(load_default=None)


class Until(Strict):
    """A session, and the status that time will give it."""

    session = Text(required=True)
    surface = Text(load_default=None)
    status = Text(required=True)


class Advance(Strict):
    """One of the three: by how much, to the `next` transition, or until a session has a status."""

    by = Duration(load_default=None)
    to = Text(load_default=None, validate=OneOf(("next",)))
    until = fields.Nested(Until, load_default=None)


class Shown(Strict):
    """The clock."""

    mode = Text(required=True)
    now = Text(required=True)
    wall_time = Text(required=True)
    rate = Number(required=True)


@routes.get("/clock")
@operation("The clock", answers={200: Shown()})
def show() -> Response:
    return answer(shown())


@routes.put("/clock")
@operation("Set the clock", body=Setting(), answers={200: Shown()})
def put(body: dict[str, Any]) -> Response:
    try:
        clock.set_mode(body["mode"], body["now"], body["rate"])
    except clock.BadClock as error:
        raise errors.Refusal(400, f"{error}") from None
    return answer(shown())


@routes.post("/clock/advance")
@operation("Move the clock, forward or back", body=Advance(), answers={200: Shown()})
def advance(body: dict[str, Any]) -> Response:
    """When it answers, every later read is at the new time."""
    if sum(value is not None for value in body.values()) != 1:
        raise errors.Refusal(400, 'send one of {"by": "90s"}, {"to": "next"} and {"until": {…}}')
    try:
        if body["by"] is not None:
            clock.advance(body["by"])
        else:
            clock.set_time(_target(body))
    except clock.BadClock as error:
        raise errors.Refusal(400, f"{error}") from None
    return answer(shown())


def _target(body: dict[str, Any]) -> int:
    surfaces, now = control().surfaces, clock.now()
    if body["until"] is not None:
        if body["until"]["surface"] is not None:
            control().surface(body["until"]["surface"])
        return timeline.transition_into(surfaces, now, **body["until"]).at
    coming = timeline.between(surfaces, now, timeline.END, 1)
    if not coming:
        raise errors.Refusal(409, "nothing is to happen by itself in this namespace")
    return coming[0].transition.at


def shown() -> dict[str, Any]:
    """The active namespace's clock as it is shown."""
    state, wall = clock.state(), clock.wall()
    return {
        "mode": state.mode,
        "now": to_text(state.at(wall)),
        "wall_time": to_text(wall),
        "rate": state.rate,
    }
