"""The calls that made a session what it is at an instant, in the order in which to repeat them.

An id differs when a call is repeated. Where a call names what an earlier answer held, the text has
a mark instead: the name of a variable between two NUL characters.
"""

import re
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from sessionary import store
from sessionary.control.changes import find_changes
from sessionary.control.errors import ApiError
from sessionary.control.journal import models
from sessionary.control.journal.blueprint import parse_json
from sessionary.control.journal.models import CallRow
from sessionary.web.held import READS
from sessionary.web.instants import to_text
from sessionary.web.surface import Surface

MARK = re.compile("\0([a-z_0-9]+)\0")
_SEPARATORS = re.compile("([/?&=])")
_SHORTEST = 6  # characters of an id
_MOST = 1000
_AFTER = "after"
Keys = tuple[str | int, ...]


class Step(NamedTuple):
    """A call to repeat, or a forced status. `saved` are places in its answer, by variable."""

    at: int
    method: str
    path: str
    body: Any
    headers: dict[str, str]
    saved: dict[str, Keys]
    forced: str | None = None


class Story(NamedTuple):
    """A session's steps, and its status at the end of them. `key` is one for a double."""

    surface: str
    key: str
    steps: list[Step]
    at: int
    status: str
    since: str
    rule: str


def make_story(
    surfaces: Sequence[Surface], surface: Surface, session: Any, at: int, *, has_journal: bool
) -> Story:
    """Return what made a session what it is at an instant. Raises ApiError."""
    id = surface.sessions.id(session)
    made = _calls(surface.name, id) if has_journal else []
    if not made or id.lower() not in (value.lower() for value, _ in _leaves(_answer(made[0]))):
        raise ApiError(
            409,
            "no call in the journal opened this session, so no test can repeat it: "
            "it comes from a seed, or from before the journal",
        )
    if made[0].at > at:
        raise ApiError(
            409,
            f"call {made[0].id} opens this session at {to_text(made[0].at)}, after the instant "
            f"{to_text(at)}: ask as of a later one",
        )
    calls = [each for each in made if each.at <= at]
    found = surface.sessions.explain(session, at)
    steps = [*_steps(surface, calls, id), *_forced(surfaces, surface, id, calls[0].at, at)]
    steps.sort(key=lambda step: step.at)
    since = to_text(min(found.since_at, at))
    key = f"{surface.key_prefix}test"
    return Story(surface.name, key, steps, at, found.status, since, found.rule)


def _calls(surface: str, id: str) -> list[CallRow]:
    found = models.find({"surface": surface, "session": id}, after=0, limit=_MOST)
    return [each for each in found if each.method not in READS and _worked(each)]


def _worked(call: CallRow) -> bool:
    """Whether the call changed something: a fault may have hidden that from the client."""
    return call.fault_phase == _AFTER or (call.status or 500) < 400


def _steps(surface: Surface, calls: Sequence[CallRow], id: str) -> Iterator[Step]:
    names = {each["name"].lower() for each in surface.header_parameters}
    variables: dict[str, str] = {}
    for index, call in enumerate(calls):
        path = f"{call.path}?{call.query}" if call.query else call.path
        headers = {
            name: value for name, value in parse_json(call.headers).items() if name.lower() in names
        }
        marked = _mark(path, variables), _mark(_body(call), variables)
        saved = dict(_saved(call, calls[index + 1 :], id, variables))
        yield Step(call.at, call.method, *marked, headers, saved)


def _body(call: CallRow) -> Any:
    if not call.body:
        return None
    body = None if call.body_truncated else parse_json(call.body)
    if not isinstance(body, dict | list):
        raise ApiError(409, f"no test can repeat call {call.id}: its body is not JSON, or too long")
    return body


def _answer(call: CallRow) -> Any:
    return parse_json(call.response or "null")


def _saved(
    call: CallRow, later: Sequence[CallRow], id: str, variables: dict[str, str]
) -> Iterator[tuple[str, Keys]]:
    """Yield the places in an answer of what later calls name, and add those to `variables`."""
    named = {text.lower() for each in later for text in _names(each)} | {id.lower()}
    for value, keys in _leaves(_answer(call)):
        key = value.lower()
        if len(value) >= _SHORTEST and key in named and key not in variables:
            variables[key] = "session" if key == id.lower() else f"id_{len(variables) + 1}"
            yield variables[key], keys


def _names(call: CallRow) -> Iterator[str]:
    yield from _SEPARATORS.split(f"{call.path}?{call.query}")
    for value, _ in _leaves(_body(call)):
        yield value


def _leaves(value: Any, keys: Keys = ()) -> Iterator[tuple[str, Keys]]:
    """Yield the texts in a JSON document, each with its place."""
    if isinstance(value, str):
        yield value, keys
    elif isinstance(value, dict | list):
        for key, each in value.items() if isinstance(value, dict) else enumerate(value):
            yield from _leaves(each, (*keys, key))


def _mark(value: Any, variables: dict[str, str]) -> Any:
    """Replace what is a variable in a path or a JSON document by its mark."""
    if isinstance(value, str):
        texts = _SEPARATORS.split(value)
        return "".join(
            f"\0{variables[text.lower()]}\0" if text.lower() in variables else text
            for text in texts
        )
    if isinstance(value, dict):
        return {key: _mark(each, variables) for key, each in value.items()}
    return [_mark(each, variables) for each in value] if isinstance(value, list) else value


def _forced(
    surfaces: Sequence[Surface], surface: Surface, id: str, after: int, until: int
) -> Iterator[Step]:
    if not store.has_undo_log() or not surface.sessions.forced_states:
        return
    for change in find_changes(surfaces, after - 1, until, until, 10 * _MOST):
        is_mine = (change.surface, change.session) == (surface.name, id)
        if is_mine and change.call and change.call.endswith("/force"):
            yield Step(change.shown_at, "", "", None, {}, {}, change.to_status)
