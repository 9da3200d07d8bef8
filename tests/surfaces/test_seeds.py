"""The seed tables of every surface: what their rows make, and which rows are refused."""

from collections.abc import Mapping
from typing import Any

import pytest

from sessionary.seeds.loader import BadSeed
from tests.identities import ANA, BOT
from tests.seed_rows import ID, OTHER, row
from tests.surfaces.callers import LISTS, PEOPLE, Caller, each_surface, make_caller
from tests.surfaces.conftest import SharedApp
from tests.surfaces.galtea import conftest as galtea


def show(caller: Caller) -> Any:
    return caller.json("GET", f"{LISTS[caller.vendor]}/{ID}")


def is_part(part: Any, whole: Any) -> bool:
    """Whether values are equal; an object may have more members."""
    if isinstance(part, dict):
        return all(name in whole and is_part(part[name], whole[name]) for name in part)
    if isinstance(part, list):
        return len(part) == len(whole) and all(map(is_part, part, whole))
    return bool(part == whole)


GALTEA = {**galtea.NEW, "versionId": "version_v1", "createdAt": "2026-03-01T11:00:00.000Z"}
WHOLE: list[tuple[str, str, dict[str, Any]]] = [
    ("galtea", "", {**GALTEA, "id": ID}),
    (
        "galtea",
        f'custom_id = "mine"; user = "{ANA.upper()}"; is_production = false; context = "words"; '
        'metadata = { key = "value" }; status = "FAILED"; stopping_reason = "GAVE_UP"; '
        'error = "HTTP 422"; run = "run_1"',
        {
            **GALTEA,
            "id": ID,
            "customId": "mine",
            "userId": ANA,
            "isProduction": False,
            "context": {"value": "words"},
            "metadata": {"key": "value"},
            "status": "FAILED",
            "stoppingReason": "GAVE_UP",
            "error": "HTTP 422",
            "runId": "run_1",
        },
    ),
    (
        "scale",
        f'title = "Quarterly review"; user = "{BOT}"; updated_ago = "1d"; '
        'state = { step = 3, deep = { list = [1, "a", true] } }; '
        'start_date = 2026-03-01T09:00:00+02:00; end_date = "2026-03-01T10:00:00Z"',
        {
            "id": ID,
            "title": "Quarterly review",
            "state": {"step": 3, "deep": {"list": [1, "a", True]}},
            "created_at": "2026-02-27T12:00:00.000000Z",
            "updated_at": "2026-02-28T12:00:00.000000Z",
            "created_by_user_id": BOT,
            "created_by_identity_type": "service_account",
            "account_id": "acme",
            "start_date": "2026-03-01T07:00:00.000000Z",
            "end_date": "2026-03-01T10:00:00.000000Z",
        },
    ),
]


@pytest.mark.parametrize(("vendor", "facts", "shown"), WHOLE)
def test_a_seeded_session_shows_its_facts_and_no_others(
    shared_app: SharedApp, vendor: str, facts: str, shown: dict[str, Any]
) -> None:
    caller = make_caller(shared_app, vendor, facts)
    assert show(caller) == shown
    listed = caller.json("GET", LISTS[vendor])
    assert (listed["items"] if vendor == "scale" else listed) == [shown]


SHOWN: Mapping[str, dict[str, dict[str, Any]]] = {
    "galtea": {
        'test_case = "testCase_t1"': {"isProduction": False, "context": {"persona": "impatient"}},
        'auto_close_minutes = 20; last_active_ago = "20m"': {
            "status": "COMPLETED",
            "stoppingReason": "Automatically closed after 20 minutes of inactivity",
        },
    },
    "mobilenext": {
        'created_ago = "3h"': {
            "user": ANA,
            "device": {"id": "emulator-5554"},
            "createdAt": "2026-03-01T09:00:00.000000Z",
            "releasedAt": None,
        },
        'created_ago = "3h"; released_ago = "2h"': {
            "releasedAt": "2026-03-01T10:00:00.000000Z",
            "devices": [{"status": "released"}],
        },
        'created_ago = "2h"; lease_minutes = 30': {
            "releasedAt": "2026-03-01T10:30:00.000000Z",
            "devices": [{"status": "released"}],
        },
    },
    "notte": {
        "": {"status": "active", "timeout_minutes": 5, "duration": "PT4M"},
        'created_ago = "20m"; last_accessed_ago = "10m"': {
            "status": "timed_out",
            "closed_at": "2026-03-01T11:55:00.000000Z",
            "close_reason": "idle_timeout",
            "duration": "PT15M",
        },
        'closed_ago = "1m"': {
            "status": "closed",
            "close_reason": "manual",
            "duration": "PT3M",
            "error": None,
        },
        'closed_ago = "1m"; close_reason = "error"': {"status": "closed", "close_reason": "error"},
        'closed_ago = "1m"; error = "crashed"': {
            "status": "error",
            "close_reason": "error",
            "error": "crashed",
        },
        "max_duration_minutes = 3; timeout_minutes = 3": {
            "status": "timed_out",
            "max_duration_minutes": 3,
            "idle_timeout_minutes": 3,
        },
        'created_ago = "9d"; outlives_timeout = true': {"status": "active", "duration": "P9D"},
        f'id = "{ID.upper()}"': {"session_id": ID},
    },
    "scale": {
        "": {
            "title": "",
            "state": {},
            "created_by_user_id": "00000000-0000-0000-0000-000000000000",
            "created_by_identity_type": "user",
            "created_at": "2026-02-27T12:00:00.000000Z",
            "updated_at": "2026-02-27T12:00:00.000000Z",
        },
        'archived_ago = "1d"': {
            "archived_at": "2026-02-28T12:00:00.000000Z",
            "updated_at": "2026-02-28T12:00:00.000000Z",
        },
        "start_date = 2999-01-01T00:00:00Z; end_date = 2999-01-01T00:00:00Z": {
            "start_date": "2999-01-01T00:00:00.000000Z",
            "end_date": "2999-01-01T00:00:00.000000Z",
        },
        f'id = "{ID.upper()}"': {"id": ID},
    },
}
# Queries of the list of all sessions.
EVERY = {"notte": "only_active=false", "scale": "include_archived=true"}


@pytest.mark.parametrize(
    ("vendor", "facts"), [(each, facts) for each in SHOWN for facts in SHOWN[each]]
)
def test_a_seeded_session_may_be_in_any_state(
    shared_app: SharedApp, vendor: str, facts: str
) -> None:
    caller = make_caller(shared_app, vendor, facts)
    assert is_part(SHOWN[vendor][facts], show(caller))
    assert caller.listed(EVERY.get(vendor, "")) == [ID]


@pytest.mark.parametrize(
    ("facts", "query"),
    [
        ("", "productIds=product_p1"),
        ('test_case = "testCase_t1"', "testIds=test_s1"),
        ('auto_close_minutes = 20; last_active_ago = "20m"', "statuses=COMPLETED"),
    ],
)
def test_filters_of_galtea_find_a_seeded_session(
    shared_app: SharedApp, facts: str, query: str
) -> None:
    caller = make_caller(shared_app, "galtea", facts)
    assert caller.listed(query) == [ID]


@pytest.mark.parametrize(
    ("vendor", "facts", "minutes", "before", "after"),
    [
        ("galtea", "auto_close_minutes = 61", 1, {"status": "PENDING"}, {"status": "COMPLETED"}),
        (
            "mobilenext",
            'created_ago = "20m"; lease_minutes = 30',
            10,
            {"releasedAt": None, "devices": [{"status": "in_use"}]},
            {"releasedAt": "2026-03-01T12:10:00.000000Z", "devices": [{"status": "released"}]},
        ),
    ],
)
def test_a_seeded_session_may_change_later(
    shared_app: SharedApp, vendor: str, facts: str, minutes: int, before: Any, after: Any
) -> None:
    caller = make_caller(shared_app, vendor, facts)
    caller.app.advance(minutes=minutes, microseconds=-1)
    assert is_part(before, show(caller))
    caller.app.advance(microseconds=1)
    assert is_part(after, show(caller))


def test_a_seeded_session_without_a_maximum_is_shown_as_of_v1(shared_app: SharedApp) -> None:
    caller = make_caller(shared_app, "notte", "")
    assert "max_duration_minutes" not in show(caller)


ALL_FACTS = {
    "galtea": galtea.SEED
    + row("galtea.sessions", f'id = "{OTHER}"; custom_id = "c"; deleted_ago = "5m"')
    + row("galtea.sessions", 'test_case = "testCase_t1"; custom_id = "c"'),
    "mobilenext": row("devices", "provision_seconds = 5")
    + row("devices", 'serial = "A-2"; retired = true')
    + row("mobilenext.sessions", 'device = "A-1"')
    + row(
        "mobilenext.sessions",
        f'id = "{OTHER}"; device = "A-1"; created_ago = "3h"; released_ago = "2h"',
    )
    + row("mobilenext.sessions", f'id = "{ANA}"; device =; created_ago = "1m"'),
    "notte": row("notte.sessions", 'closed_ago = "1m"'),
    "scale": row("scale.sessions", 'archived_ago = "1d"')
    + row("scale.sessions", f'id = "{OTHER}"; title = "live"'),
}


@each_surface
def test_applying_a_seed_again_later_changes_nothing(shared_app: SharedApp, surface: Any) -> None:
    caller = make_caller(shared_app, surface.name)
    caller.app.seed(ALL_FACTS[surface.name])
    before = caller.rows()
    for days in (0.005, 3):
        caller.app.advance(days=days)
        caller.app.seed(ALL_FACTS[surface.name])
        assert caller.rows() == before


@pytest.mark.parametrize(
    ("vendor", "facts", "shown"),
    [
        ("galtea", 'status = "COMPLETED"', {"status": "COMPLETED"}),
        (
            "notte",
            'timeout_minutes = 9; closed_ago = "1m"',
            {"timeout_minutes": 9, "status": "closed"},
        ),
        ("scale", f'id = "{ID.upper()}"; title = "new"', {"id": ID, "title": "new"}),
    ],
)
def test_an_existing_session_is_updated_from_the_seed(
    shared_app: SharedApp, vendor: str, facts: str, shown: dict[str, Any]
) -> None:
    caller = make_caller(shared_app, vendor, "")
    caller.app.seed(row(f"{vendor}.sessions", facts))
    assert is_part(shown, show(caller))
    assert len(caller.app.rows(f"{vendor}_sessions")) == 1


# A valid row of each table, which stands before the refused one.
VALID = {
    "devices": 'serial = "A-9"',
    "galtea.sessions": f'id = "{OTHER}"; custom_id = "c"',
    "mobilenext.sessions": f'id = "{OTHER}"; device = "emulator-5556"',
    "notte.sessions": f'id = "{OTHER}"',
    "scale.sessions": f'id = "{OTHER}"',
}
ORDER = "must follow each other"
REFUSED_SESSIONS = {
    'id = ""': "id: ",
    "created_ago =": "created_ago: is required",
    'created_ago = "soon"': "created_ago: must be a duration",
    "colour = 1": "colour: is not a known field",
}
REFUSED_ORGANIZATIONS = {
    'organization = "nowhere"': "organization 'nowhere' does not exist",
    "organization =": "organization: is required",
}
REFUSED = {
    "galtea.sessions": {
        **REFUSED_SESSIONS,
        **REFUSED_ORGANIZATIONS,
        "version =": "version: is required",
        'status = "DONE"': "status: must be one of",
        'test_case = "t"; context = ""': "context cannot be given when testCaseId",
        'test_case = "t"; is_production = true': "isProduction cannot be true when",
        'run = "r"': "runId cannot be set on a production session",
        f'user = "{ANA}"': "production session has no user",
        'user = "x"; is_production = false': "user 'x' does not exist",
        'last_active_ago = "2h"': ORDER,
        'last_active_ago = "1m"; deleted_ago = "2m"': ORDER,
        "auto_close_minutes = 0": "auto_close_minutes: must be at least 1",
        'custom_id = "c"': "same customId: 'c'",
    },
    "galtea.versions": {"product =": "product: is required", 'product = ""': "product: "},
    "galtea.test_cases": {"context = 5": "context: must be a string or an object"},
    "galtea.tests": {'organization = "unknown"': "organization 'unknown' does not exist"},
    "galtea.products": {'product = "p"': "product: is not a known field"},
    "mobilenext.sessions": {
        **REFUSED_SESSIONS,
        **REFUSED_ORGANIZATIONS,
        'device = "nope"': "device 'nope' does not exist",
        f'user = "{OTHER}"': f"user '{OTHER}' does not exist",
        'released_ago = "2h"': "released_ago is before",
        "lease_minutes = 0": "lease_minutes: must be at least 1",
        'released_ago = "29m"; lease_minutes = 30': "the lease ends before",
        'device =; released_ago = "1m"': "released_ago needs a device",
        "device =; lease_minutes = 5": "lease_minutes needs a device",
        'further_devices = [{ device = "emulator-5558", created_ago = "2h" }]': (
            "a further device's created_ago is before"
        ),
        'further_devices = [{ device = "emulator-5554", created_ago = "5m" }]': "is held twice",
        'device = "emulator-5556"': "device 'emulator-5556' is held by another session",
    },
    "devices": {
        'serial = "a/b"': "serial: must be up to 128",
        "provision_seconds = -1": "provision_seconds: must be at least 0",
        'platform = "windows"': "platform: must be one of",
        "version = 18": "version: must be a string",
    },
    "notte.sessions": {
        **REFUSED_SESSIONS,
        **REFUSED_ORGANIZATIONS,
        "timeout_minutes = 0": "timeout_minutes: must be at least 1",
        "max_duration_minutes = 1441": "max_duration_minutes: must be at least 1 and at most 1440",
        "outlives_timeout = 1": "outlives_timeout: must be true or false",
        'last_accessed_ago = "5m"': ORDER,
        'closed_ago = "5m"': ORDER,
        'closed_ago = "1m"; last_accessed_ago = "30s"': ORDER,
        'created_ago = "20m"; closed_ago = "1m"': "closed_ago must not be after the timeout",
        'max_duration_minutes = 3; last_accessed_ago = "30s"': (
            "last_accessed_ago must not be after max_duration_minutes"
        ),
        'error = "crashed"': "error and close_reason need closed_ago",
        'close_reason = "manual"': "error and close_reason need closed_ago",
        'closed_ago = "1m"; close_reason = "unknown"': "close_reason: must be one of",
        'status = "closed"': "status: is not a known field",
    },
    "scale.sessions": {
        **REFUSED_SESSIONS,
        'account_id = "nowhere"': "organization 'nowhere' does not exist",
        "account_id =": "account_id: is required",
        f'user = "{ID}"': f"user '{ID}' does not exist",
        'user = "ana"': "user: ",
        "title = 5": "title: must be a string",
        'state = "{}"': "state: must be an object",
        "state = { day = 2026-01-01 }": "state: holds a date or a time; write it as text",
        "state = { at = 2026-01-01T00:00:00Z }": "state: holds a date or a time",
        "state = { a = [{ at = 10:00:00 }] }": "state: holds a date or a time",
        "state = { x = nan }": "state: holds what JSON cannot",
        "state = { x = [-inf] }": "state: holds what JSON cannot",
        f"state = {{ x = {'[' * 100}{']' * 100} }}": "state: holds what JSON cannot: nested deeper",
        'archived_ago = "3d"': ORDER,
        'updated_ago = "3d"': ORDER,
        'archived_ago = "1h"; updated_ago = "2h"': ORDER,
        "start_date = 2026-01-01": "start_date: must be a date-time with an offset",
        "start_date = 2026-01-02T00:00:00Z; end_date = 2026-01-01T00:00:00Z": (
            "end_date must not be before start_date"
        ),
    },
}


@pytest.mark.parametrize(
    ("table", "facts"), [(table, facts) for table in REFUSED for facts in REFUSED[table]]
)
def test_an_invalid_row_is_refused_with_its_place_and_reason_and_nothing_is_applied(
    shared_app: SharedApp, table: str, facts: str
) -> None:
    vendor = table.partition(".")[0]
    app = shared_app("strict", PEOPLE.get(vendor, PEOPLE["mobilenext"]))
    before = app.dump()
    text = '[[organizations]]\nid = "new"\nname = "New"\n' + row(table, VALID.get(table, ""))
    with pytest.raises(BadSeed) as refused:
        app.seed(text + row(table, facts))
    place, _, reason = str(refused.value).partition(": ")
    assert place.startswith(f"seed.toml, [[{table}]] number 2")
    assert REFUSED[table][facts] in reason
    assert app.dump() == before
