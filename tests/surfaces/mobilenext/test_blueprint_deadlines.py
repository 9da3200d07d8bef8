"""The end of a lease and of an empty session, in every response."""

import pytest

from tests.conftest import MICROSECOND, App, MakeApp
from tests.surfaces.mobilenext.api_client import (
    ANDROID,
    IOS,
    Calls,
    contents,
    error_of,
    filters_by_name,
)

NOON = "2026-03-01T12:00:00.000000Z"
HALF_PAST = "2026-03-01T12:30:00.000000Z"


@pytest.fixture
def leased(make_app: MakeApp) -> Calls:
    return Calls(make_app(mobilenext_lease_minutes=30))


def test_without_the_setting_a_lease_never_ends(app: App, calls: Calls) -> None:
    held = calls.hold()
    app.advance(days=3650)
    assert calls.session(held["id"]) == held


def test_a_session_is_active_a_microsecond_before_its_lease_ends(leased: Calls) -> None:
    held = leased.hold(*filters_by_name("Pixel 9"))
    leased.app.advance(minutes=30)
    leased.app.advance(-MICROSECOND)
    assert leased.session(held["id"]) == held
    assert leased.page()["data"] == [held]
    assert error_of(leased.allocate(leased.start(), *filters_by_name("Pixel 9"))) == (
        409,
        "no_device_available",
    )


@pytest.mark.parametrize("late", [0, 1, 10**9])
def test_from_its_lease_s_end_a_session_is_released_unwritten(leased: Calls, late: int) -> None:
    held = leased.hold()
    before = contents(leased.app)
    leased.app.advance(minutes=30)
    leased.app.advance(MICROSECOND * late)
    shown = leased.session(held["id"])
    assert shown["releasedAt"] == HALF_PAST
    assert shown["devices"] == [
        {**held["devices"][0], "status": "released", "releasedAt": HALF_PAST}
    ]
    assert shown["device"] == held["device"]
    assert leased.page()["data"] == [shown]
    assert contents(leased.app) == before


def test_when_a_lease_ends_its_devices_are_free(leased: Calls) -> None:
    first = leased.hold(*filters_by_name("Pixel 9"))
    leased.app.advance(minutes=30)
    second = leased.hold(*filters_by_name("Pixel 9"))
    assert second["device"] == first["device"]
    assert second["releasedAt"] is None
    assert leased.session(first["id"])["releasedAt"] == HALF_PAST


def test_releasing_after_the_end_of_the_lease_is_404_and_writes_nothing(leased: Calls) -> None:
    held = leased.hold()
    leased.app.advance(minutes=30)
    before = contents(leased.app)
    response = leased.release(held["id"], held["device"]["id"])
    assert error_of(response) == (404, "device_not_found")
    assert error_of(leased.allocate(held["id"])) == (409, "session_released")
    assert contents(leased.app) == before


def test_a_reopened_session_ends_at_its_first_deadline(leased: Calls) -> None:
    held = leased.hold()
    leased.app.advance(minutes=10)
    leased.release(held["id"], held["device"]["id"])
    leased.app.advance(minutes=10)
    assert leased.allocate(held["id"]).status_code == 201
    leased.app.advance(minutes=10)
    shown = leased.session(held["id"])
    ends = [each["releasedAt"] for each in shown["devices"]]
    assert [shown["releasedAt"], *ends] == [HALF_PAST, "2026-03-01T12:10:00.000000Z", HALF_PAST]


def test_a_lease_that_ends_while_nothing_is_held_moves_no_released_at(leased: Calls) -> None:
    held = leased.hold()
    leased.release(held["id"], held["device"]["id"])
    released = leased.session(held["id"])
    leased.app.advance(minutes=30)
    before = contents(leased.app)
    assert leased.session(held["id"]) == released
    assert error_of(leased.allocate(held["id"])) == (409, "session_released")
    assert contents(leased.app) == before
    leased.app.advance(-MICROSECOND)
    assert leased.allocate(held["id"]).status_code == 201


def test_a_release_at_the_last_microsecond_of_the_lease_counts(leased: Calls) -> None:
    held = leased.hold()
    leased.app.advance(minutes=30)
    leased.app.advance(-MICROSECOND)
    assert leased.release(held["id"], held["device"]["id"]).status_code == 202
    leased.app.advance(minutes=5)
    assert leased.session(held["id"])["releasedAt"] == "2026-03-01T12:29:59.999999Z"


def test_the_lease_covers_every_device_and_counts_from_the_first_not_the_start(
    leased: Calls,
) -> None:
    session = leased.start()
    leased.app.advance(minutes=10)
    leased.allocate(session, ANDROID)
    leased.app.advance(minutes=29)
    leased.allocate(session, IOS)
    assert leased.session(session)["releasedAt"] is None
    leased.app.advance(minutes=1)
    shown, ended = leased.session(session), "2026-03-01T12:40:00.000000Z"
    assert [each["releasedAt"] for each in (shown, *shown["devices"])] == [ended] * 3


def test_a_device_released_before_the_lease_ended_keeps_its_own_instant(leased: Calls) -> None:
    held = leased.hold(ANDROID)
    leased.allocate(held["id"], IOS)
    leased.app.advance(minutes=5)
    leased.release(held["id"], held["device"]["id"])
    leased.app.advance(minutes=60)
    shown = leased.session(held["id"])
    assert [each["releasedAt"] for each in shown["devices"]] == [
        "2026-03-01T12:05:00.000000Z",
        HALF_PAST,
    ]
    assert shown["releasedAt"] == HALF_PAST


def test_a_lease_keeps_its_length_when_the_setting_changes(make_file_app: MakeApp) -> None:
    short = make_file_app(mobilenext_lease_minutes=1)
    held = Calls(short).hold()
    unlimited = make_file_app()
    unlimited.advance(minutes=1)
    assert Calls(unlimited).session(held["id"])["releasedAt"] is not None
    kept = Calls(unlimited).hold()
    again = make_file_app(mobilenext_lease_minutes=1)
    again.advance(days=1)
    assert Calls(again).session(kept["id"])["releasedAt"] is None


def test_moving_the_clock_back_revives_a_lease_whose_device_is_still_free(leased: Calls) -> None:
    held = leased.hold()
    leased.app.advance(minutes=30)
    assert leased.session(held["id"])["releasedAt"] is not None
    leased.app.advance(-MICROSECOND)
    assert leased.session(held["id"]) == held


def test_moving_the_clock_back_never_gives_a_device_to_two_sessions(leased: Calls) -> None:
    first = leased.hold(*filters_by_name("Pixel 9"))
    leased.allocate(first["id"], IOS)
    leased.app.advance(minutes=31)
    second = leased.hold(*filters_by_name("Pixel 9"))
    leased.app.advance(minutes=-10)
    assert leased.session(second["id"])["releasedAt"] is None
    ended = leased.session(first["id"])
    assert ended["releasedAt"] == HALF_PAST
    assert {each["status"] for each in ended["devices"]} == {"released"}
    assert error_of(leased.release(first["id"], "emulator-5554")) == (404, "device_not_found")


def test_moving_the_clock_back_does_not_undo_a_release(app: App, calls: Calls) -> None:
    held = calls.hold()
    app.advance(minutes=5)
    calls.release(held["id"], held["device"]["id"])
    released = calls.session(held["id"])
    app.advance(minutes=-4)
    assert calls.session(held["id"]) == released
    assert calls.hold()["device"] == held["device"]


@pytest.mark.parametrize("late", [0, 1, 10**9])
def test_a_session_that_is_empty_for_15_minutes_expires(calls: Calls, late: int) -> None:
    session = calls.start()
    before = contents(calls.app)
    calls.app.advance(minutes=15)
    calls.app.advance(MICROSECOND * late)
    for path in ("", "/devices", "/devices/emulator-5554"):
        assert error_of(calls.get(f"/sessions/{session}{path}")) == (404, "session_not_found")
    assert error_of(calls.allocate(session)) == (404, "session_not_found")
    assert error_of(calls.release(session, "emulator-5554")) == (404, "session_not_found")
    assert contents(calls.app) == before


def test_at_its_last_microsecond_an_empty_session_takes_a_device(calls: Calls) -> None:
    session = calls.start()
    calls.app.advance(minutes=15)
    calls.app.advance(-MICROSECOND)
    assert calls.get(f"/sessions/{session}/devices").json["data"] == []
    assert calls.allocate(session).status_code == 201
    calls.app.advance(minutes=60)
    assert calls.session(session)["releasedAt"] is None


def test_the_minutes_of_an_empty_session_are_fixed_at_its_start(make_file_app: MakeApp) -> None:
    session = Calls(make_file_app(mobilenext_empty_session_minutes=2)).start()
    app = make_file_app()
    app.advance(minutes=1)
    assert Calls(app).get(f"/sessions/{session}/devices").status_code == 200
    app.advance(minutes=1)
    assert Calls(app).get(f"/sessions/{session}/devices").status_code == 404


def test_a_session_is_created_at_the_instant_of_its_transaction(app: App, calls: Calls) -> None:
    assert calls.hold()["createdAt"] == NOON
    app.advance(seconds=1)
    assert calls.hold()["createdAt"] == NOON.replace("00.000000", "01.000000")
