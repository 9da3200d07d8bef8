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
from sessionary.web.surface import Surface
from sessionary.web.telling import Edge

END = 250_000_000_000_000_000  # behind every instant that a clock can show
routes = make_blueprint("timeline")


class Coming(NamedTuple):
    """An edge, and whose it is."""

    surface: str
    session: str
    edge: Edge


class Window(Strict):
    """From which instant on (not included; now unless given) and up to which one, how many."""

    from_at = Instant(data_key="from", load_default=None)
    until_at = Instant(data_key="to", load_default=None)
    limit = QueryInteger(load_default=100, validate=Bounds(1, 1000))


class EdgeShown(Strict):
    """An edge: at `at` the session, or its part, is `after`; `deadline` is shown as its end."""

    at = Text(required=True)
    deadline = Text(required=True)
    surface = Text(required=True)
    session = Text(required=True)
    part = Text(required=True, allow_none=True)
    before = Text(required=True)
    after = Text(required=True)
    rule = Text(required=True)


class Timeline(Strict):
    """Edges in order; `is_cut` says that there are more."""

    now = Text(required=True)
    edges = fields.List(fields.Nested(EdgeShown), required=True)
    is_cut = Boolean(required=True)


@routes.get("/timeline")
@operation("What happens by itself", query=Window(), answers={200: Timeline()})
def timeline(query: dict[str, Any]) -> Response:
    at, limit = now(), query["limit"]
    after = at if query["from_at"] is None else query["from_at"]
    until = END if query["until_at"] is None else query["until_at"]
    if after > until:
        raise errors.Refusal(400, "from: must not lie behind `to`; it is now unless given")
    found = between(control().surfaces, after, until, limit + 1)
    edges = [shown(each) for each in found[:limit]]
    return answer({"now": to_text(at), "edges": edges, "is_cut": len(found) > limit})


def between(surfaces: Sequence[Surface], after: int, until: int, limit: int) -> list[Coming]:
    """The first edges behind one instant and not behind another, of all sessions, in order."""
    found = [
        Coming(surface.name, surface.sessions.id(session), edge)
        for surface in surfaces
        for session in surface.sessions.changing(after, until, limit)
        for edge in surface.sessions.edges(session)
        if after < edge.at <= until
    ]
    found.sort(key=lambda each: (each.edge.at, each.surface, each.session))
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


def edge_into(
    surfaces: Sequence[Surface], now: int, *, session: str, surface: str | None, status: str
) -> Edge:
    """The next edge that gives a session this status. Raises errors.Refusal."""
    owner, found = find(surfaces, session, surface)
    coming = [edge for edge in owner.sessions.edges(found) if edge.at > now]
    for edge in coming:
        if edge.after == status:
            return edge
    will = " or ".join(f"{edge.after} at {to_text(edge.at)}" for edge in coming) or "nothing else"
    raise errors.Refusal(409, f"time alone makes this session {will}, not {status!r}")


def shown(coming: Coming) -> dict[str, Any]:
    """An edge as it is shown."""
    edge = coming.edge
    return {
        "at": to_text(edge.at),
        "deadline": to_text(edge.deadline),
        "surface": coming.surface,
        "session": coming.session,
        "part": edge.part,
        "before": edge.before,
        "after": edge.after,
        "rule": edge.rule,
    }
