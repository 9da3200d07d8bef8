"""What is to happen by itself, and when."""

from collections.abc import Sequence
from typing import Any, NamedTuple

from marshmallow import fields
from werkzeug.wrappers import Response

from sessionary.control import errors
from sessionary.control.blueprint import control, make_blueprint, now
from sessionary.control.fields import Instant, Strict
from sessionary.web.fields import Boolean, Bounds, QueryInteger, Text
from sessionary.web.instants import to_text
from sessionary.web.operations import answer, operation
from sessionary.web.surface import Surface, Transition

END = 250_000_000_000_000_000  # behind every instant that a clock can show
routes = make_blueprint("timeline")


class Coming(NamedTuple):
    """A transition, and whose it is."""

    surface: str
    session: str
    transition: Transition


class Window(Strict):
    """From which instant on (not included; now unless given) and up to which one, how many."""

    from_at = Instant(data_key="from", load_default=None)
    until_at = Instant(data_key="to", load_default=None)
    limit = QueryInteger(load_default=100, validate=Bounds(1, 1000))


class TransitionShown(Strict):
    """A transition: at `at` the session, or its part, is `to_status`; `deadline` is shown as its
    end."""

    at = Text(required=True)
    deadline = Text(required=True)
    surface = Text(required=True)
    session = Text(required=True)
    part = Text(required=True, allow_none=True)
    from_status = Text(required=True)
    to_status = Text(required=True)
    rule = Text(required=True)


class Timeline(Strict):
    """Transitions in order; `truncated` says that there are more."""

    now = Text(required=True)
    transitions = fields.List(fields.Nested(TransitionShown), required=True)
    truncated = Boolean(required=True)


@routes.get("/timeline")
@operation("What happens by itself", query=Window(), answers={200: Timeline()})
def timeline(query: dict[str, Any]) -> Response:
    at, limit = now(), query["limit"]
    after = at if query["from_at"] is None else query["from_at"]
    until = END if query["until_at"] is None else query["until_at"]
    if after > until:
        raise errors.Refusal(400, "from: must not lie behind `to`; it is now unless given")
    found = between(control().surfaces, after, until, limit + 1)
    transitions = [shown(each) for each in found[:limit]]
    return answer({"now": to_text(at), "transitions": transitions, "truncated": len(found) > limit})


def between(surfaces: Sequence[Surface], after: int, until: int, limit: int) -> list[Coming]:
    """The first transitions behind one instant and not behind another, of all sessions, in
    order."""
    found = [
        Coming(surface.name, surface.sessions.id(session), transition)
        for surface in surfaces
        for session in surface.sessions.changing(after, until, limit)
        for transition in surface.sessions.transitions(session)
        if after < transition.at <= until
    ]
    found.sort(key=lambda each: (each.transition.at, each.surface, each.session))
    return found[:limit]


def find(
    surfaces: Sequence[Surface], session: str, surface: str | None = None
) -> tuple[Surface, Any]:
    """A session by its id, on the named surface or on any. Raises errors.Refusal."""
    for each in surfaces:
        if surface in (None, each.name):
            found = each.sessions.find(session)
            if found is not None:
                return each, found
    raise errors.Refusal(
        404, f"there is no session {session!r}" + (f" of {surface}" if surface else "")
    )


def transition_into(
    surfaces: Sequence[Surface], now: int, *, session: str, surface: str | None, status: str
) -> Transition:
    """The next transition that gives a session this status. Raises errors.Refusal."""
    owner, found = find(surfaces, session, surface)
    coming = [transition for transition in owner.sessions.transitions(found) if transition.at > now]
    for transition in coming:
        if transition.to_status == status:
            return transition
    will = (
        " or ".join(f"{transition.to_status} at {to_text(transition.at)}" for transition in coming)
        or "nothing else"
    )
    raise errors.Refusal(409, f"time alone makes this session {will}, not {status!r}")


def shown(coming: Coming) -> dict[str, Any]:
    """A transition as it is shown."""
    transition = coming.transition
    return {
        "at": to_text(transition.at),
        "deadline": to_text(transition.deadline),
        "surface": coming.surface,
        "session": coming.session,
        "part": transition.part,
        "from_status": transition.from_status,
        "to_status": transition.to_status,
        "rule": transition.rule,
    }
