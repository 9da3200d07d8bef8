from dataclasses import dataclass

import pytest

from sessionary.surfaces.mobilenext import rules
from sessionary.surfaces.mobilenext.errors import DeviceNotAllocated, MobileNextError, NotFound
from sessionary.surfaces.mobilenext.models import AllocationRow, MarkRow, SessionRow
from tests.surfaces.mobilenext.api_client import MINUTE, SECOND
from tests.surfaces.mobilenext.strategies import shown

START = 1_000 * MINUTE


def session(**facts: object) -> SessionRow:
    return SessionRow(
        id="s",
        organization="o",
        user="u",
        opened_at=START,
        empty_expires_at=START + 15 * MINUTE,
        status_since_at=START,
        created_at=START,
        expires_at=None,
        released_at=None,
    )._replace(**facts)


def allocation(**facts: object) -> AllocationRow:
    return AllocationRow(
        id="a0000000-0000-4000-8000-000000000001",
        session="s",
        serial="Serial-1",
        platform="android",
        type="real",
        name="Pixel 9",
        version="16",
        created_at=START,
        in_use_at=None,
        expires_at=None,
        released_at=None,
    )._replace(**facts)


EMPTY = session(created_at=None)
LEASED = session(expires_at=START + 30 * MINUTE)


@dataclass
class Case:
    name: str
    row: SessionRow | AllocationRow
    at: int
    from_status: str
    to_status: str

    def status(self, now: int) -> str:
        if isinstance(self.row, SessionRow):
            return rules.session_status(self.row, now)
        return rules.allocation_status(self.row, now)


CASES = [
    Case("an empty session expires", EMPTY, START + 15 * MINUTE, "empty", "expired"),
    Case("a leased session is released", LEASED, START + 30 * MINUTE, "active", "released"),
    Case(
        "a provisioning device is in use when its time has passed",
        allocation(in_use_at=START + 20 * SECOND),
        START + 20 * SECOND,
        "provisioning",
        "in_use",
    ),
    Case(
        "a lease ends the use of a device",
        allocation(expires_at=START + MINUTE),
        START + MINUTE,
        "in_use",
        "released",
    ),
    Case(
        "a lease may end before the device is ready",
        allocation(in_use_at=START + MINUTE, expires_at=START + MINUTE),
        START + MINUTE,
        "provisioning",
        "released",
    ),
]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_the_deadline_is_the_first_instant_of_the_new_state_and_a_transition(case: Case) -> None:
    assert case.status(case.at - 1) == case.from_status
    for now in (case.at, case.at + 1, case.at + 10**6 * MINUTE):
        assert case.status(now) == case.to_status
    is_session = isinstance(case.row, SessionRow)
    found = (rules.transitions if is_session else rules.allocation_transitions)(case.row)
    assert [(each.at, each.deadline, each.from_status, each.to_status) for each in found] == [
        (case.at, case.at, case.from_status, case.to_status)
    ]


def test_transitions_of_a_session_include_its_allocations_in_order() -> None:
    end = START + MINUTE
    part = allocation(in_use_at=START + 20 * SECOND, expires_at=end)
    found = rules.transitions(session(expires_at=end), [part])
    assert [(transition.rule, transition.part) for transition in found] == [
        ("provisioning", part.id),
        ("lease", part.id),
        ("lease", None),
    ]
    assert [transition.at for transition in found] == sorted(transition.at for transition in found)


@pytest.mark.parametrize(
    "row", [session(), session(released_at=START + 1), LEASED._replace(released_at=START + 1)]
)
def test_a_session_without_lease_or_released_by_a_call_has_no_transitions(row: SessionRow) -> None:
    assert rules.transitions(row) == []


def test_a_release_by_a_call_holds_at_any_instant() -> None:
    ended = START + 5 * MINUTE
    part = allocation(released_at=ended, in_use_at=START + MINUTE, expires_at=START + 9 * MINUTE)
    whole = LEASED._replace(released_at=ended)
    for now in (START - MINUTE, START, ended, START + 99 * MINUTE):
        assert rules.allocation_status(part, now) == "released"
        assert rules.session_status(whole, now) == "released"
        assert rules.released_at(part, now) == rules.released_at(whole, now) == ended


@pytest.mark.parametrize("row", [LEASED, allocation(expires_at=START + 30 * MINUTE)])
def test_released_at_is_null_before_the_end_of_the_lease_and_its_deadline_from_then_on(
    row: SessionRow | AllocationRow,
) -> None:
    deadline = START + 30 * MINUTE
    assert rules.released_at(row, deadline - 1) is None
    assert rules.is_open(row, deadline - 1)
    for now in (deadline, deadline + 1, deadline + 10**6 * MINUTE):
        assert rules.released_at(row, now) == deadline
        assert not rules.is_open(row, now)


def test_a_ready_device_is_in_use_at_any_instant_even_before_its_created_at() -> None:
    for now in (START - MINUTE, START, START + 10**6 * MINUTE):
        assert rules.allocation_status(allocation(), now) == "in_use"


def test_an_empty_session_exists_until_its_deadline() -> None:
    assert rules.ensure_exists(EMPTY, EMPTY.empty_expires_at - 1, "s") is EMPTY
    for now in (EMPTY.empty_expires_at, EMPTY.empty_expires_at + 1):
        with pytest.raises(NotFound, match="S-1 not found"):
            rules.ensure_exists(EMPTY, now, "S-1")
    with pytest.raises(NotFound, match="S-1 not found"):
        rules.ensure_exists(None, START, "S-1")


def test_a_session_with_a_device_does_not_expire() -> None:
    row = session()
    assert rules.ensure_exists(row, row.empty_expires_at + 1, "s") is row


def test_an_empty_session_is_not_found_by_id() -> None:
    with pytest.raises(NotFound):
        rules.ensure_listed(shown(EMPTY, []), "s")
    rules.ensure_listed(shown(session(), [allocation()]), "s")


def test_a_session_takes_further_devices_until_its_lease_has_ended() -> None:
    rules.ensure_can_allocate(EMPTY, START)
    rules.ensure_can_allocate(session(released_at=START), START + 10**6 * MINUTE)
    for row in (LEASED, LEASED._replace(released_at=START)):
        rules.ensure_can_allocate(row, START + 30 * MINUTE - 1)
        with pytest.raises(MobileNextError, match="has ended: start another"):
            rules.ensure_can_allocate(row, START + 30 * MINUTE)


@pytest.mark.parametrize(
    ("held", "since_at"),
    [
        ([(0, None)], 0),
        ([(0, 5), (5, None)], 0),
        ([(0, 5), (6, None)], 6),
        ([(0, 9), (6, 7), (9, None)], 0),
        ([(0, 2), (6, None), (4, 6)], 4),
    ],
)
def test_a_session_is_active_since_it_has_held_devices_without_a_gap(
    held: list[tuple[int, int | None]], since_at: int
) -> None:
    given = [allocation(created_at=began, released_at=ended) for began, ended in held]
    assert rules.active_since_at(given) == since_at


@pytest.mark.parametrize("role", ["admin", "readwrite"])
def test_admin_and_readwrite_can_write(role: str) -> None:
    rules.ensure_can_write(role)


def test_readonly_cannot_write() -> None:
    with pytest.raises(MobileNextError, match="Your role"):
        rules.ensure_can_write("readonly")


def test_an_allocation_is_found_by_its_serial_or_by_its_id_in_any_case_the_newest_first() -> None:
    older, newer = allocation(), allocation(id="b0000000-0000-4000-8000-000000000002")
    assert rules.find_allocation([older, newer], "Serial-1") is newer
    assert rules.find_allocation([older, newer], older.id.upper()) is older
    for unknown in ("serial-1", "Serial-2", ""):
        with pytest.raises(DeviceNotAllocated):
            rules.find_allocation([older, newer], unknown)


def test_only_an_open_allocation_can_be_released() -> None:
    leased = allocation(expires_at=START + MINUTE)
    rules.ensure_can_release(leased, START + MINUTE - 1, "Serial-1")
    for row, now in ((leased, START + MINUTE), (allocation(released_at=START), START)):
        with pytest.raises(DeviceNotAllocated, match="Serial-1"):
            rules.ensure_can_release(row, now, "Serial-1")


def test_a_stored_instant_is_never_before_the_creation() -> None:
    assert rules.not_before(START, START + 5) == START + 5
    assert rules.not_before(START, START - MINUTE) == START


def test_a_session_is_released_at_its_last_release_and_not_while_a_device_is_held() -> None:
    ended = [allocation(released_at=START + 9), allocation(released_at=START + 4)]
    assert rules.last_release_at(ended) == START + 9
    assert rules.last_release_at([*ended, allocation()]) is None
    assert rules.last_release_at([]) is None


def test_deadlines_are_counted_from_the_stored_instant() -> None:
    assert rules.empty_expires_at(START, 15) == START + 15 * MINUTE
    assert rules.lease_expires_at(START, 30) == START + 30 * MINUTE
    assert rules.lease_expires_at(START, None) is None
    assert rules.ready_at(START, 20) == START + 20 * SECOND
    assert rules.ready_at(START, 0) is None


@pytest.mark.parametrize(
    ("mark", "now", "moves", "expected"),
    [
        (None, START, 0, START),
        (MarkRow(START - 1, 0), START, 0, START),
        (MarkRow(START, 0), START, 0, START + 1),
        (MarkRow(START + MINUTE, 0), START, 0, START + MINUTE + 1),
        (MarkRow(START + MINUTE, 0), START, 1, START),
        (MarkRow(START + MINUTE, 1), START, 1, START + MINUTE + 1),
    ],
)
def test_created_at_is_now_or_just_after_the_mark_unless_the_clock_was_moved_back(
    mark: MarkRow | None, now: int, moves: int, expected: int
) -> None:
    assert rules.earliest_created_at(mark, now, moves) == expected


@pytest.mark.parametrize(
    ("mark", "created_at", "moves", "expected"),
    [
        (None, START, 0, START),
        (MarkRow(START + 5, 0), START, 0, START + 5),
        (MarkRow(START - 5, 0), START, 0, START),
        (MarkRow(START, 0), START, 0, START),
        (MarkRow(START + 5, 0), START, 1, START),
    ],
)
def test_a_mark_is_raised_and_never_lowered_unless_the_clock_was_moved_back(
    mark: MarkRow | None, created_at: int, moves: int, expected: int
) -> None:
    assert rules.raised_mark(mark, created_at, moves) == expected


@pytest.mark.parametrize(
    ("nanoseconds", "bound"),
    [(1_999, 2), (2_000, 2), (2_001, 3), (-1_000, -1), (-999, 0), (-1, 0), (0, 0), (1, 1)],
)
def test_before_is_strict_to_the_nanosecond(nanoseconds: int, bound: int) -> None:
    assert rules.before_cursor(nanoseconds) == bound
    for created_at in range(bound - 2, bound + 3):
        assert (created_at < bound) == (created_at * 1000 < nanoseconds)
