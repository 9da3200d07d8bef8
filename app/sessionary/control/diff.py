"""The `/diff` resource: sessions that changed between two instants, by a call or by time."""

from typing import Any

from flask import request
from werkzeug.wrappers import Response

from sessionary import store
from sessionary.control.blueprint import control, make_blueprint, now
from sessionary.control.changes import StatusChange, find_changes
from sessionary.control.comparison import compare
from sessionary.control.errors import ApiError
from sessionary.control.fields import QueryInstant, StrictSchema, resolve, response_schema
from sessionary.web.fields import Bounds, OneOf, QueryInteger, Text
from sessionary.web.held import LOAD
from sessionary.web.instants import to_text
from sessionary.web.operations import answer, operation
from sessionary.web.responses import items

_COPIED = ("surface", "session", "part", "call", "rule", "from_status", "to_status")
_NULLABLE = (*_COPIED[2:], "here", "there")
routes = make_blueprint("diff")


class DiffQuery(StrictSchema):
    """Changes after `from` and up to `to` (default: now), and their maximum number.

    Or with `with`: what differs in the namespace of this name, at one instant.
    """

    other = Text(data_key="with", load_default=None)
    from_at = QueryInstant(data_key="from", load_default=None)
    until_at = QueryInstant(data_key="to", load_default=None)
    limit = QueryInteger(load_default=100, validate=Bounds(1, 10_000))


# A change between two instants, or a difference from another namespace: `id`, `here` and `there`.
ChangeResponse = response_schema(
    "ChangeResponse",
    text="surface",
    at=Text(),
    session=Text(),
    cause=Text(validate=OneOf(("call", "time"))),
    **{
        name: Text(allow_none=True) for name in ("part", "call", "rule", "from_status", "to_status")
    },
    id=Text(),
    here=Text(allow_none=True),
    there=Text(allow_none=True),
)
DiffResponse = response_schema("DiffResponse", boolean="truncated", changes=items(ChangeResponse))


@routes.get("/diff")
@operation(
    "List changes between two instants, or differences from another namespace",
    query=DiffQuery(),
    answers={200: DiffResponse()},
    has_instants=True,
)
def diff(query: dict[str, Any]) -> Response:
    at = now()
    query = resolve(query, at)
    after, limit = query["from_at"], query["limit"]
    if query["other"] is not None:
        return _compare(query, at)
    if after is None:
        raise ApiError(400, "from is required, or with and the name of another namespace")
    until = at if query["until_at"] is None else query["until_at"]
    if after > until:
        raise ApiError(400, "from: must not be after `to`, which is now by default")
    _ensure_recorded_since(after)
    store.check_row_count(limit)
    found = find_changes(control().surfaces, after, until, at, limit + 1)
    changes = [_to_json(change) for change in found[:limit]]
    return answer({"changes": changes, "truncated": len(found) > limit})


def _compare(query: dict[str, Any], at: int) -> Response:
    namespaces, limit = control().namespaces, query["limit"]
    if namespaces is None:
        raise ApiError(409, "a server has only the namespace default: start a double instead")
    if (query["from_at"], query["until_at"]) != (None, None):
        raise ApiError(400, "with: compares at one instant: leave out from and to")
    if LOAD not in request.environ:  # so that no lock is held while the other one is waited for
        raise store.TooLarge
    found = list(compare(control().surfaces, namespaces.find(query["other"]), at))
    changes = [each._asdict() for each in found[:limit]]
    return answer({"changes": changes, "truncated": len(found) > limit})


def _ensure_recorded_since(after: int) -> None:
    if not store.has_undo_log():
        raise ApiError(409, "a server keeps no undo log: start a double instead")
    earliest = store.undo_log.earliest_at()
    if earliest is not None and after < earliest:
        raise ApiError(400, f"from: the undo log begins at {to_text(earliest)}")


def _to_json(change: StatusChange) -> dict[str, Any]:
    return {
        "at": to_text(change.shown_at),
        "cause": "time" if change.rule else "call",
        **{name: getattr(change, name) for name in _COPIED},
    }
