"""Sessions of all surfaces, why each is in its state, and states that only a vendor can cause."""

from collections.abc import Mapping
from typing import Any

from marshmallow import fields
from werkzeug.wrappers import Response

from sessionary import clock
from sessionary.control import errors, timeline
from sessionary.control.blueprint import control, make_blueprint, now
from sessionary.control.fields import Instant, Strict
from sessionary.control.timeline import Coming, TransitionShown
from sessionary.web.as_of import rewind
from sessionary.web.fields import Boolean, Bounds, Object, QueryInteger, Text
from sessionary.web.instants import to_text
from sessionary.web.operations import answer, operation
from sessionary.web.surface import NotForced, Surface

routes = make_blueprint("sessions")


class Page(Strict):
    """How many sessions, of which surface, behind the place that the page before gave."""

    limit = QueryInteger(load_default=100, validate=Bounds(1, 1000))
    surface = Text(load_default=None)
    after = Text(load_default=None)


class Summary(Strict):
    """What a session is, since when, whether its owner has still to end it, what comes next."""

    surface = Text(required=True)
    id = Text(required=True)
    status = Text(required=True)
    since = Text(required=True)
    open = Boolean(required=True)
    next_transition = fields.Nested(TransitionShown, required=True, allow_none=True)


class Sessions(Strict):
    """A page of sessions; `next` is the next page's `after`, null behind the last one."""

    now = Text(required=True)
    sessions = fields.List(fields.Nested(Summary), required=True)
    next = Text(required=True, allow_none=True)


class When(Strict):
    """As of which instant: now unless given."""

    at = Instant(load_default=None)


class Explained(Strict):
    """Why a session is what it is; the facts that decided, and what would have changed it."""

    surface = Text(required=True)
    id = Text(required=True)
    at = Text(required=True)
    status = Text(required=True)
    since = Text(required=True)
    rule = Text(required=True)
    reason = Text(required=True)
    inputs = Object(required=True)
    unless = Text(required=True, allow_none=True)
    source = Text(required=True)
    next_transitions = fields.List(fields.Nested(TransitionShown), required=True)


class Force(Strict):
    """A status that only the vendor could cause, and what is said of it."""

    status = Text(required=True)
    reason = Text(load_default="forced by the control plane")


@routes.get("/sessions")
@operation("Sessions of all surfaces", query=Page(), answers={200: Sessions()})
def list_sessions(query: dict[str, Any]) -> Response:
    at, limit = now(), query["limit"]
    named = query["surface"]
    surfaces = control().surfaces if named is None else [control().surface(named)]
    found = _page(surfaces, *_place(surfaces, query["after"]), limit + 1)
    shown = [_summary(surface, session, at) for surface, _, session in found[:limit]]
    last = found[limit - 1] if len(found) > limit else None
    following = None if last is None else f"{last[0].name}:{last[1]}"
    return answer({"now": to_text(at), "sessions": shown, "next": following})


@routes.get("/sessions/<session_id>/explain")
@operation("Explain a session of any surface", query=When(), answers={200: Explained()})
def find_and_explain(session_id: str, query: dict[str, Any]) -> Response:
    return _explain(None, session_id, query["at"])


@routes.get("/sessions/<surface>/<session_id>/explain")
@operation("Explain a session", query=When(), answers={200: Explained()})
def explain(surface: str, session_id: str, query: dict[str, Any]) -> Response:
    return _explain(control().surface(surface).name, session_id, query["at"])


def _explain(surface: str | None, session_id: str, as_of: int | None) -> Response:
    at = now()
    if as_of is not None:
        at = rewind(as_of, at)
    owner, session = timeline.find(control().surfaces, session_id, surface)
    return answer(explained(owner, session, at))


@routes.post("/sessions/<surface>/<session_id>/force")
@operation("Cause what only the vendor can", body=Force(), answers={200: Explained()})
def force(surface: str, session_id: str, body: dict[str, Any]) -> Response:
    owner = control().surface(surface)
    if body["status"] not in owner.sessions.forced_states:
        known = " or ".join(owner.sessions.forced_states) or "nothing"
        raise errors.Refusal(400, f"{surface} can be forced to {known}, not {body['status']!r}")
    with clock.transaction() as at:
        _, session = timeline.find(control().surfaces, session_id, surface)
        try:
            owner.sessions.forced_states[body["status"]](session, at, body["reason"])
        except NotForced as error:
            raise errors.Refusal(409, f"{error}") from None
        _, session = timeline.find(control().surfaces, session_id, surface)
    return answer(explained(owner, session, at))


def explained(surface: Surface, session: Any, at: int) -> dict[str, Any]:
    """A session's explanation as it is shown."""
    found, id = surface.sessions.explain(session, at), surface.sessions.id(session)
    coming = [
        transition for transition in surface.sessions.transitions(session) if transition.at > at
    ]
    return {
        "surface": surface.name,
        "id": id,
        "at": to_text(at),
        "status": found.status,
        "since": to_text(found.since_at),
        "rule": found.rule,
        "reason": found.reason,
        "inputs": _inputs(found.inputs),
        "unless": found.unless,
        "source": found.source,
        "next_transitions": [
            timeline.shown(Coming(surface.name, id, transition)) for transition in coming
        ],
    }


def _summary(surface: Surface, session: Any, at: int) -> dict[str, Any]:
    found = surface.sessions.explain(session, at)
    id = surface.sessions.id(session)
    coming = [
        transition for transition in surface.sessions.transitions(session) if transition.at > at
    ]
    return {
        "surface": surface.name,
        "id": id,
        "status": found.status,
        "since": to_text(found.since_at),
        "open": surface.sessions.is_open(session, at),
        "next_transition": timeline.shown(Coming(surface.name, id, coming[0])) if coming else None,
    }


def _page(surfaces: Any, first: int, place: int, limit: int) -> list[tuple[Surface, int, Any]]:
    found: list[tuple[Surface, int, Any]] = []
    for surface in surfaces[first:]:
        rows = surface.sessions.page(place, limit - len(found))
        found += [(surface, at, session) for at, session in rows]
        place = 0
        if len(found) == limit:
            break
    return found


def _place(surfaces: Any, after: str | None) -> tuple[int, int]:
    """Which surface a page begins with, and behind which of its sessions."""
    if after is None:
        return 0, 0
    name, _, place = after.partition(":")
    names = [surface.name for surface in surfaces]
    if name not in names or not place.isascii() or not place.isdigit() or len(place) > 18:
        raise errors.Refusal(400, "after: must be the `next` of the page before")
    return names.index(name), int(place)


def _inputs(facts: Mapping[str, Any]) -> dict[str, Any]:
    """Instants as text, in the facts of parts as well."""
    return {name: _input(name, value) for name, value in facts.items()}


def _input(name: str, value: Any) -> Any:
    if name.endswith("_at") and isinstance(value, int):
        return to_text(value)
    return [_inputs(each) for each in value] if isinstance(value, list) else value
