"""The `/sessions` resource: list and explain sessions, and force a status."""

from collections.abc import Iterator, Mapping
from itertools import islice
from typing import Any

from marshmallow import fields
from werkzeug.wrappers import Response

from sessionary import clock, store
from sessionary.control import timeline
from sessionary.control.blueprint import control, make_blueprint, now
from sessionary.control.errors import ApiError
from sessionary.control.fields import QueryInstant, StrictSchema, resolve, response_schema
from sessionary.control.journal import models
from sessionary.control.journal.models import OpeningCallRow
from sessionary.control.recording import note
from sessionary.control.session_filters import Selection, SessionFilters
from sessionary.control.timeline import TransitionResponse, find_session, transition_to_json
from sessionary.web.as_of import read_at
from sessionary.web.context import settings
from sessionary.web.fields import Bounds, QueryInteger, Text
from sessionary.web.instants import to_text
from sessionary.web.operations import answer, answer_page, operation
from sessionary.web.responses import items
from sessionary.web.surface import Surface

Found = tuple[Surface, int, Any]  # a session with its place
_PART = 1000  # of the sessions that a filter looks at
_COPIED = ("rule", "reason", "unless", "source")
routes = make_blueprint("sessions")


class SessionQuery(SessionFilters):
    """Filters, the page's size, and the `next` of the page before; or `ids`: `surface/id,…`."""

    limit = QueryInteger(load_default=100, validate=Bounds(1, 1000))
    ids = Text(load_default=None)


_STATUS = "surface id status since"
OpeningCall = response_schema("OpeningCall", integer="number", text="method path at")
# `opened_by` is the call in the journal that opened the session; lists have it for open ones.
SessionSummary = response_schema(
    "SessionSummary",
    text=f"{_STATUS} title",
    boolean="open",
    next_transition=fields.Nested(TransitionResponse, required=True, allow_none=True),
    opened_by=fields.Nested(OpeningCall, allow_none=True),
)
SessionList = response_schema(
    "SessionList", text="now", text_or_null="next", sessions=items(SessionSummary)
)


class ExplanationQuery(StrictSchema):
    """The instant to explain (default: now)."""

    at = QueryInstant(load_default=None)


ExplanationResponse = response_schema(
    "ExplanationResponse",
    text=f"{_STATUS} at rule reason source",
    text_or_null="unless",
    object="inputs",
    next_transitions=items(TransitionResponse),
    opened_by=fields.Nested(OpeningCall, required=True, allow_none=True),
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
    at, limit = now(), query["limit"]
    with store.read_transaction():
        if query["ids"] is None:
            found = _find(Selection.of(query), at, limit + 1)
        else:
            found = _find_by_id(query["ids"])
        if query["open"] and settings().journal:
            known = list(islice(found, limit + 1))
            ids = [surface.sessions.id(session) for surface, _, session in known]
            return answer_page(_page(iter(known), limit, at, models.opening_calls(ids)))
        return answer_page(_page(found, limit, at))


@routes.get("/sessions/<session_id>/explain")
@operation(
    "Explain a session of any surface",
    query=ExplanationQuery(),
    answers={200: ExplanationResponse()},
    has_instants=True,
)
def find_and_explain(session_id: str, query: dict[str, Any]) -> Response:
    return _explain(None, session_id, query)


@routes.get("/sessions/<surface>/<session_id>/explain")
@operation(
    "Explain a session",
    query=ExplanationQuery(),
    answers={200: ExplanationResponse()},
    has_instants=True,
)
def explain(surface: str, session_id: str, query: dict[str, Any]) -> Response:
    return _explain(control().surface(surface).name, session_id, query)


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
        id = owner.sessions.id(session)
        note("force", at=to_text(at), surface=surface, session=id, **body)
    return answer(_explanation_with_call(owner, session, at))


def _explain(surface: str | None, session_id: str, query: dict[str, Any]) -> Response:
    at = now()
    as_of = resolve(query, at)["at"]
    if as_of is not None:
        at = read_at(as_of, at)
    found = find_session(control().surfaces, session_id, surface)
    return answer(_explanation_with_call(*found, at))


def _explanation_with_call(surface: Surface, session: Any, at: int) -> dict[str, Any]:
    explanation, id = _explanation(surface, session, at), surface.sessions.id(session)
    calls = models.opening_calls([id]) if settings().journal else {}
    return {**explanation, "opened_by": _opened_by(calls, id)}


def _opened_by(calls: Mapping[str, OpeningCallRow], id: str) -> dict[str, Any] | None:
    call = calls.get(id)
    return call and {**call._asdict(), "at": to_text(call.at)}


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
        "title": surface.sessions.title(session),
        "open": surface.sessions.is_open(session, at),
        "next_transition": next(iter(explanation["next_transitions"]), None),
    }


def _page(
    found: Iterator[Found],
    limit: int,
    at: int,
    opening_calls: Mapping[str, OpeningCallRow] | None = None,
) -> Iterator[tuple[str, Any]]:
    place = ""

    def shown(each: Found) -> dict[str, Any]:
        nonlocal place
        place = f"{each[0].name}:{each[1]}"
        summary = _summary(each[0], each[2], at)
        if opening_calls is None:
            return summary
        return {**summary, "opened_by": _opened_by(opening_calls, summary["id"])}

    yield "now", to_text(at)
    yield "sessions", map(shown, islice(found, limit))
    yield "next", place if next(found, None) is not None else None


def _find(selection: Selection, at: int, limit: int) -> Iterator[Found]:
    """Yield matching sessions; a surface is read in parts if only some of its sessions match."""
    place = selection.place
    for surface in selection.surfaces:
        sessions, read_place = surface.sessions, -1
        while read_place < place:
            read_place = place
            for place, session in sessions.page(place, limit if selection.is_all else _PART):  # noqa: B020
                id, title = sessions.id(session), sessions.title(session)
                if selection.is_all or selection.matches(
                    surface, id, title, sessions.status(session, at)
                ):
                    yield surface, place, session
            if selection.is_all:
                break
        place = 0


def _find_by_id(ids: str) -> Iterator[Found]:
    """Yield these sessions in their order, without those that do not exist."""
    for each in ids.split(","):
        name, _, id = each.partition("/")
        surface = control().surface(name, 400)
        session = surface.sessions.find(id)
        if session is not None:
            yield surface, 0, session


def _inputs(inputs: Mapping[str, Any]) -> dict[str, Any]:
    """Serialize the inputs of a rule, with those of parts: instants as text."""
    return {name: _input(name, value) for name, value in inputs.items()}


def _input(name: str, value: Any) -> Any:
    if name.endswith("_at") and isinstance(value, int):
        return to_text(value)
    if isinstance(value, list):
        return [_inputs(each) if isinstance(each, Mapping) else each for each in value]
    return value
