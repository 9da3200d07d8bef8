"""The clock of a namespace: real, frozen, offset or scaled. Its state is a row.

So every worker agrees on it. Instants are integer microseconds since 1970 in UTC.
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
MAXIMUM_AT = (datetime(9000, 1, 1, tzinfo=UTC) - _EPOCH) // _MICROSECOND
_MAXIMUM_RATE = 1_000_000
# Whether a row, of a file from outside, is one that a clock can have.
VALID_SQL = (
    "mode IN ('real', 'frozen', 'offset', 'scaled') "
    f"AND rate BETWEEN 0 AND {_MAXIMUM_RATE} AND world_at BETWEEN 0 AND {MAXIMUM_AT} "
    f"AND wall_at BETWEEN 0 AND {MAXIMUM_AT} AND began_at BETWEEN 0 AND {MAXIMUM_AT}"
)


class BadClock(ValueError):
    """An instant, mode or rate that a clock cannot have; the message says what is allowed."""


class Clock(store.Model):
    """One row: at wall time `wall_at` it showed `namespace_at`, and has run at `rate` since."""

    id = pw.IntegerField(primary_key=True)
    mode = pw.TextField()
    namespace_at = pw.BigIntegerField(column_name="world_at")
    wall_at = pw.BigIntegerField()
    rate = pw.FloatField()
    began_at = pw.BigIntegerField()  # the first instant of the namespace
    moves = pw.IntegerField()  # how often it was moved back on purpose


class State(NamedTuple):
    """The row of the clock."""

    mode: str
    namespace_at: int
    wall_at: int
    rate: float
    began_at: int
    moves: int

    def at(self, wall_at: int) -> int:
        """Return the time of the namespace at this wall time."""
        if self.mode == "real":
            return wall_at
        return self.namespace_at + int((wall_at - self.wall_at) * self.rate)


COLUMNS = [getattr(Clock, name) for name in State._fields]

# The instant that the running request was last answered for.
last_read_at: ContextVar[int | None] = ContextVar("sessionary_last_read_at", default=None)

_held_at: ContextVar[int | None] = ContextVar("sessionary_held_at", default=None)
_state = Statement(State._make, lambda: Clock.select(*COLUMNS))
_MOVABLE = ("mode", "namespace_at", "wall_at", "rate", "moves")
_save = Statement(tuple, lambda: Clock.update({name: param(name) for name in _MOVABLE}))
_restart = Statement(
    tuple, lambda: Clock.update(namespace_at=param("at"), wall_at=param("at"), began_at=param("at"))
)
_begin = Statement(tuple, lambda: Clock.update(began_at=param("at"), moves=0))


def wall() -> int:
    """Return the wall time. Nothing else in the program reads it."""
    held_at = _held_at.get()
    if held_at is not None:
        return held_at
    # freezegun adds its tz_offset in `now` and takes it off in `timestamp`; near a thread's start
    # its `time.time` is the real one.
    return round(datetime.now().timestamp() * SECOND)  # noqa: DTZ005, TID251 - the one reader


@contextmanager
def held() -> Iterator[None]:
    """Stop the wall time in the block, so that all that happens in it has one instant."""
    token = _held_at.set(wall())
    try:
        yield
    finally:
        _held_at.reset(token)


def start() -> None:
    """Insert the row of a new namespace: a real clock."""
    at = wall()
    Clock.create(id=1, mode="real", namespace_at=at, wall_at=at, rate=1.0, began_at=at, moves=0)


def state() -> State:
    """Return the clock of the active namespace."""
    found = _state.one()
    assert found is not None  # noqa: S101 - `start` has inserted it
    return found


def restart(at: int | None = None) -> None:
    """Begin a namespace made from a template: now, or frozen at an instant. Raises BadClock."""
    if at is not None:
        set_mode("frozen", at)
        _begin.run(at=at)
    else:
        _restart.run(at=wall())


def now() -> int:
    """Return the time of the active namespace."""
    return state().at(wall())


@contextmanager
def transaction() -> Iterator[int]:
    """Run the block in a write transaction; yield its one instant.

    The instant is read inside it, so that an earlier writer cannot have a later one.
    """
    with store.transaction():
        at = now()
        store.undo_log.begin_entry(at)
        last_read_at.set(at)
        yield at


def set_mode(mode: str, at: int | None = None, rate: float | None = None) -> int:
    """Set the clock, to `at` or the instant that it shows; return that instant.

    `rate` is for `scaled` only: namespace seconds per wall second. Raises BadClock.
    """
    rate = _check_rate(mode, rate)
    with store.transaction():
        before, wall_at = state(), wall()
        shown_at = before.at(wall_at)
        if mode == "real":
            at = wall_at
        elif at is None:
            at = shown_at
        if not 0 <= at < MAXIMUM_AT:
            raise BadClock("a clock shows an instant between the years 1970 and 9000")
        moves = before.moves + (at < shown_at)
        if at < shown_at:
            store.undo_log.move_back(at, shown_at)
        _save.run(mode=mode, namespace_at=at, wall_at=wall_at, rate=rate, moves=moves)
        return at


def advance(by: int) -> int:
    """Move the clock by `by` microseconds, back if negative; return the instant it then shows."""
    with store.transaction():
        return set_time(now() + by)


def set_time(at: int) -> int:
    """Set the clock to `at` and keep its mode; a real clock becomes offset. Raises BadClock."""
    with store.transaction():
        before = state()
        mode = "offset" if before.mode == "real" else before.mode
        return set_mode(mode, at, before.rate if mode == "scaled" else None)


def _check_rate(mode: str, rate: float | None) -> float:
    """Return the rate of a mode. Raises BadClock."""
    if mode == "scaled":
        if rate is None or not 0 < rate <= _MAXIMUM_RATE:
            raise BadClock(f"a scaled clock needs a rate above 0 and up to {_MAXIMUM_RATE}")
        return float(rate)
    if mode not in _RATES:
        raise BadClock(f"a clock is real, frozen, offset or scaled, not {mode!r}")
    if rate is not None:
        raise BadClock(f"only a scaled clock has a rate, a {mode} one does not")
    return _RATES[mode]
