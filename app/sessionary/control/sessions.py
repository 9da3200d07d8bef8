"""The `/sessions` resource: list and explain sessions, and force a status."""

from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from typing import Any

from marshmallow import fields
from werkzeug.wrappers import Response

from sessionary import clock, store
from sessionary.control import timeline
from sessionary.control.blueprint import control, make_blueprint, now
from sessionary.control.errors import ApiError
from sessionary.control.fields import Instant, StrictSchema, response_schema
from sessionary.control.recording import note
from sessionary.control.timeline import TransitionResponse, find_session, transition_to_json
from sessionary.web.as_of import read_at
from sessionary.web.fields import Bounds, QueryInteger, Text
from sessionary.web.instants import to_text
from sessionary.web.operations import answer, answer_page, operation
from sessionary.web.responses import items
from sessionary.web.surface import Surface

Found = tuple[Surface, int, Any]  # a session with its place
_COPIED = ("rule", "reason", "unless", "source")
routes = make_blueprint("sessions")


class SessionQuery(StrictSchema):
    """One surface or all, the page's size, and the `next` of the page before."""

    limit = QueryInteger(load_default=100, validate=Bounds(1, 1000))
    surface = Text(load_default=None)
    after = Text(load_default=None)


_STATUS = "surface id status since"
SessionSummary = response_schema(
    "SessionSummary",
    text=_STATUS,
    boolean="open",
    next_transition=fields.Nested(TransitionResponse, required=True, allow_none=True),
)
SessionList = response_schema(
    "SessionList", text="now", text_or_null="next", sessions=items(SessionSummary)
)


class ExplanationQuery(StrictSchema):
    """The instant to explain (default: now)."""

    at = Instant(load_default=None)


ExplanationResponse = response_schema(
    "ExplanationResponse",
    text=f"{_STATUS} at rule reason source",
    text_or_null="unless",
    object="inputs",
    next_transitions=items(TransitionResponse),
)


class ForceRequest(StrictSchema):
    """A status that only the vendor can cause, and its reason."""

    status = Text(required=True)
    reason = Text(load_default="forced by the control plane")


@routes.get("/sessions")
@operation(
    "List sessions of all surfaces",
    query=SessionQuery(),
    answers={200: SessionList()},
    has_instants=True,
)
def list_sessions(query: dict[str, Any]) -> Response:
    at, limit, name = now(), query["limit"], query["surface"]
    surfaces = control().surfaces if name is None else [control().surface(name)]
    with store.read_transaction():
        found = _all_after(surfaces, *_start(surfaces, query["after"]), limit + 1)
        return answer_page(_page(found, limit, at))


@routes.get("/sessions/<session_id>/explain")
@operation(
    "Explain a session of any surface",
    query=ExplanationQuery(),
    answers={200: ExplanationResponse()},
    has_instants=True,
)
def find_and_explain(session_id: str, query: dict[str, Any]) -> Response:
    return _explain(None, session_id, query["at"])


@routes.get("/sessions/<surface>/<session_id>/explain")
@operation(
    "Explain a session",
    query=ExplanationQuery(),
    answers={200: ExplanationResponse()},
    has_instants=True,
)
def explain(surface: str, session_id: str, query: dict[str, Any]) -> Response:
    return _explain(control().surface(surface).name, session_id, query["at"])


@routes.post("/sessions/<surface>/<session_id>/force")
@operation(
    "Force a status that only the vendor can cause",
    body=ForceRequest(),
    answers={200: ExplanationResponse()},
)
def force(surface: str, session_id: str, body: dict[str, Any]) -> Response:
    owner = control().surface(surface)
    if body["status"] not in owner.sessions.forced_states:
        known = " or ".join(owner.sessions.forced_states) or "nothing"
        raise ApiError(400, f"{surface} can be forced to {known}, not {body['status']!r}")
    with clock.transaction() as at:
        _, session = find_session(control().surfaces, session_id, surface)
        owner.sessions.forced_states[body["status"]](session, at, body["reason"])
        _, session = find_session(control().surfaces, session_id, surface)
        note("force", at=to_text(at), surface=surface, session=session_id, **body)
    return answer(_explanation(owner, session, at))


def _explain(surface: str | None, session_id: str, as_of: int | None) -> Response:
    at = now()
    if as_of is not None:
        at = read_at(as_of, at)
    return answer(_explanation(*find_session(control().surfaces, session_id, surface), at))


def _explanation(surface: Surface, session: Any, at: int) -> dict[str, Any]:
    found = surface.sessions.explain(session, at)
    return {
        "surface": surface.name,
        "id": surface.sessions.id(session),
        "at": to_text(at),
        "status": found.status,
        # A clock that was moved back may show an instant before that of the call.
        "since": to_text(min(found.since_at, at)),
        **{name: getattr(found, name) for name in _COPIED},
        "inputs": _inputs(found.inputs),
        "next_transitions": [
            transition_to_json(each) for each in timeline.of_session(surface, session, at)
        ],
    }


def _summary(surface: Surface, session: Any, at: int) -> dict[str, Any]:
    explanation = _explanation(surface, session, at)
    return {
        **{name: explanation[name] for name in _STATUS.split()},
        "open": surface.sessions.is_open(session, at),
        "next_transition": next(iter(explanation["next_transitions"]), None),
    }


def _page(found: Iterator[Found], limit: int, at: int) -> Iterator[tuple[str, Any]]:
    place = ""

    def shown(each: Found) -> dict[str, Any]:
        nonlocal place
        place = f"{each[0].name}:{each[1]}"
        return _summary(each[0], each[2], at)

    yield "now", to_text(at)
    yield "sessions", map(shown, islice(found, limit))
    yield "next", place if next(found, None) is not None else None


def _all_after(surfaces: Sequence[Surface], first: int, after: int, limit: int) -> Iterator[Found]:
    for surface in surfaces[first:]:
        for place, session in surface.sessions.page(after, limit):
            yield surface, place, session
        after = 0


def _start(surfaces: Sequence[Surface], after: str | None) -> tuple[int, int]:
    """Parse a page's `after`: the index of its first surface, and the place to start after."""
    if after is None:
        return 0, 0
    name, _, place = after.partition(":")
    names = [surface.name for surface in surfaces]
    if name not in names or not place.isascii() or not place.isdigit() or len(place) > 18:
        raise ApiError(400, "after: must be the `next` of the page before")
    return names.index(name), int(place)


def _inputs(inputs: Mapping[str, Any]) -> dict[str, Any]:
    """Serialize the inputs of a rule, with those of parts: instants as text."""
    return {name: _input(name, value) for name, value in inputs.items()}


def _input(name: str, value: Any) -> Any:
    if name.endswith("_at") and isinstance(value, int):
        return to_text(value)
    return [_inputs(each) for each in value] if isinstance(value, list) else value
