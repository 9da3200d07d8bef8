"""The `/diff` resource: sessions that changed between two instants, by a call or by time."""

from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import Any, NamedTuple

from werkzeug.wrappers import Response

from sessionary import store
from sessionary.control import timeline
from sessionary.control.blueprint import control, make_blueprint, now
from sessionary.control.errors import ApiError
from sessionary.control.fields import Instant, StrictSchema, response_schema
from sessionary.store.undo_log import Change
from sessionary.web.fields import Bounds, OneOf, QueryInteger, Text
from sessionary.web.instants import to_text
from sessionary.web.operations import answer, operation
from sessionary.web.responses import items
from sessionary.web.surface import Surface

_ALL = 1_000_000
_COPIED = ("surface", "session", "part", "call", "rule", "from_status", "to_status")
routes = make_blueprint("diff")


class DiffQuery(StrictSchema):
    """Changes after `from` and up to `to` (default: now), and their maximum number."""

    from_at = Instant(data_key="from", required=True)
    until_at = Instant(data_key="to", load_default=None)
    limit = QueryInteger(load_default=1000, validate=Bounds(1, 10_000))


ChangeResponse = response_schema(
    "ChangeResponse",
    text="at surface session",
    text_or_null="part call rule from_status to_status",
    cause=Text(required=True, validate=OneOf(("call", "time"))),
)
DiffResponse = response_schema("DiffResponse", boolean="truncated", changes=items(ChangeResponse))


class StatusChange(NamedTuple):
    """A change by a call or by a rule. `write` orders the calls of one instant."""

    at: int
    write: int
    surface: str
    session: str
    part: str | None
    call: str | None
    rule: str | None
    from_status: str | None
    to_status: str | None


@routes.get("/diff")
@operation(
    "List changes between two instants",
    query=DiffQuery(),
    answers={200: DiffResponse()},
    has_instants=True,
)
def diff(query: dict[str, Any]) -> Response:
    at, after, limit = now(), query["from_at"], query["limit"]
    until = at if query["until_at"] is None else query["until_at"]
    if after > until:
        raise ApiError(400, "from: must not be after `to`, which is now by default")
    _ensure_recorded_since(after)
    found = sorted(_changes(control().surfaces, after, until), key=_order)
    changes = [_to_json(change) for change in found[:limit]]
    return answer({"changes": changes, "truncated": len(found) > limit})


def _ensure_recorded_since(after: int) -> None:
    if not store.has_undo_log():
        raise ApiError(409, "a server keeps no undo log: start a double instead")
    earliest = store.undo_log.earliest_at()
    if earliest is not None and after < earliest:
        raise ApiError(400, f"from: the undo log begins at {to_text(earliest)}")


def _changes(surfaces: Sequence[Surface], after: int, until: int) -> Iterator[StatusChange]:
    """Yield changes from the last write back to the first, rewinding the database on the way."""
    by_name = {surface.name: surface for surface in surfaces}
    ends: dict[tuple[str, str], int] = {}  # by session: the instant of its next write
    rows = store.undo_log.changes(after, until)
    writes = [list(each) for _, each in groupby(rows, lambda row: row.write)]
    for write in reversed(writes):
        yield from _of_write(by_name, write, until, ends)
    store.undo_log.rewind_to(after)
    for surface in surfaces:
        for _, session in surface.sessions.changing(after, until, _ALL):
            id = surface.sessions.id(session)
            yield from _by_time(surface, session, after, ends.get((surface.name, id), until))


def _of_write(
    by_name: dict[str, Surface],
    write: list[Change],
    until: int,
    ends: dict[tuple[str, str], int],
) -> Iterator[StatusChange]:
    touched = dict.fromkeys((each.surface, each.session) for each in write if each.session)
    at, number, call = write[0].at, write[0].write, write[0].call
    store.undo_log.rewind(write[-1].seq)
    new_status = {}
    for name, id in touched:
        surface = by_name[name]
        session = surface.sessions.find(id)
        new_status[name, id] = _status(surface, session, at)
        if session is not None:
            yield from _by_time(surface, session, at, ends.get((name, id), until))
        ends[name, id] = at
    store.undo_log.rewind(write[0].seq - 1)
    for name, id in touched:
        old_status = _status(by_name[name], by_name[name].sessions.find(id), at)
        yield StatusChange(at, number, name, id, None, call, None, old_status, new_status[name, id])


def _by_time(surface: Surface, session: Any, after: int, until: int) -> Iterator[StatusChange]:
    for name, id, each in timeline.of_session(surface, session, after, until):
        statuses = each.from_status, each.to_status
        yield StatusChange(each.at, 0, name, id, each.part, None, each.rule, *statuses)


def _order(change: StatusChange) -> tuple[int, int, str, str, str]:
    return change.at, change.write, change.surface, change.session, change.part or ""


def _status(surface: Surface, session: Any, at: int) -> str | None:
    return None if session is None else surface.sessions.explain(session, at).status


def _to_json(change: StatusChange) -> dict[str, Any]:
    return {
        "at": to_text(change.at),
        "cause": "time" if change.rule else "call",
        **{name: getattr(change, name) for name in _COPIED},
    }
