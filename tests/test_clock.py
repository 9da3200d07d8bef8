from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from freezegun import freeze_time
from hypothesis import given
from hypothesis import strategies as st

from sessionary import clock, store
from sessionary.clock import BadClock, Clock, State

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
SECOND = 1_000_000


def instant(moment: datetime) -> int:
    return (moment - EPOCH) // timedelta(microseconds=1)


@pytest.fixture(autouse=True)
def _in_a_namespace() -> Iterator[None]:
    namespace = store.open_namespace(":memory:", durability="off")
    with namespace.activate():
        store.migrate(store.Schema((Clock,), clock.start))
        yield
    namespace.close()


def test_a_real_clock_follows_wall_time_to_the_microsecond() -> None:
    with freeze_time("2026-03-01T12:00:00.123456Z") as frozen:
        assert clock.now() == instant(NOON) + 123_456
        assert clock.state().mode == "real"
        frozen.tick(timedelta(minutes=5))
        assert clock.now() == instant(NOON + timedelta(minutes=5)) + 123_456


def test_a_frozen_clock_stands_still_at_any_instant_while_wall_time_moves() -> None:
    with freeze_time(NOON) as wall:
        for at, now in ((None, instant(NOON)), (7, 7)):
            clock.set_mode("frozen", at)
            wall.tick(timedelta(days=3))
            assert clock.now() == now
            clock.set_mode("real")
            assert clock.now() == instant(NOON + timedelta(days=3 if at is None else 6))


def test_an_offset_clock_keeps_its_distance_to_wall_time() -> None:
    with freeze_time(NOON) as wall:
        clock.set_mode("offset", instant(NOON + timedelta(days=1)))
        wall.tick(timedelta(hours=2, microseconds=1))
        assert clock.now() == instant(NOON + timedelta(days=1, hours=2, microseconds=1))


def test_a_scaled_clock_runs_at_its_rate_and_continues_when_that_changes() -> None:
    with freeze_time(NOON) as wall:
        for rate, seconds in ((40, 120), (2, 126)):
            clock.set_mode("scaled", rate=rate)
            wall.tick(timedelta(seconds=3))
            assert clock.now() == instant(NOON + timedelta(seconds=seconds))


@given(
    rate=st.floats(0.001, 1_000_000), steps=st.lists(st.integers(0, 10**9), min_size=1, max_size=20)
)
def test_a_clock_does_not_run_backwards_by_itself(rate: float, steps: list[int]) -> None:
    state = State("scaled", 0, 0, rate, 0, 0)
    wall, shown = 0, state.at(0)
    for step in steps:
        wall += step
        assert state.at(wall) >= shown
        shown = state.at(wall)


@pytest.mark.parametrize("mode", ["frozen", "offset", "scaled"])
def test_advancing_moves_a_clock_and_keeps_its_mode(mode: str) -> None:
    with freeze_time(NOON):
        clock.set_mode(mode, instant(NOON), rate=10 if mode == "scaled" else None)
        assert clock.advance(90 * SECOND) == instant(NOON + timedelta(seconds=90))
        assert clock.now() == instant(NOON + timedelta(seconds=90))
        assert clock.state().mode == mode


def test_advancing_a_real_clock_makes_it_an_offset_one() -> None:
    with freeze_time(NOON):
        clock.advance(SECOND)
        assert clock.state().mode == "offset"
        assert clock.now() == instant(NOON) + SECOND


def test_a_clock_counts_how_often_it_is_moved_back() -> None:
    clock.set_mode("frozen", 10 * SECOND)
    before = clock.state().moves
    clock.advance(-SECOND)
    clock.advance(SECOND)
    assert clock.now() == 10 * SECOND
    assert clock.state().moves == before + 1


def test_the_instant_of_a_write_is_read_inside_its_transaction() -> None:
    with freeze_time(NOON), clock.transaction() as at:
        assert at == instant(NOON)
        assert Clock._meta.database.connection().in_transaction


def test_the_first_instant_of_a_namespace_stays() -> None:
    began_at = clock.state().began_at
    clock.set_mode("frozen", 5)
    assert clock.state().began_at == began_at


@pytest.mark.parametrize(
    ("mode", "at", "rate"),
    [
        ("fast", None, None),
        ("frozen", -1, None),
        ("frozen", 2**62, None),
        ("scaled", None, None),
        ("scaled", None, 0),
        ("scaled", None, -1),
        ("scaled", None, float("nan")),
        ("scaled", None, float("inf")),
        ("frozen", None, 2.0),
        ("real", None, 2.0),
    ],
)
def test_an_invalid_clock_changes_nothing(mode: str, at: int | None, rate: float | None) -> None:
    before = clock.state()
    with pytest.raises(BadClock):
        clock.set_mode(mode, at, rate)
    assert clock.state() == before


def test_a_clock_cannot_be_advanced_beyond_the_year_9000() -> None:
    clock.set_mode("frozen", 5)
    with pytest.raises(BadClock):
        clock.advance(-6)
    assert clock.now() == 5
