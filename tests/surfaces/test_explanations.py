"""Explanations of every status on each surface, and sessions that are forced into one."""

from typing import Any

import pytest

from sessionary.surfaces import SURFACES
from sessionary.surfaces.galtea.rules import deadline
from sessionary.surfaces.mobilenext.queries.control import SessionWithAllocations as Joined
from sessionary.surfaces.notte import rules
from sessionary.web.instants import to_text
from sessionary.web.surface import Explanation, NotForced
from tests.conftest import EPOCH, MICROSECOND, NOON
from tests.seed_rows import ID, OTHER
from tests.surfaces.callers import LISTS, Caller, make_caller
from tests.surfaces.conftest import SharedApp
from tests.surfaces.force_helpers import explain_now, force
from tests.surfaces.galtea.test_rules import DEADLINE, MINUTE, START
from tests.surfaces.galtea.test_rules import session as galtea
from tests.surfaces.mobilenext.api_client import ANDROID
from tests.surfaces.mobilenext.test_rules import EMPTY, LEASED, allocation
from tests.surfaces.mobilenext.test_rules import session as mobilenext
from tests.surfaces.notte.test_rules import IDLE_DEADLINE
from tests.surfaces.notte.test_rules import session as notte
from tests.surfaces.scale.test_rules import AT
from tests.surfaces.scale.test_rules import session as scale

SURFACE = {surface.name: surface for surface in SURFACES}
SESSIONS = {surface.name: surface.sessions for surface in SURFACES}
NOON_AT = (NOON - EPOCH) // MICROSECOND
LATER = START + 7 * MINUTE
# Galtea
CLOSING = galtea()
WRITTEN = CLOSING._replace(written_at=LATER, expires_at=deadline("PENDING", LATER, 30))
LEFT = galtea(auto_close_minutes=None, written_at=LATER)
DONE = galtea(status="COMPLETED", written_at=LATER, status_since_at=START + 1)
BROKEN = galtea(status="FAILED", written_at=LATER, status_since_at=START + 1, error="it broke")
DELETED = galtea(deleted_at=LATER)
PATCH = f"a PATCH /sessions/s that sets a field, and no other status, before {to_text(DEADLINE)} "
STAYS = "until a PATCH /sessions/s gives it another status"
# Mobile Next
EXPIRES_AT = START + 15 * MINUTE
LEASE_END = START + 30 * MINUTE
RELEASED_AT = START + 5 * MINUTE
WITHOUT_DEVICE = Joined(EMPTY, [])
HELD = Joined(mobilenext(), [allocation()])
UNDER_LEASE = Joined(LEASED, [allocation(expires_at=LEASE_END)])
LEASE_STORED = Joined(
    LEASED._replace(released_at=LEASE_END),
    [allocation(expires_at=LEASE_END, released_at=LEASE_END)],
)
AT_RELEASE = {"released_at": RELEASED_AT, "status_since_at": RELEASED_AT}
RELEASED = Joined(mobilenext(**AT_RELEASE), [allocation(released_at=RELEASED_AT)])
RELEASED_UNDER_LEASE = RELEASED._replace(row=LEASED._replace(**AT_RELEASE))
DEVICES = f"POST /api/v1/sessions/s/devices before {to_text(EXPIRES_AT)}"
# Notte
OUT = IDLE_DEADLINE + 1
ENDED = START + MINUTE
IDLE = notte()
SHORT = notte(max_duration_minutes=6)
FULL = notte(max_duration_minutes=5)
LONG = notte(last_accessed_at=LATER, max_duration_minutes=10)
LONGEST = START + 10 * MINUTE
ENDLESS = notte(outlives_timeout=1)
AT_END = {"ended_at": ENDED, "status_since_at": ENDED}
CLOSED = notte(**AT_END, ended_as="closed", close_reason="manual")
BY_OPERATION = notte(**AT_END, ended_as="closed", close_reason=rules.BY_OPERATION)
FAILED = notte(**AT_END, ended_as="error", close_reason="error", error="it broke")
KEEPING = (
    "POST /session/start with its session_id, or an operation that keeps it alive, no later than "
    f"{to_text(IDLE_DEADLINE)} "
)
KEPT = f"without that it would have stayed active up to {to_text(IDLE_DEADLINE)}"
# Scale
LIVE = scale(updated_at=AT + 9, status_since_at=AT + 5)
WINDOW = scale(updated_at=AT + 9, status_since_at=AT + 5, end_date=AT)
ARCHIVED = scale(updated_at=AT + 9, archived_at=AT + 7, status_since_at=AT + 5)

# A row, an instant, its status then, the start of the status, the rule, and parts of the texts.
EXPLAINED: list[tuple[str, Any, int, str, int, str, str, str]] = [
    ("galtea", CLOSING, DEADLINE - 1, "PENDING", START, "auto_close",
     "30 minutes without a write", f"{PATCH}keeps it"),
    ("galtea", CLOSING, DEADLINE, "COMPLETED", DEADLINE, "auto_close",
     "left alone for 30 minutes", f"{PATCH}would have kept it"),
    ("galtea", WRITTEN, LATER, "PENDING", START, "auto_close",
     f"written last at {to_text(LATER)}", f"before {to_text(LATER + 30 * MINUTE)} keeps it"),
    ("galtea", WRITTEN, LATER + 30 * MINUTE, "COMPLETED", LATER + 30 * MINUTE, "auto_close",
     f"from {to_text(LATER)} on", "a later one makes it PENDING again"),
    ("galtea", LEFT, DEADLINE, "PENDING", START, "no_deadline",
     "no auto-close was set", "until a call finishes it"),
    ("galtea", DONE, DEADLINE, "COMPLETED", START + 1, "call",
     f"made it COMPLETED at {to_text(START + 1)}", f"it stays COMPLETED {STAYS}"),
    ("galtea", BROKEN, DEADLINE, "FAILED", START + 1, "call",
     "with the error 'it broke'", f"it stays FAILED {STAYS}"),
    ("galtea", DELETED, DEADLINE, "deleted", LATER, "call",
     f"deleted it at {to_text(LATER)}; from then on it is 404", "nothing restores it"),
    ("mobilenext", WITHOUT_DEVICE, START, "empty", START, "empty_session",
     "it has no device yet", f"{DEVICES} keeps it"),
    ("mobilenext", WITHOUT_DEVICE, EXPIRES_AT, "expired", EXPIRES_AT, "empty_session",
     "everything on it is 404", f"{DEVICES} would have kept it"),
    ("mobilenext", HELD, LEASE_END, "active", START, "no_deadline",
     "it holds Serial-1", "until a call releases the last of them"),
    ("mobilenext", UNDER_LEASE, START, "active", START, "lease", "it holds Serial-1",
     f"or its lease ends at {to_text(LEASE_END)}, which no call moves"),
    ("mobilenext", UNDER_LEASE, LEASE_END, "released", LEASE_END, "lease", to_text(LEASE_END),
     "no call: a lease lasts as long as mobilenext_lease_minutes said"),
    ("mobilenext", LEASE_STORED, LEASE_END, "released", LEASE_END, "lease", to_text(LEASE_END),
     "no call: a lease lasts as long as mobilenext_lease_minutes said"),
    ("mobilenext", RELEASED, LEASE_END, "released", RELEASED_AT, "release",
     to_text(RELEASED_AT), "POST /api/v1/sessions/s/devices makes it active again"),
    ("mobilenext", RELEASED_UNDER_LEASE, LEASE_END - 1, "released", RELEASED_AT, "release",
     to_text(RELEASED_AT), f"before {to_text(LEASE_END)}, the end of its lease, makes it active"),
    ("mobilenext", RELEASED_UNDER_LEASE, LEASE_END, "released", RELEASED_AT, "release",
     to_text(RELEASED_AT), f"before {to_text(LEASE_END)}, the end of its lease, would have made"),
    ("notte", IDLE, START, "active", START, "idle_timeout", to_text(IDLE_DEADLINE),
     f"{KEEPING}keeps it active, up to {to_text(IDLE_DEADLINE + 5 * MINUTE)} "),
    ("notte", SHORT, START, "active", START, "idle_timeout", to_text(IDLE_DEADLINE),
     f"{KEEPING}keeps it active, up to {to_text(START + 6 * MINUTE)} "),
    ("notte", LONG, START, "active", START, "max_duration", to_text(LONGEST),
     "no call: its maximum of 10 minutes"),
    ("notte", FULL, START, "active", START, "idle_timeout", to_text(IDLE_DEADLINE),
     "no call: its maximum of 5 minutes"),
    ("notte", ENDLESS, OUT, "active", START, "no_deadline",
     "outlives its timeout", "it stays active until a call closes it"),
    ("notte", IDLE, OUT, "timed_out", OUT, "idle_timeout", "idle for more than 5 minutes",
     f"{KEEPING}would have kept it active, up to {to_text(IDLE_DEADLINE + 5 * MINUTE)} "),
    ("notte", SHORT, OUT, "timed_out", OUT, "idle_timeout", "idle for more than 5 minutes",
     f"{KEEPING}would have kept it active, up to {to_text(START + 6 * MINUTE)} "),
    ("notte", LONG, LONGEST + 1, "timed_out", LONGEST + 1, "max_duration",
     "its maximum of 10 minutes", "no call: its maximum of 10 minutes"),
    ("notte", CLOSED, OUT, "closed", ENDED, "call", "a call closed it",
     f"active up to {to_text(IDLE_DEADLINE)}"),
    ("notte", CLOSED._replace(expires_at=rules.NEVER), OUT, "closed", ENDED, "call",
     "a call closed it", "active for good"),
    ("notte", BY_OPERATION, OUT, "closed", ENDED, "operation", "keep_alive=false", KEPT),
    ("notte", FAILED, OUT, "error", ENDED, "failure", "it failed: it broke", KEPT),
    ("scale", LIVE, AT, "live", AT + 5, "no_deadline",
     "no call has archived it", "until DELETE /v4/sessions/s"),
    ("scale", WINDOW, AT, "live", AT + 5, "no_deadline",
     "not even the end of its window", "until DELETE /v4/sessions/s"),
    ("scale", ARCHIVED, AT, "archived", AT + 5, "call",
     f"a call archived it at {to_text(AT + 5)}", 'PATCH /v4/sessions/s with {"restore": true}'),
]  # fmt: skip
OPEN = {"PENDING", "empty", "active", "live"}


@pytest.mark.parametrize("case", EXPLAINED, ids=lambda case: f"{case[0]} {case[3]}")
def test_each_state_is_explained_by_its_rule_and_by_what_would_change_it(case: Any) -> None:
    vendor, row, now, status, since_at, rule, reason, unless = case
    found = SESSIONS[vendor].explain(row, now)
    assert found[:3] == (status, since_at, rule)
    assert reason in found.reason
    assert unless in (found.unless or "")
    assert SESSIONS[vendor].is_open(row, now) is (status in OPEN)


@pytest.mark.parametrize(
    ("vendor", "row"),
    [
        *(("galtea", each) for each in (LEFT, DONE, BROKEN, DELETED)),
        *(("notte", each) for each in (CLOSED, BY_OPERATION, FAILED, ENDLESS)),
        *(("scale", each) for each in (LIVE, WINDOW, ARCHIVED)),
    ],
)
def test_a_session_without_transitions_has_one_explanation(vendor: str, row: Any) -> None:
    explain = SESSIONS[vendor].explain
    for now in (AT - 1, AT, AT + 1, AT + 9, OUT, 2 * DEADLINE, START + 900 * MINUTE):
        assert explain(row, now) == explain(row, START)


def test_the_inputs_are_the_facts_of_the_row() -> None:
    explain = SESSIONS["notte"].explain
    assert explain(IDLE, START).inputs["expires_at"] == IDLE_DEADLINE
    endless = explain(ENDLESS, START).inputs
    assert (endless["outlives_timeout"], endless["expires_at"]) == (True, None)
    row = scale(end_date=AT, archived_at=AT + 1)
    names = ("created_at", "updated_at", "start_date", "end_date", "archived_at", "status_since_at")
    facts = dict(zip(names, (AT, AT, None, AT, AT + 1, AT), strict=True))
    assert SESSIONS["scale"].explain(row, AT).inputs == facts


def explain_session(caller: Caller, id: str = ID) -> Explanation:
    return explain_now(caller.app, SURFACE[caller.vendor], id)


def force_status(caller: Caller) -> None:
    """Force the session into the only status that its surface has for that."""
    (status,) = SESSIONS[caller.vendor].forced_states
    force(caller.app, SURFACE[caller.vendor], ID, status)


@pytest.mark.parametrize(
    ("vendor", "facts", "minutes", "call", "statuses"),
    [
        (
            "galtea",
            "auto_close_minutes = 90",
            30,
            ("PATCH", f"/galtea/sessions/{ID}", {"metadata": {}}),
            ("PENDING", "COMPLETED"),
        ),
        (
            "mobilenext",
            "device =; empty_minutes = 75",
            15,
            ("POST", f"/api/v1/sessions/{ID}/devices", {"filters": [ANDROID]}),
            ("active", "expired"),
        ),
        (
            "notte",
            "",
            1,
            ("POST", "/notte/session/start", {"session_id": ID}),
            ("active", "timed_out"),
        ),
    ],
)
def test_the_call_in_the_explanation_keeps_a_session_until_its_last_instant(
    shared_app: SharedApp,
    vendor: str,
    facts: str,
    minutes: int,
    call: Any,
    statuses: tuple[str, str],
) -> None:
    caller = make_caller(shared_app, vendor, facts, f'id = "{OTHER}"; {facts}')
    caller.app.advance(minutes=minutes, microseconds=-1)
    caller.json(*call)
    caller.app.advance(microseconds=2)
    kept, left = explain_session(caller), explain_session(caller, OTHER)
    assert (kept.status, left.status) == statuses
    # Notte's deadline is the last instant of the old state.
    ended_at = NOON_AT + minutes * MINUTE + (vendor == "notte")
    assert left.since_at == ended_at
    assert vendor != "galtea" or kept.since_at == NOON_AT - 60 * MINUTE


@pytest.mark.parametrize(
    ("vendor", "facts"),
    [
        ("galtea", "auto_close_minutes = 90"),
        (
            "galtea",
            'custom_id = "c"; context = "words"; metadata = { a = 1 }; is_production = false',
        ),
        ("galtea", 'status = "COMPLETED"; stopping_reason = "GOAL_ACHIEVED"'),
        ("notte", ""),
    ],
)
def test_a_forced_failure_shows_its_error_and_changes_nothing_else(
    shared_app: SharedApp, vendor: str, facts: str
) -> None:
    caller = make_caller(shared_app, vendor, facts)
    before = caller.json("GET", f"{LISTS[vendor]}/{ID}")
    force_status(caller)
    failed = {"status": "FAILED", "error": "it broke"}
    if vendor == "notte":
        closed = {"close_reason": "error", "closed_at": "2026-03-01T12:00:00.000000Z"}
        failed |= {"status": "error", **closed}
    for days in (0, 1):
        caller.app.advance(days=days)
        assert caller.json("GET", f"{LISTS[vendor]}/{ID}") == {**before, **failed}
    assert explain_session(caller)[:2] == (failed["status"], NOON_AT)


NOT_FORCED = {
    "galtea": " already, so it cannot become FAILED",
    "mobilenext": ": it holds no device to lose",
    "notte": ": only an active session can fail",
}


@pytest.mark.parametrize(
    ("vendor", "facts", "status"),
    [
        ("galtea", 'status = "FAILED"', "FAILED"),
        ("galtea", 'deleted_ago = "5m"', "deleted"),
        ("mobilenext", "lease_minutes = 60", "released"),
        ("mobilenext", 'released_ago = "5m"', "released"),
        ("mobilenext", "device =", "expired"),
        ("mobilenext", "device =; empty_minutes = 61", "empty"),
        ("notte", 'closed_ago = "1m"', "closed"),
        ("notte", 'closed_ago = "1m"; error = "crashed"', "error"),
        ("notte", 'created_ago = "6m"', "timed_out"),
    ],
)
def test_an_ended_session_cannot_be_forced(
    shared_app: SharedApp, vendor: str, facts: str, status: str
) -> None:
    caller = make_caller(shared_app, vendor, facts)
    before = caller.app.dump()
    with pytest.raises(NotForced, match=f"^Session {ID} is {status}{NOT_FORCED[vendor]}"):
        force_status(caller)
    assert caller.app.dump() == before
