"""Differences between a recorded response and the double's, which has other ids and instants."""

import re
from collections.abc import Iterator, Mapping
from datetime import timedelta
from typing import Any, NamedTuple

from sessionary.web.instants import BadInstant, parse

SHAPE, VALUES, TIME = "shape", "values", "time"
MISSING: Any = object()
_SECOND = 1_000_000
TOLERANCE = 2 * _SECOND  # between an instant in the recording and in the double
_ID_NAME = re.compile(r"id|.*(_id|Id|ID)")
_ID_VALUE = re.compile(r"(?=.*[0-9])[A-Za-z0-9_.-]{16,}")
_DURATION = re.compile(r"P(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+(?:\.\d+)?)S)?)?")
_MIN_EMBEDDED = 8  # characters of an id that is looked for inside other text


class Difference(NamedTuple):
    """Where two responses differ, and the check that this fails."""

    check: str
    pointer: str
    recorded: Any
    double: Any


class Ids:
    """The ids of a recording, and those that the double gave instead."""

    def __init__(self) -> None:
        self.of_recorded: dict[str, str] = {}

    def learn(self, recorded: str, double: str) -> None:
        """Remember an id, unless it is known."""
        self.of_recorded.setdefault(recorded, double)

    def translate(self, value: Any) -> Any:
        """Replace the ids of the recording in JSON or text by the double's."""
        if isinstance(value, dict):
            return {name: self.translate(each) for name, each in value.items()}
        if isinstance(value, list):
            return [self.translate(each) for each in value]
        if not isinstance(value, str):
            return value
        if value in self.of_recorded:
            return self.of_recorded[value]
        for recorded, double in self.of_recorded.items():
            if len(recorded) >= _MIN_EMBEDDED and recorded in value:
                value = value.replace(recorded, double)
        return value


class Comparison:
    """Compares responses one after another; learns ids, and how objects change with time."""

    def __init__(self, session_key: str, ids: Ids) -> None:
        self._id_names = (session_key, "id")
        self._ids = ids
        self._earlier: dict[str, dict[str, tuple[Any, Any]]] = {}  # by the double's id, by field
        self.has_changes = False  # whether the last response showed an object again
        self._tolerance = TOLERANCE

    def compare(self, recorded: Any, double: Any, took: int) -> list[Difference]:
        """Return all differences; `took` is added to the tolerance of instants."""
        self.has_changes, self._tolerance = False, TOLERANCE + took
        return list(self._values("", "", recorded, double))

    def _values(self, name: str, pointer: str, recorded: Any, double: Any) -> Iterator[Difference]:
        if isinstance(recorded, dict) and isinstance(double, dict):
            yield from self._objects(pointer, recorded, double)
        elif isinstance(recorded, list) and isinstance(double, list):
            yield from self._lists(pointer, recorded, double)
        elif _kind(recorded) != _kind(double) and None not in (recorded, double):
            yield Difference(SHAPE, pointer, recorded, double)
        elif not self._are_equal(name, recorded, double):
            yield Difference(VALUES, pointer, recorded, double)

    def _objects(
        self, pointer: str, recorded: Mapping[str, Any], double: Mapping[str, Any]
    ) -> Iterator[Difference]:
        for name in {**recorded, **double}:
            place = f"{pointer}/{name}"
            if name in recorded and name in double:
                yield from self._values(name, place, recorded[name], double[name])
            else:
                found = recorded.get(name, MISSING), double.get(name, MISSING)
                yield Difference(SHAPE, place, *found)
        own = next((double[name] for name in self._id_names if name in double), None)
        if isinstance(own, str):
            yield from self._changes(pointer, own, recorded, double)

    def _changes(
        self, pointer: str, own: str, recorded: Mapping[str, Any], double: Mapping[str, Any]
    ) -> Iterator[Difference]:
        """Compare how an object has changed since an earlier response."""
        earlier = self._earlier.setdefault(own, {})
        self.has_changes |= bool(earlier)
        for name in recorded.keys() & double.keys():
            now = recorded[name], double[name]
            if isinstance(now[0], dict | list) or isinstance(now[1], dict | list):
                continue
            before = earlier.get(name)
            earlier[name] = now
            if before is None:
                continue
            if not self._have_changed_alike(before, now):
                changes = [f"{a!r} to {b!r}" for a, b in zip(before, now, strict=True)]
                yield Difference(TIME, f"{pointer}/{name}", *changes)

    def _have_changed_alike(self, before: tuple[Any, Any], now: tuple[Any, Any]) -> bool:
        """Whether a value has changed in both or neither; instants and durations by as much."""
        for measure in (_instant, _duration):
            a, b, c, d = map(measure, (*before, *now))
            if a is not None and b is not None and c is not None and d is not None:
                return abs((c - a) - (d - b)) <= self._tolerance
        return bool((before[0] == now[0]) == (before[1] == now[1]))

    def _lists(self, pointer: str, recorded: list[Any], double: list[Any]) -> Iterator[Difference]:
        """Compare lists; objects are matched by ids, those from before the recording left out."""
        places = {self._id_of(each): index for index, each in enumerate(double)}
        if recorded and all(self._id_of(each) is not None for each in (*recorded, *double)):
            known = [each for each in recorded if self._ids.translate(self._id_of(each)) in places]
            order = [places[self._ids.translate(self._id_of(each))] for each in known]
            if order != sorted(order) or len(order) < len(double):
                ids = [self._ids.translate(self._id_of(each)) for each in known]
                yield Difference(VALUES, pointer, ids, list(places))
            pairs = [(each, double[index]) for each, index in zip(known, order, strict=True)]
        else:
            pairs = list(zip(recorded, double, strict=False))
            if len(recorded) != len(double):
                sizes = f"{len(recorded)} items", f"{len(double)} items"
                yield Difference(VALUES, pointer, *sizes)
        for index, (one, other) in enumerate(pairs):
            yield from self._values("", f"{pointer}/{index}", one, other)

    def _id_of(self, item: Any) -> str | None:
        if not isinstance(item, dict):
            return None
        ids = (item.get(name) for name in self._id_names)
        return next((id for id in ids if isinstance(id, str)), None)

    def _are_equal(self, name: str, recorded: Any, double: Any) -> bool:
        is_text = isinstance(recorded, str) and isinstance(double, str)
        is_id = is_text and (_ID_NAME.fullmatch(name) is not None or _are_ids(recorded, double))
        if is_id:
            self._ids.learn(recorded, double)
        return self._is_near(self._ids.translate(recorded), double)

    def _is_near(self, one: Any, other: Any) -> bool:
        """Whether two values are equal, or instants or durations within the tolerance."""
        if one == other:
            return isinstance(one, bool) == isinstance(other, bool)
        for measure in (_instant, _duration):
            a, b = measure(one), measure(other)
            if a is not None and b is not None:
                return abs(a - b) <= self._tolerance
        return False


def _kind(value: Any) -> str:
    return "number" if type(value) in (int, float) else type(value).__name__


def _are_ids(one: str, other: str) -> bool:
    """Whether two values look like generated ids or keys."""
    return bool(_ID_VALUE.fullmatch(one) and _ID_VALUE.fullmatch(other))


def _instant(value: Any) -> int | None:
    try:
        return parse(value, assume_utc=True) // 1000 if isinstance(value, str) else None
    except BadInstant:
        return None


def _duration(value: Any) -> int | None:
    """Return the microseconds of an ISO 8601 duration; None for another value."""
    match = _DURATION.fullmatch(value) if isinstance(value, str) else None
    if match is None:
        return None
    days, hours, minutes, seconds = (float(each or 0) for each in match.groups())
    passed = timedelta(days=days, hours=hours, minutes=minutes, seconds=seconds)
    return passed // timedelta(microseconds=1)
