"""The journal over HTTP: calls found, counted, shown and forgotten."""

import re
from typing import Any
from urllib.parse import parse_qs

from marshmallow import fields
from werkzeug.wrappers import Response

from sessionary import clock
from sessionary.control import errors
from sessionary.control.blueprint import control, make_blueprint
from sessionary.control.fields import Strict
from sessionary.control.journal import models
from sessionary.control.journal.models import CallRow
from sessionary.web import json_codec
from sessionary.web.context import settings
from sessionary.web.fields import Boolean, Bounds, Integer, Object, QueryInteger, Text, problem
from sessionary.web.instants import to_text
from sessionary.web.operations import answer, operation

_STATUS = re.compile("([1-5])xx|[1-5][0-9]{2}")
_FILTERS = ("method", "path", "surface", "session", "status")
routes = make_blueprint("journal")


class Status(Text):
    """A status code such as 404, or a class of them such as `4xx`: the lowest and the highest."""

    def _deserialize(self, value: Any, *args: Any, **kwargs: Any) -> Any:
        found = _STATUS.fullmatch(super()._deserialize(value, *args, **kwargs))
        if found is None:
            raise problem("value", "must be a status such as 404, or 4xx")
        if found[1] is None:
            return int(value), int(value)
        return int(found[1]) * 100, int(found[1]) * 100 + 99


class Filters(Strict):
    """Which calls; `path` is a route's pattern or a path, with or without its surface's prefix."""

    method = Text(load_default=None)
    path = Text(load_default=None)
    surface = Text(load_default=None)
    session = Text(load_default=None)
    status = Status(load_default=None)


class CallPage(Filters):
    """Which calls, how many, and behind which id."""

    after = QueryInteger(load_default=0, validate=Bounds(0))
    limit = QueryInteger(load_default=100, validate=Bounds(1, 1000))


class Caller(Strict):
    """Who called."""

    user = Text(required=True)
    organization = Text(required=True, allow_none=True)


class Hit(Strict):
    """The fault that a call met."""

    id = Integer(required=True)
    kind = Text(required=True)


class CallShown(Strict):
    """A call. `path` is the vendor's own; a body is JSON where it is whole and JSON, else text.

    `status` is null where a fault dropped the connection.
    """

    id = Integer(required=True)
    at = Text(required=True)
    wall_time = Text(required=True)
    surface = Text(required=True, allow_none=True)
    method = Text(required=True)
    path = Text(required=True)
    route = Text(required=True, allow_none=True)
    query = Object(required=True)
    headers = Object(required=True)
    body = fields.Raw(required=True, allow_none=True)
    body_bytes = Integer(required=True)
    body_truncated = Boolean(required=True)
    status = Integer(required=True, allow_none=True)
    response = fields.Raw(required=True, allow_none=True)
    response_bytes = Integer(required=True)
    response_truncated = Boolean(required=True)
    caller = fields.Nested(Caller, required=True, allow_none=True)
    session = Text(required=True, allow_none=True)
    fault = fields.Nested(Hit, required=True, allow_none=True)


class Calls(Strict):
    """Calls in order; `next` is the next page's `after`, null behind the last one.

    Of more than `max_calls` calls the oldest are let go: `dropped_count` counts them.
    """

    now = Text(required=True)
    calls = fields.List(fields.Nested(CallShown), required=True)
    next = Integer(required=True, allow_none=True)
    max_calls = Integer(required=True)
    dropped_count = Integer(required=True)


class CallCount(Strict):
    """How many calls; `dropped_count` counts those let go, which might have been such calls."""

    count = Integer(required=True)
    dropped_count = Integer(required=True)


@routes.get("/journal")
@operation("The calls", query=CallPage(), answers={200: Calls()})
def list_calls(query: dict[str, Any]) -> Response:
    _must_be_kept()
    limit = query["limit"]
    found = models.find(_conditions(query), after=query["after"], limit=limit + 1)
    return answer(
        {
            "now": to_text(clock.now()),
            "calls": [shown(call) for call in found[:limit]],
            "next": found[limit - 1].id if len(found) > limit else None,
            "max_calls": models.KEPT,
            "dropped_count": models.dropped(),
        }
    )


@routes.get("/journal/count")
@operation("How many calls", query=Filters(), answers={200: CallCount()})
def count_calls(query: dict[str, Any]) -> Response:
    _must_be_kept()
    return answer({"count": models.count(_conditions(query)), "dropped_count": models.dropped()})


@routes.get("/journal/<id:call_id>")
@operation("A call", answers={200: CallShown()})
def show_call(call_id: int) -> Response:
    return answer(shown(kept_call(call_id)))


@routes.delete("/journal")
@operation("Forget all calls", answers={204: None})
def forget_calls() -> Response:
    _must_be_kept()
    models.clear()
    return Response(status=204)


def _must_be_kept() -> None:
    if not settings().journal:
        raise errors.Refusal(409, "this server keeps no journal: start it with --journal")


def kept_call(id: int) -> CallRow:
    """The call of this id. Raises errors.Refusal."""
    _must_be_kept()
    found = models.get(id)
    if found is None:
        raise errors.Refusal(404, f"there is no call {id}: GET journal lists those that are kept")
    return found


def _conditions(query: dict[str, Any]) -> dict[str, Any]:
    """The filters that are asked for, as the journal has them."""
    found = {name: query[name] for name in _FILTERS if query[name] is not None}
    if "surface" in found:
        control().surface(found["surface"])
    if "method" in found:
        found["method"] = found["method"].upper()
    if "path" in found:
        owner, own = control().addresses.of(found["path"])
        if owner is not None and own != found["path"]:
            found = {"surface": owner.name, **found}
        found["path"] = own
    if "status" in found:
        found["lowest"], found["highest"] = found.pop("status")
    return found


def shown(call: CallRow) -> dict[str, Any]:
    """A call as it is shown."""
    return {
        "id": call.id,
        "at": to_text(call.at),
        "wall_time": to_text(call.wall_at),
        **{name: getattr(call, name) for name in ("surface", "method", "path", "route")},
        "query": parse_qs(call.query, keep_blank_values=True),
        "headers": json_codec.decode(call.headers),
        **_body("body", call.body, call.body_bytes, call.body_truncated),
        "status": call.status,
        **_body("response", call.response, call.response_bytes, call.response_truncated),
        "caller": caller(call),
        "session": call.session,
        "fault": None if call.fault is None else {"id": call.fault, "kind": call.fault_kind},
    }


def caller(call: CallRow) -> dict[str, Any] | None:
    """Who called, as it is shown; None for nobody who was let in."""
    if call.user is None:
        return None
    return {"user": call.user, "organization": call.organization}


def value(text: str) -> Any:
    """The JSON value of a text that is JSON, any other text as it is."""
    try:
        return json_codec.value(text)
    except json_codec.BadDocument:
        return text


def _body(name: str, text: str | None, length: int, truncated: int) -> dict[str, Any]:
    shown = text if text is None or truncated else value(text)
    return {name: shown, f"{name}_bytes": length, f"{name}_truncated": bool(truncated)}
