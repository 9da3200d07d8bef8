"""The one clock: real, frozen, offset or scaled. Its state is a row, so that every worker agrees.

Instants are integer microseconds since 1970 in UTC.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

import peewee as pw

from sessionary import store
from sessionary.store import Statement, param

SECOND = 1_000_000
MINUTE = 60 * SECOND
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_RATES = {"real": 1.0, "frozen": 0.0, "offset": 1.0}
_LAST = (datetime(9000, 1, 1, tzinfo=UTC) - _EPOCH) // _MICROSECOND


class BadClock(ValueError):
    """A time or rate that no clock can have; the message says what it may be."""


class Clock(store.Model):
    """One row. At the wall's `wall_at` the namespace showed `namespace_at`, and ran at `rate`
    since."""

    id = pw.IntegerField(primary_key=True)
    mode = pw.TextField()
    namespace_at = pw.BigIntegerField(column_name="world_at")
    wall_at = pw.BigIntegerField()
    rate = pw.FloatField()
    began_at = pw.BigIntegerField()  # the namespace's first instant
    moves = pw.IntegerField()  # how often it was moved back on purpose


class State(NamedTuple):
    """The clock's row."""

    mode: str
    namespace_at: int
    wall_at: int
    rate: float
    began_at: int
    moves: int

    def at(self, wall_at: int) -> int:
        """What the namespace's time is when the wall's is `wall_at`."""
        if self.mode == "real":
            return wall_at
        return self.namespace_at + int((wall_at - self.wall_at) * self.rate)


COLUMNS = [getattr(Clock, name) for name in State._fields]

# The instant by which the running code has judged last.
seen: ContextVar[int | None] = ContextVar("sessionary_seen", default=None)

_state = Statement(State._make, lambda: Clock.select(*COLUMNS))
_save = Statement(
    tuple,
    lambda: Clock.update(
        {name: param(name) for name in ("mode", "namespace_at", "wall_at", "rate", "moves")}
    ),
)
_restart = Statement(
    tuple,
    lambda: Clock.update(namespace_at=param("at"), wall_at=param("at"), began_at=param("at")),
)


def wall() -> int:
    """The instant outside. The only reader of the wall clock."""
    passed = datetime.now(UTC) - _EPOCH  # noqa: TID251 - here and nowhere else
    return (passed.days * 86_400 + passed.seconds) * SECOND + passed.microseconds


def start() -> None:
    """Write the first row of a new namespace: a real clock."""
    began_at = wall()
    Clock.create(
        id=1,
        mode="real",
        namespace_at=began_at,
        wall_at=began_at,
        rate=1.0,
        began_at=began_at,
        moves=0,
    )


def state() -> State:
    """The active namespace's clock."""
    found = _state.one()
    assert found is not None  # noqa: S101 - every namespace is made with its clock
    return found


def restart() -> None:
    """Begin a namespace that was copied from a template: its clock goes on from here, as it was
    set."""
    _restart.run(at=wall())


def now() -> int:
    """The instant in the active namespace."""
    return state().at(wall())


@contextmanager
def writing() -> Iterator[int]:
    """A transaction and its one instant, read inside it: no earlier writer can have a later one."""
    with store.transaction():
        at = now()
        store.undo_log.begin_entry(at)
        seen.set(at)
        yield at


def put(mode: str, at: int | None = None, rate: float | None = None) -> int:
    """Set the clock; it goes on from `at`, or from the instant it shows. Returns that instant.

    `rate` is for `scaled` alone: namespace seconds in a second of the wall. Raises BadClock.
    """
    rate = _rate(mode, rate)
    with store.transaction():
        before, outside = state(), wall()
        shown = before.at(outside)
        if mode == "real":
            at = outside
        elif at is None:
            at = shown
        if not 0 <= at < _LAST:
            raise BadClock("a clock shows an instant between the years 1970 and 9000")
        moves = before.moves + (at < shown)
        _save.run(mode=mode, namespace_at=at, wall_at=outside, rate=rate, moves=moves)
        return at


def advance(by: int) -> int:
    """Move the clock by `by` microseconds, back if negative. Returns the instant it then shows."""
    with store.transaction():
        return move(now() + by)


def move(at: int) -> int:
    """Show this instant and go on as before; a real clock becomes offset. Raises BadClock."""
    with store.transaction():
        before = state()
        mode = "offset" if before.mode == "real" else before.mode
        return put(mode, at, before.rate if mode == "scaled" else None)


def _rate(mode: str, rate: float | None) -> float:
    if mode == "scaled":
        if rate is None or not 0 < rate <= 1_000_000:
            raise BadClock("a scaled clock needs a rate above 0 and up to 1000000")
        return float(rate)
    if mode not in _RATES:
        raise BadClock(f"a clock is real, frozen, offset or scaled, not {mode!r}")
    if rate is not None:
        raise BadClock(f"only a scaled clock has a rate, a {mode} one has none")
    return _RATES[mode]
