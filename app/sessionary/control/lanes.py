"""The `/lanes` resource: the statuses of every session over time, past and future in one."""

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby
from math import inf
from operator import itemgetter
from typing import Any, NamedTuple

from marshmallow import fields
from werkzeug.wrappers import Response

from sessionary import clock, store
from sessionary.control.blueprint import make_blueprint
from sessionary.control.errors import ApiError
from sessionary.control.fields import QueryInstant, resolve, response_schema
from sessionary.control.session_filters import Selection, SessionFilters
from sessionary.near_names import unique_beginnings
from sessionary.web.context import read_instant
from sessionary.web.fields import Bounds, QueryBoolean, QueryInteger
from sessionary.web.instants import to_text
from sessionary.web.operations import answer, operation
from sessionary.web.surface import SessionQueries, Surface, Transition

_BEGINNING = -(2**62)  # before all instants
_ALL = -1  # no LIMIT
_CALL = "call"
_at = itemgetter(0)  # of a segment, and the place of a state
State = tuple[int, int, str | None, Any]  # an earlier one, see store.RowStates
routes = make_blueprint("lanes")


class LanesQuery(SessionFilters):
    """A window, filters, the page's size, the `next` of the page before, and how to show ids.

    `short_ids` are beginnings that no other lane of the vendor has: most of a response is ids.
    """

    from_at = QueryInstant(data_key="from", load_default=None)
    until_at = QueryInstant(data_key="to", load_default=None)
    limit = QueryInteger(load_default=1000, validate=Bounds(1, 10_000))
    short_ids = QueryBoolean(load_default=False)


# A lane is [surface, id, title, ended, segments], a segment is [at, status, by]: `at` in
# microseconds since 1970, `by` a rule or "call". Lists are half the size of objects.
LanesResponse = response_schema(
    "LanesResponse",
    text="from to now",
    text_or_null="history_begins_at next",
    boolean="truncated",
    lanes=fields.List(fields.List(fields.Raw()), required=True),
)


class _Window(NamedTuple):
    """The given ends; the first instant from which on all is known; the instant shown; now."""

    from_at: int | None
    until_at: int | None
    begins_at: int
    shown_at: int
    now: int


class _Lane(NamedTuple):
    """A lane, its place for `after`, and whether it began before all that is known."""

    place: str
    value: list[Any]
    is_older: bool


@routes.get("/lanes")
@operation(
    "List the statuses of sessions over time",
    query=LanesQuery(),
    answers={200: LanesResponse()},
    has_instants=True,
)
def list_lanes(query: dict[str, Any]) -> Response:
    at, limit = clock.now(), query["limit"]
    shown_at = read_instant(at)
    query = resolve(query, shown_at)
    from_at, until_at = query["from_at"], query["until_at"]
    if None not in (from_at, until_at) and from_at > until_at:
        raise ApiError(400, "from: must not be after `to`")
    with store.undo_log.reading(None), store.read_transaction():
        history_at = store.undo_log.earliest_at() if store.has_undo_log() else at
        begins_at = max(_BEGINNING if each is None else each for each in (history_at, from_at))
        window = _Window(from_at, until_at, begins_at, shown_at, at)
        found = list(_find(Selection.of(query), window, limit))
    lanes = found[:limit]
    if query["short_ids"]:
        _shorten_ids([lane.value for lane in lanes])
    first_at, last_at = _ends(window, lanes)
    return answer(
        {
            "from": to_text(first_at),
            "to": to_text(last_at),
            "now": to_text(shown_at),
            "history_begins_at": None if history_at is None else to_text(history_at),
            "lanes": [lane.value for lane in lanes],
            "next": lanes[-1].place if len(found) > limit else None,
            "truncated": len(found) > limit,
        }
    )


def _ends(window: _Window, lanes: list[_Lane]) -> tuple[int, int]:
    """Return the ends of the window: as given, else the first and the last change of the lanes."""
    segments = [lane.value[4] for lane in lanes]
    from_at, until_at = window.from_at, window.until_at
    if from_at is None:
        from_at = min((each[0][0] for each in segments), default=window.now)
        from_at = from_at if until_at is None else min(from_at, until_at)
        for lane in lanes:
            if lane.is_older:
                first = lane.value[4][0]
                first[0] = min(first[0], from_at)
    if until_at is None:
        until_at = max((each[-1][0] for each in segments), default=window.now)
        until_at = max(until_at, window.now, from_at)
    return from_at, until_at


def _shorten_ids(lanes: Sequence[list[Any]]) -> None:
    for _, group in groupby(lanes, itemgetter(0)):
        mine = list(group)
        short = unique_beginnings(lane[1] for lane in mine)
        for lane in mine:
            lane[1] = short[lane[1]]


def _find(selection: Selection, window: _Window, limit: int) -> Iterator[_Lane]:
    """Yield the matching lanes, one more than the limit."""
    place, count = selection.place, 0
    is_all = selection.is_all and (window.until_at is None or window.until_at >= window.now)
    for surface in selection.surfaces:
        size = limit + 1 - count if is_all else _ALL
        for lane in _of_surface(surface, selection, window, place, size):
            yield lane
            count += 1
            if count > limit:
                return
        place = 0


def _of_surface(
    surface: Surface, selection: Selection, window: _Window, place: int, limit: int
) -> Iterator[_Lane]:
    sessions = surface.sessions
    if sessions.lanes is None:
        return
    begins_at = min(window.begins_at, window.shown_at)
    rows = sessions.lanes.now.rows(place=place, limit=limit)
    states: Iterable[State] = ()
    if store.has_undo_log():
        states = sessions.lanes.earlier.rows(place=place, after=begins_at)
    states_of = _Groups(states)
    for row_place, title, row in rows:
        id, earlier = sessions.id(row), states_of.pop(row_place)
        segments = _segments(sessions, row, earlier, begins_at, window.now)
        begun_count = bisect_right(segments, window.shown_at, key=_at)
        status = segments[begun_count - 1][1] if begun_count else None
        titles = (each[2] for each in earlier if each[1] > window.shown_at and each[2])
        named = next(titles, title) or ""
        segments = _within(segments, window)
        if segments and selection.matches(surface, id, named, status):
            ended = status is not None and not sessions.is_open_status(status)
            lane = [surface.name, id, named, ended, segments]
            is_older = not earlier or earlier[0][3] is not None
            yield _Lane(f"{surface.name}:{row_place}", lane, is_older)


class _Groups:
    """Earlier states by their places, which `pop` gets in order."""

    def __init__(self, states: Iterable[State]) -> None:
        self._groups = groupby(states, _at)
        self._next()

    def pop(self, place: int) -> Sequence[State]:
        while self._place < place:
            self._next()
        return list(self._group) if self._place == place else ()

    def _next(self) -> None:
        self._place: float
        self._group: Iterator[State]
        self._place, self._group = next(self._groups, (inf, iter(())))


def _segments(
    rules: SessionQueries, row: Any, earlier: Sequence[State], begins_at: int, now: int
) -> list[list[Any]]:
    """Return the segments of a session from an instant on; the first may begin before it.

    A state that ends after `now` ends now: an instant from now on shows the row as it is.
    """
    states: list[tuple[int, float, Any]] = []
    last_end = begins_at
    for _, at, _, before in earlier:
        end = min(at, now)
        if end > last_end:
            states.append((last_end, end, before))
            last_end = end
    states.append((last_end, inf, row))
    found: list[list[Any]] = []
    last = None
    for begin, until, each in states:
        if each is None:
            continue
        transitions = [one for one in rules.transitions(each) if one.part is None]
        status = rules.status(each, begin)
        if begin == begins_at:
            found.append(_first(rules, each, transitions, begin, status))
        elif status != last:
            found.append([begin, status, _CALL])
        last = status
        for one in transitions:
            if begin < one.at < until and one.to_status != last:
                last = one.to_status
                found.append([one.at, last, one.rule])
    return found


def _first(
    rules: SessionQueries, row: Any, transitions: Sequence[Transition], at: int, status: str
) -> list[Any]:
    """Return the segment of the status at an instant, with its real beginning, and its cause."""
    passed = [each for each in transitions if each.at <= at]
    begun_at, by = (passed[-1].at, passed[-1].rule) if passed else (rules.began_at(row), _CALL)
    return [begun_at if at == _BEGINNING else min(begun_at, at), status, by]


def _within(segments: list[list[Any]], window: _Window) -> list[list[Any]]:
    """Return the segments from the one at the beginning of the window to its end."""
    first = max(0, bisect_right(segments, window.begins_at, key=_at) - 1)
    until_at = inf if window.until_at is None else window.until_at
    return segments[first : bisect_right(segments, until_at, key=_at)]
