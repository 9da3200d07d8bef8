"""The `/timeline` resource: the coming transitions of all sessions."""

from collections.abc import Sequence
from functools import cache
from math import inf
from typing import Any, NamedTuple

from werkzeug.wrappers import Response

from sessionary.control.blueprint import control, make_blueprint, now
from sessionary.control.errors import ApiError
from sessionary.control.fields import QueryInstant, StrictSchema, resolve, response_schema
from sessionary.near_names import MIN_LENGTH, TOO_SHORT, is_long_enough
from sessionary.store import Model, Statement, param
from sessionary.web.fields import Bounds, QueryInteger
from sessionary.web.instants import to_text
from sessionary.web.operations import answer, operation
from sessionary.web.responses import items
from sessionary.web.surface import Surface, Transition

_MAX_SIMILAR = 4
_LAST_CHARACTER = "\U0010ffff"
END = 250_000_000_000_000_000  # later than any time of a clock
_COPIED = ("part", "from_status", "to_status", "rule")
routes = make_blueprint("timeline")


class SessionTransition(NamedTuple):
    """A transition, with its surface and session."""

    surface: str
    session: str
    transition: Transition


class TimelineQuery(StrictSchema):
    """Transitions after `from` (default: now) and up to `to`, and their maximum number."""

    from_at = QueryInstant(data_key="from", load_default=None)
    until_at = QueryInstant(data_key="to", load_default=None)
    limit = QueryInteger(load_default=100, validate=Bounds(1, 1000))


# `to_status` begins at `at`; `deadline` is the instant that is shown as the end.
TransitionResponse = response_schema(
    "TransitionResponse",
    text="at deadline surface session from_status to_status rule",
    text_or_null="part",
)
TimelineResponse = response_schema(
    "TimelineResponse", text="now", boolean="truncated", transitions=items(TransitionResponse)
)


@routes.get("/timeline")
@operation(
    "List transitions",
    query=TimelineQuery(),
    answers={200: TimelineResponse()},
    has_instants=True,
)
def timeline(query: dict[str, Any]) -> Response:
    at = now()
    query, limit = resolve(query, at), query["limit"]
    after = at if query["from_at"] is None else query["from_at"]
    until = END if query["until_at"] is None else query["until_at"]
    if after > until:
        raise ApiError(400, "from: must not be after `to`; it is now by default")
    found = between(control().surfaces, after, until, limit + 1)
    transitions = [transition_to_json(each) for each in found[:limit]]
    return answer({"now": to_text(at), "transitions": transitions, "truncated": len(found) > limit})


def between(
    surfaces: Sequence[Surface], after: int, until: int, limit: int
) -> list[SessionTransition]:
    """List the first transitions of all sessions in (after, until], in order.

    Ties are in the order of the surfaces, then of creation.
    """
    found = [
        (transition.transition.at, number, place, transition)
        for number, surface in enumerate(surfaces)
        for place, session in surface.sessions.changing(after, until, limit)
        for transition in of_session(surface, session, after, until)
    ]
    found.sort(key=lambda each: each[:3])
    return [transition for *_, transition in found[:limit]]


def find_session(
    surfaces: Sequence[Surface], session: str, surface: str | None = None
) -> tuple[Surface, Any]:
    """Find a session by its id, or by a beginning of it that no other has. Raises ApiError.

    It is looked for on one surface or on any.
    """
    owners = [each for each in surfaces if surface in (None, each.name)]
    for each in owners:
        found = each.sessions.find(session)
        if found is not None:
            return each, found
    beginning = [(each, id) for each in owners for id in _beginning_with(each, session)]
    similar = [(each, id) for each, id in beginning if is_long_enough(session, id)]
    if len(similar) == 1:
        owner, id = similar[0]
        return owner, owner.sessions.find(id)
    if similar:
        ids = ", ".join(id for _, id in similar[:_MAX_SIMILAR])
        raise ApiError(404, f"session {session!r} is one of several: {ids}")
    missing = f"session {session!r} not found{f' on {surface}' if surface else ''}"
    is_short = len(session) < MIN_LENGTH or beginning
    raise ApiError(404, f"{missing}: {TOO_SHORT}" if is_short else missing)


def _beginning_with(surface: Surface, text: str) -> list[str]:
    if len(text) < MIN_LENGTH:
        return []
    tables = surface.sessions.session_columns.items()
    found = [_beginnings(table) for table, column in tables if column == "id"]
    values = {"first": text, "beyond": text + _LAST_CHARACTER, "limit": _MAX_SIMILAR}
    return [id for statement in found for id in statement.all(**values)]


@cache
def _beginnings(table: type[Model]) -> Statement[str]:
    id = table._meta.fields["id"]
    return Statement(
        lambda row: str(row[0]),
        lambda: (
            table.select(id)
            .where(id >= param("first"), id < param("beyond"))
            .order_by(id)
            .limit(param("limit"))
        ),
    )


def of_session(
    surface: Surface, session: Any, after: int, until: float = inf
) -> list[SessionTransition]:
    """List the transitions of a session in (after, until]."""
    id, transitions = surface.sessions.id(session), surface.sessions.transitions(session)
    return [SessionTransition(surface.name, id, t) for t in transitions if after < t.at <= until]


def transition_to_json(found: SessionTransition) -> dict[str, Any]:
    """Serialize a transition."""
    return {
        "at": to_text(found.transition.at),
        "deadline": to_text(found.transition.deadline),
        "surface": found.surface,
        "session": found.session,
        **{name: getattr(found.transition, name) for name in _COPIED},
    }
