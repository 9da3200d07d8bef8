"""Starting, listing and reading sessions."""

import re
from datetime import timedelta
from uuid import UUID

import pytest
from freezegun import freeze_time

from sessionary.surfaces.mobilenext.queries.control import retention
from tests.conftest import MICROSECOND, App
from tests.surfaces.mobilenext.api_client import Calls, add_copies, error_of, filters_by_name

NOON = "2026-03-01T12:00:00.000000Z"


def test_a_session_starts_without_body_and_content_type(calls: Calls) -> None:
    response = calls.post("/sessions")
    assert response.status_code == 201
    assert set(response.json) == {"id", "organization", "user", "createdAt"}
    assert UUID(response.json["id"])
    assert UUID(response.json["user"])
    assert response.json["createdAt"] == NOON


@pytest.mark.parametrize("data", [b"{", b"[]", b'{"limit": NaN}', b"\xff"])
def test_a_body_on_start_is_not_read(calls: Calls, data: bytes) -> None:
    assert calls.post("/sessions", data=data).status_code == 201


def test_a_session_has_the_fields_of_the_page_and_its_devices(calls: Calls) -> None:
    held = calls.hold(*filters_by_name("Pixel 9"))
    assert list(held) == [
        "id",
        "organization",
        "user",
        "device",
        "devices",
        "createdAt",
        "releasedAt",
    ]
    assert held["device"] == {
        "id": "emulator-5554",
        "platform": "android",
        "type": "emulator",
        "name": "Pixel 9",
        "osVersion": "16",
    }
    (device,) = held["devices"]
    assert device == {
        "id": device["id"],
        "status": "in_use",
        "info": {
            "platform": "android",
            "type": "emulator",
            "name": "Pixel 9",
            "osVersion": "16",
            "serial": "emulator-5554",
        },
        "createdAt": NOON,
    }
    assert held["createdAt"] == NOON
    assert held["releasedAt"] is None


def test_the_list_shows_a_session_exactly_as_get_does(calls: Calls) -> None:
    held = calls.hold()
    assert calls.page() == {"object": "list", "data": [held]}


def test_a_session_without_a_device_is_not_listed_and_cannot_be_read_by_id(calls: Calls) -> None:
    session = calls.start()
    assert calls.listed() == []
    assert error_of(calls.get(f"/sessions/{session}")) == (404, "session_not_found")
    response = calls.get(f"/sessions/{session}/devices")
    assert (response.status_code, response.json) == (200, {"object": "list", "data": []})


def test_created_at_is_that_of_the_first_allocation_not_the_start(calls: Calls) -> None:
    session = calls.start()
    calls.app.advance(minutes=3)
    calls.allocate(session)
    assert calls.session(session)["createdAt"] == "2026-03-01T12:03:00.000000Z"
    calls.app.advance(minutes=1)
    calls.allocate(session)
    assert calls.session(session)["createdAt"] == "2026-03-01T12:03:00.000000Z"
    first, second = calls.session(session)["devices"]
    assert first["createdAt"] == "2026-03-01T12:03:00.000000Z"
    assert second["createdAt"] == "2026-03-01T12:04:00.000000Z"


def test_sessions_are_listed_newest_first_by_created_at(app: App, calls: Calls) -> None:
    opened = [calls.start() for _ in range(3)]
    for session in (opened[2], opened[0], opened[1]):
        app.advance(seconds=1)
        calls.allocate(session)
    assert calls.listed() == [opened[1], opened[0], opened[2]]


def test_sessions_of_one_frozen_instant_are_a_microsecond_apart(calls: Calls) -> None:
    held = [calls.hold() for _ in range(4)]
    assert [each["createdAt"][-4:] for each in held] == ["000Z", "001Z", "002Z", "003Z"]
    assert calls.listed() == [each["id"] for each in reversed(held)]


def test_after_such_a_run_the_next_session_is_created_now(app: App, calls: Calls) -> None:
    for _ in range(3):
        calls.hold()
    app.advance(MICROSECOND)
    assert calls.hold()["createdAt"].endswith("00.000003Z")
    app.advance(seconds=1)
    assert calls.hold()["createdAt"] == "2026-03-01T12:00:01.000001Z"


def test_after_the_clock_moved_back_created_at_starts_at_now_and_skips_taken_values(
    app: App, calls: Calls
) -> None:
    first, second = calls.hold(), calls.hold()
    app.advance(minutes=5)
    late = calls.hold()
    app.advance(minutes=-5)
    third = calls.hold()
    assert third["createdAt"].endswith("12:00:00.000002Z")
    app.advance(seconds=-1)
    early = calls.hold()
    assert early["createdAt"].endswith("11:59:59.000000Z")
    order = [late, third, second, first, early]
    assert calls.listed() == [each["id"] for each in order]
    assert calls.walk(2) == calls.listed()


def test_a_wall_clock_that_steps_back_does_not_lower_created_at(app: App, calls: Calls) -> None:
    app.use_real_clock()
    with freeze_time("2026-03-02T12:00:00Z") as wall:
        first = calls.hold()
        wall.tick(timedelta(seconds=-90))
        second, third = calls.hold(), calls.hold()
        released = calls.release(second["id"], second["device"]["id"]).json
    assert first["createdAt"] == "2026-03-02T12:00:00.000000Z"
    assert second["createdAt"] == "2026-03-02T12:00:00.000001Z"
    assert third["createdAt"] == "2026-03-02T12:00:00.000002Z"
    assert released["releasedAt"] == second["createdAt"]
    assert calls.listed() == [third["id"], second["id"], first["id"]]


def test_a_session_is_not_hidden_because_it_was_created_after_now(app: App, calls: Calls) -> None:
    held = calls.hold()
    app.advance(days=-1)
    assert calls.listed() == [held["id"]]
    assert calls.session(held["id"]) == held
    released = calls.release(held["id"], held["device"]["id"]).json
    assert released["releasedAt"] == held["createdAt"]
    assert calls.session(held["id"])["releasedAt"] == held["createdAt"]


def fill(calls: Calls, count: int) -> list[str]:
    """Create released sessions and return their ids, newest first."""
    found = []
    for _ in range(count):
        held = calls.hold()
        calls.release(held["id"], held["device"]["id"])
        found.append(held["id"])
    return found[::-1]


def test_a_page_has_100_sessions_by_default(calls: Calls) -> None:
    sessions = fill(calls, 101)
    assert calls.listed() == sessions[:100]
    assert calls.listed(limit=1) == sessions[:1]
    assert calls.listed(limit=101) == sessions


def test_a_limit_over_500_counts_as_500(app: App, calls: Calls) -> None:
    (held,) = fill(calls, 1)
    add_copies(app, held, 501, -1)
    for limit in ("500", "501", "0501", "1000", "9" * 19, "9" * 4000):
        assert len(calls.listed(limit=limit)) == 500
    assert len(calls.listed(limit=499)) == 499
    assert calls.walk(500)[0] == held
    assert len(set(calls.walk(500))) == 502


NOT_LIMITS = ("0", "-1", "-501", "", " 5", "5.0", "1e2", "ten", "\u0665", "0x10", "+5", f"-{9**50}")
NOT_CURSORS = (
    "", "yesterday", "2026-03-01", "2026-03-01 12:00:00Z", "2026-03-01T12:00:00",
    "2026-03-01T12:00Z", "2026-02-30T12:00:00Z", "2026-03-01T24:00:00Z", "2026-03-01T12:00:00.Z",
    "2026-03-01T12:00:00.1234567890Z", "2026-03-01T12:00:00+24:00", "2026-03-01T12:00:00 01:00",
    "1772366400", "\x00",
)  # fmt: skip


@pytest.mark.parametrize(
    ("name", "value"),
    [*(("limit", each) for each in NOT_LIMITS), *(("before", each) for each in NOT_CURSORS)],
)
def test_a_malformed_limit_or_cursor_is_400(calls: Calls, name: str, value: str) -> None:
    answer = calls.get("/sessions", query_string={name: value})
    assert error_of(answer) == (400, "invalid_request")


def test_the_cursor_is_the_last_created_at_byte_for_byte(calls: Calls) -> None:
    fill(calls, 3)
    page = calls.page(limit=2)
    assert page["nextCursor"] == page["data"][-1]["createdAt"]
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z", page["nextCursor"])


def test_the_cursor_is_absent_on_the_last_page_even_when_that_is_full(calls: Calls) -> None:
    sessions = fill(calls, 4)
    for limit in (4, 5, 100):
        assert "nextCursor" not in calls.page(limit=limit)
    first = calls.page(limit=2)
    second = calls.page(limit=2, before=first["nextCursor"])
    assert [each["id"] for each in second["data"]] == sessions[2:]
    assert "nextCursor" not in second


@pytest.mark.parametrize("limit", [1, 2, 3, 7, 12, 13])
def test_a_walk_returns_every_session_once(calls: Calls, limit: int) -> None:
    sessions = fill(calls, 12)
    assert calls.walk(limit) == sessions


CURSORS = [
    ("2026-03-01T12:00:00.000000Z", 0),
    ("2026-03-01T12:00:00.000000001Z", 1),
    ("2026-03-01T12:00:00.000001Z", 1),
    ("2026-03-01T12:00:00.0000015Z", 2),
    ("2026-03-01T12:00:00.000002Z", 2),
    ("2026-03-01T12:00:00Z", 0),
    ("2026-03-01T12:00:01Z", 3),
    ("2026-03-01T13:00:00.000001+01:00", 1),
    ("2026-03-01T06:30:00.000001-05:30", 1),
    ("2026-03-01t12:00:00.000001z", 1),
    ("0001-01-01T00:00:00Z", 0),
    ("9999-12-31T23:59:59.999999999Z", 3),
]


@pytest.mark.parametrize(("before", "count"), CURSORS)
def test_before_is_strict_and_compares_instants(calls: Calls, before: str, count: int) -> None:
    sessions = fill(calls, 3)
    assert calls.listed(before=before) == sessions[3 - count :]


def test_before_with_the_page_s_cursor_skips_its_last_session(calls: Calls) -> None:
    sessions = fill(calls, 3)
    for place, session in enumerate(sessions):
        cursor = calls.session(session)["createdAt"]
        assert calls.listed(before=cursor) == sessions[place + 1 :]


def test_a_raw_plus_arrives_as_a_space_and_is_400(calls: Calls) -> None:
    for offset, status in (("+01:00", 400), ("%2B01:00", 200)):
        assert calls.get(f"/sessions?before=2026-03-01T12:00:00{offset}").status_code == status


def test_of_a_repeated_parameter_the_last_counts_and_unknown_ones_are_ignored(calls: Calls) -> None:
    sessions = fill(calls, 3)
    response = calls.get("/sessions?limit=0&limit=2&after=x&offset=9")
    assert [each["id"] for each in response.json["data"]] == sessions[:2]


def test_ids_match_in_any_case_and_in_no_other_spelling(calls: Calls) -> None:
    held = calls.hold()
    assert calls.session(held["id"].upper()) == held
    assert calls.get(f"/sessions/{held['id'].replace('-', '')}").status_code == 404
    assert calls.get(f"/sessions/{{{held['id']}}}").status_code == 404
    path = f"/sessions/{held['id'].upper()}/devices/{held['devices'][0]['id'].upper()}"
    assert calls.get(path).json == held["devices"][0]


def test_a_created_at_is_not_given_again_after_its_session_was_pruned(calls: Calls) -> None:
    """The mark of the organization stays."""
    first, marks = calls.session(*fill(calls, 1))["createdAt"], calls.app.rows("mobilenext_marks")
    with calls.app.namespace.activate():
        assert retention.remove([1], 2**62) == 1
    assert calls.app.rows("mobilenext_marks") == marks
    assert calls.session(*fill(calls, 1))["createdAt"] > first
