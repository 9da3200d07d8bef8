"""Which sessions changed between two instants, and by what: a call, or time."""

from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import Any, NamedTuple

from marshmallow import fields
from werkzeug.wrappers import Response

from sessionary import store
from sessionary.control import errors
from sessionary.control.blueprint import control, make_blueprint, now
from sessionary.control.fields import Instant, Strict
from sessionary.store.undo_log import Change
from sessionary.web.fields import Boolean, Bounds, OneOf, QueryInteger, Text
from sessionary.web.instants import to_text
from sessionary.web.operations import answer, operation
from sessionary.web.surface import Surface

_ALL = 1_000_000
routes = make_blueprint("diff")


class Between(Strict):
    """From which instant on (not included), up to which one (now unless given), how many."""

    from_at = Instant(data_key="from", required=True)
    until_at = Instant(data_key="to", load_default=None)
    limit = QueryInteger(load_default=1000, validate=Bounds(1, 10_000))


class Changed(Strict):
    """A change of a session or its part; `from_status` is null for a new one."""

    at = Text(required=True)
    surface = Text(required=True)
    session = Text(required=True)
    part = Text(required=True, allow_none=True)
    cause = Text(required=True, validate=OneOf(("call", "time")))
    call = Text(required=True, allow_none=True)
    rule = Text(required=True, allow_none=True)
    from_status = Text(required=True, allow_none=True)
    to_status = Text(required=True, allow_none=True)


class Diff(Strict):
    """Changes in order; `truncated` says that there are more."""

    changes = fields.List(fields.Nested(Changed), required=True)
    truncated = Boolean(required=True)


class Step(NamedTuple):
    """A change: by a call, or by a rule of time. `write` orders calls of the same instant."""

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
@operation("What changed between two instants", query=Between(), answers={200: Diff()})
def diff(query: dict[str, Any]) -> Response:
    at, after, limit = now(), query["from_at"], query["limit"]
    until = at if query["until_at"] is None else query["until_at"]
    if after > until:
        raise errors.Refusal(400, "from: must not lie behind `to`, which is now unless given")
    _must_be_kept(after)
    steps = sorted(_steps(control().surfaces, after, until), key=_place)
    changes = [_shown(step) for step in steps[:limit]]
    return answer({"changes": changes, "truncated": len(steps) > limit})


def _must_be_kept(after: int) -> None:
    if not store.has_undo_log():
        raise errors.Refusal(409, "this server keeps no history: a double does")
    earliest = store.undo_log.earliest_at()
    if earliest is not None and after < earliest:
        raise errors.Refusal(400, f"from: the history begins at {to_text(earliest)}")


def _steps(surfaces: Sequence[Surface], after: int, until: int) -> Iterator[Step]:
    """From the last change back to the first: only so is each seen as it was."""
    by_name = {surface.name: surface for surface in surfaces}
    ends: dict[tuple[str, str], int] = {}  # until when a session was then left alone
    changes = store.undo_log.changes(after, until)
    writes = [list(each) for _, each in groupby(changes, lambda change: change.write)]
    for write in reversed(writes):
        yield from _of_a_write(by_name, write, until, ends)
    store.undo_log.rewind_to(after)
    for surface in surfaces:
        for session in surface.sessions.changing(after, until, _ALL):
            id = surface.sessions.id(session)
            yield from _by_time(surface, session, after, ends.get((surface.name, id), until))


def _of_a_write(
    by_name: dict[str, Surface],
    write: list[Change],
    until: int,
    ends: dict[tuple[str, str], int],
) -> Iterator[Step]:
    touched = dict.fromkeys((each.surface, each.session) for each in write if each.session)
    at, number, call = write[0].at, write[0].write, write[0].call
    store.undo_log.rewind(write[-1].seq)
    afterwards = {}
    for surface, id in touched:
        owner = by_name[surface]
        session = owner.sessions.find(id)
        afterwards[surface, id] = _status(owner, session, at)
        if session is not None:
            yield from _by_time(owner, session, at, ends.get((surface, id), until))
        ends[surface, id] = at
    store.undo_log.rewind(write[0].seq - 1)
    for surface, id in touched:
        before = _status(by_name[surface], by_name[surface].sessions.find(id), at)
        yield Step(at, number, surface, id, None, call, None, before, afterwards[surface, id])


def _by_time(surface: Surface, session: Any, after: int, until: int) -> Iterator[Step]:
    id = surface.sessions.id(session)
    for transition in surface.sessions.transitions(session):
        if after < transition.at <= until:
            yield Step(
                transition.at,
                0,
                surface.name,
                id,
                transition.part,
                None,
                transition.rule,
                transition.from_status,
                transition.to_status,
            )


def _place(step: Step) -> tuple[int, int, str, str, str]:
    return step.at, step.write, step.surface, step.session, step.part or ""


def _status(surface: Surface, session: Any, at: int) -> str | None:
    return None if session is None else surface.sessions.explain(session, at).status


def _shown(step: Step) -> dict[str, Any]:
    return {
        "at": to_text(step.at),
        "surface": step.surface,
        "session": step.session,
        "part": step.part,
        "cause": "time" if step.rule else "call",
        "call": step.call,
        "rule": step.rule,
        "from_status": step.from_status,
        "to_status": step.to_status,
    }
