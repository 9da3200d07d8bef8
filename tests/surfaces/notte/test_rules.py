from collections.abc import Callable
from dataclasses import dataclass

import pytest

from sessionary.surfaces.notte import rules
from sessionary.surfaces.notte.errors import SessionError
from sessionary.surfaces.notte.models import SessionRow

MINUTE = 60_000_000
START = 1_000 * MINUTE


def ended_at(row: SessionRow, now: int) -> int | None:
    end = rules.end(row, now)
    return None if end is None else end.at


def close_reason(row: SessionRow, now: int) -> str | None:
    end = rules.end(row, now)
    return None if end is None else end.reason


def duration(row: SessionRow, now: int) -> int:
    return rules.duration(row, ended_at(row, now) or now)


def session(**facts: object) -> SessionRow:
    row = SessionRow(
        id="s",
        organization="o",
        created_at=START,
        last_accessed_at=START,
        timeout_minutes=5,
        status_since_at=START,
    )._replace(**facts)
    return row._replace(expires_at=rules.deadline(row, row.last_accessed_at))


IDLE_DEADLINE = START + 5 * MINUTE


@dataclass
class Case:
    name: str
    row: SessionRow
    deadline: int
    reason: str


CASES = [
    Case("idle timeout", session(), IDLE_DEADLINE, "idle_timeout"),
    Case(
        "idle timeout counts from the last access",
        session(last_accessed_at=START + 7 * MINUTE),
        START + 12 * MINUTE,
        "idle_timeout",
    ),
    Case(
        "maximum duration counts from the start",
        session(last_accessed_at=START + 7 * MINUTE, max_duration_minutes=10),
        START + 10 * MINUTE,
        "max_duration",
    ),
    Case(
        "maximum duration ends what outlives the idle timeout",
        session(outlives_timeout=1, max_duration_minutes=15),
        START + 15 * MINUTE,
        "max_duration",
    ),
]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_session_is_active_up_to_its_deadline_where_it_ends_for_good(
    case: Case,
) -> None:
    row, deadline = case.row, case.deadline
    for now in (deadline - 1, deadline):
        assert (rules.status(row, now), ended_at(row, now)) == ("active", None)
        assert close_reason(row, now) is None
    for now in (deadline + 1, deadline + 1_000 * MINUTE):
        assert (rules.status(row, now), ended_at(row, now)) == ("timed_out", deadline)
        assert close_reason(row, now) == case.reason
        assert duration(row, now) == deadline - START
    (found,) = rules.transitions(row)
    assert (found.at, found.deadline, found.rule) == (deadline + 1, deadline, case.reason)
    assert (found.from_status, found.to_status) == ("active", "timed_out")


def test_a_session_without_deadlines_has_no_transition() -> None:
    row = session(outlives_timeout=1)
    assert rules.transitions(row) == []
    assert rules.status(row, START + 10**9 * MINUTE) == "active"


def test_two_deadlines_at_once_count_as_the_idle_timeout() -> None:
    (transition,) = rules.transitions(session(max_duration_minutes=5))
    assert transition.rule == "idle_timeout"


def test_an_access_moves_the_idle_deadline_but_not_the_maximum() -> None:
    row = session(max_duration_minutes=8)
    assert rules.deadline(row, START + 2 * MINUTE) == START + 7 * MINUTE
    assert rules.deadline(row, START + 4 * MINUTE) == START + 8 * MINUTE


@pytest.mark.parametrize(
    ("stored", "shown"), [("manual", "manual"), ("error", "error"), (rules.BY_OPERATION, "unknown")]
)
def test_a_closed_session_shows_its_reason_or_unknown(stored: str, shown: str) -> None:
    row = session(ended_at=START, ended_as="closed", close_reason=stored)
    assert close_reason(row, START) == shown


@pytest.mark.parametrize("ended_as", ["closed", "error"])
def test_an_ended_session_has_the_same_status_at_every_instant(ended_as: str) -> None:
    row = session(ended_at=START + MINUTE, ended_as=ended_as, close_reason="manual")
    for instant in (START, START + MINUTE, IDLE_DEADLINE, IDLE_DEADLINE + 1):
        assert rules.status(row, instant) == ended_as
        assert duration(row, instant) == MINUTE
    assert rules.transitions(row) == []


def test_a_duration_is_never_below_zero() -> None:
    assert duration(session(), START - MINUTE) == 0


@pytest.mark.parametrize(
    ("row", "now", "why"),
    [
        (session(), IDLE_DEADLINE + 1, "idle for more than 5 minutes"),
        (session(max_duration_minutes=3), START + 4 * MINUTE, "maximum of 3 minutes"),
        (session(ended_at=START, ended_as="closed", close_reason="manual"), START, "is closed"),
        (
            session(ended_at=START, ended_as="closed", close_reason=rules.BY_OPERATION),
            START,
            "keep_alive=false",
        ),
        (session(ended_at=START, ended_as="error", error="crashed"), START, "crashed"),
    ],
)
def test_an_operation_on_an_ended_session_is_refused_with_the_reason(
    row: SessionRow, now: int, why: str
) -> None:
    with pytest.raises(SessionError, match=why):
        rules.ensure_can_operate(row, now)


@pytest.mark.parametrize("check", [rules.ensure_can_operate, rules.ensure_can_stop])
def test_a_session_is_usable_up_to_its_deadline(check: Callable[[SessionRow, int], None]) -> None:
    check(session(), IDLE_DEADLINE)


def test_a_stop_of_an_ended_session_says_already_closed() -> None:
    with pytest.raises(SessionError, match="already closed"):
        rules.ensure_can_stop(session(), IDLE_DEADLINE + 1)


@pytest.mark.parametrize(
    ("keep_alive", "mode", "outlives", "closes"),
    [
        (False, "operation", False, True),
        (True, "operation", False, False),
        (False, "timeout", False, False),
        (True, "timeout", True, False),
    ],
)
def test_keep_alive_outlives_the_timeout_or_an_operation_by_the_setting(
    keep_alive: bool, mode: str, outlives: bool, closes: bool
) -> None:
    assert rules.outlives_timeout(keep_alive, mode) is outlives
    assert rules.closes_after_operation(keep_alive, mode) is closes
