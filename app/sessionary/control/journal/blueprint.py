"""The `/journal` resource: list, count, show and remove recorded calls."""

import re
from collections.abc import Iterator
from itertools import islice
from typing import Any
from urllib.parse import parse_qs

from marshmallow import fields
from werkzeug.wrappers import Response

from sessionary import clock, ids, store
from sessionary.control.blueprint import control, make_blueprint
from sessionary.control.errors import ApiError
from sessionary.control.fields import StrictSchema, response_schema
from sessionary.control.journal import models
from sessionary.control.journal.models import CallRow
from sessionary.web import json_codec
from sessionary.web.context import read_instant, settings
from sessionary.web.fields import Bounds, OneOf, QueryInteger, Text, problem
from sessionary.web.instants import to_text
from sessionary.web.operations import answer, answer_page, operation
from sessionary.web.responses import items

_STATUS = re.compile("([1-5])xx|[1-5][0-9]{2}|-[0-9]{1,5}")
_FILTERS = ("method", "path", "surface", "session", "status", "q")
_COPIED = ("id", "surface", "method", "path", "route", "status", "session")
routes = make_blueprint("journal")


class StatusFilter(Text):
    """A status such as 404, or a class such as `4xx`, loaded as its lowest and highest status.

    An error code of a message over a WebSocket is a status as well.
    """

    def _deserialize(self, value: Any, *args: Any, **kwargs: Any) -> Any:
        match = _STATUS.fullmatch(super()._deserialize(value, *args, **kwargs))
        if match is None:
            raise problem("value", "must be a status such as 404, or 4xx")
        if match[1] is None:
            return int(value), int(value)
        return int(match[1]) * 100, int(match[1]) * 100 + 99


class CallFilters(StrictSchema):
    """Filters of calls; `path` is a route or a path, with or without its surface's prefix.

    `q` is a text in the method, path, query, session, body or response, in any case.
    """

    method = Text(load_default=None)
    path = Text(load_default=None)
    surface = Text(load_default=None)
    session = Text(load_default=None)
    status = StatusFilter(load_default=None)
    q = Text(load_default=None)


class JournalQuery(CallFilters):
    """Filters, the order, the id that the page starts after in it, and the page's size."""

    order = Text(load_default="oldest", validate=OneOf(("oldest", "newest")))
    after = QueryInteger(load_default=0, validate=Bounds(0))
    limit = QueryInteger(load_default=100, validate=Bounds(1, 1000))


CallerResponse = response_schema("CallerResponse", text="user", text_or_null="organization")
FaultHit = response_schema("FaultHit", integer="id", text="kind phase")
# `path` has no surface prefix; `status` is null for a dropped connection. A body is JSON if it
# is complete and valid, else text. `wall_time` is null where ids have a seed.
CallResponse = response_schema(
    "CallResponse",
    text="at method path",
    text_or_null="wall_time surface route session",
    integer="id body_bytes response_bytes",
    integer_or_null="status",
    boolean="body_truncated response_truncated",
    object="query headers",
    value_or_null="body response",
    caller=fields.Nested(CallerResponse, required=True, allow_none=True),
    fault=fields.Nested(FaultHit, required=True, allow_none=True),
)
# `next` is the `after` of the next page; `dropped_count` counts the oldest calls, removed.
CallList = response_schema(
    "CallList",
    text="now",
    integer="max_calls dropped_count",
    integer_or_null="next",
    calls=items(CallResponse),
)
CallCount = response_schema("CallCount", integer="count dropped_count")


@routes.get("/journal")
@operation("List calls", query=JournalQuery(), answers={200: CallList()}, has_instants=True)
def list_calls(query: dict[str, Any]) -> Response:
    """List calls, up to the instant of `Sessionary-At`."""
    _ensure_complete()
    at = clock.now()
    shown_at = read_instant(at)
    limit = query["limit"]
    newest = query["order"] == "newest"
    conditions = _conditions(query, at, shown_at)
    found = models.find(conditions, after=query["after"], limit=limit + 1, newest=newest)
    return answer_page(_page(found, limit, shown_at))


def _page(found: Iterator[CallRow], limit: int, at: int) -> Iterator[tuple[str, Any]]:
    last = 0

    def shown(call: CallRow) -> dict[str, Any]:
        nonlocal last
        last = call.id
        return call_to_json(call)

    yield "now", to_text(at)
    yield "calls", map(shown, islice(found, limit))
    yield "next", last if next(found, None) is not None else None
    yield "max_calls", models.MAX_CALLS
    yield "dropped_count", models.dropped_count()


@routes.get("/journal/count")
@operation("Count calls", query=CallFilters(), answers={200: CallCount()}, has_instants=True)
def count_calls(query: dict[str, Any]) -> Response:
    _ensure_complete()
    at = clock.now()
    count = models.count(_conditions(query, at, read_instant(at)))
    return answer({"count": count, "dropped_count": models.dropped_count()})


@routes.get("/journal/<id:call_id>")
@operation("Get a call", answers={200: CallResponse()})
def show_call(call_id: int) -> Response:
    return answer(call_to_json(find_call(call_id)))


@routes.delete("/journal")
@operation("Remove all calls", answers={204: None})
def clear_calls() -> Response:
    _ensure_complete()
    models.clear()
    return Response(status=204)


def find_call(id: int) -> CallRow:
    """Return a recorded call. Raises ApiError."""
    _ensure_complete()
    call = models.by_id.one(id=id)
    if call is None:
        oldest, newest = models.ids()
        has = f"has the calls {oldest} to {newest}" if newest else "is empty"
        raise ApiError(404, f"call {id} not found: the journal {has}")
    return call


def call_to_json(call: CallRow) -> dict[str, Any]:
    """Serialize a recorded call."""
    return {
        **{name: getattr(call, name) for name in _COPIED},
        "at": to_text(call.at),
        "wall_time": None if ids.is_seeded() else to_text(call.wall_at),
        "query": parse_qs(call.query, keep_blank_values=True),
        "headers": json_codec.decode(call.headers),
        **_body("body", call.body, call.body_bytes, call.body_truncated),
        **_body("response", call.response, call.response_bytes, call.response_truncated),
        "caller": call.user and {"user": call.user, "organization": call.organization},
        "fault": call.fault
        and {"id": call.fault, "kind": call.fault_kind, "phase": call.fault_phase},
    }


def parse_json(text: str) -> Any:
    """Parse a text that is JSON; return any other text unchanged."""
    try:
        return json_codec.value(text)
    except json_codec.BadDocument:
        return text


def _ensure_complete() -> None:
    """Write the rows that no response has waited for. Raises ApiError without a journal."""
    if not settings().journal:
        raise ApiError(409, "this server has no journal: start it with --journal")
    store.current_namespace().later.flush()


def _conditions(query: dict[str, Any], now: int, shown_at: int) -> dict[str, Any]:
    """Return the given filters as journal.models takes them, up to an instant in the past.

    By now all calls have been made: those, too, after which the clock was moved back.
    """
    found = {name: query[name] for name in _FILTERS if query[name] is not None}
    if "surface" in found:
        control().surface(found["surface"])
    if "method" in found:
        found["method"] = found["method"].upper()
    if "path" in found:
        surface, own = control().routes.split(found["path"])
        if surface is not None and own != found["path"]:
            found = {"surface": surface.name, **found}
        found["path"] = own
    if "status" in found:
        found["lowest"], found["highest"] = found.pop("status")
    if shown_at < now:
        found["until"] = shown_at
    return found


def _body(name: str, text: str | None, length: int, truncated: int) -> dict[str, Any]:
    content = text if text is None or truncated else parse_json(text)
    return {name: content, f"{name}_bytes": length, f"{name}_truncated": bool(truncated)}
