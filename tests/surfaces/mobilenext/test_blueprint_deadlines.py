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
def leased(make_app: MakeApp) -> App:
    return make_app(mobilenext_lease_minutes=30)


def test_without_the_setting_a_lease_never_ends(app: App, calls: Calls) -> None:
    held = calls.hold()
    app.advance(days=3650)
    assert calls.session(held["id"]) == held


def test_a_session_is_active_a_microsecond_before_its_lease_ends(leased: App) -> None:
    calls = Calls(leased)
    held = calls.hold(*filters_by_name("Pixel 9"))
    leased.advance(minutes=30)
    leased.advance(-MICROSECOND)
    assert calls.session(held["id"]) == held
    assert calls.page()["data"] == [held]
    assert error_of(calls.allocate(calls.start(), *filters_by_name("Pixel 9"))) == (
        409,
        "no_device_available",
    )


@pytest.mark.parametrize("late", [0, 1, 10**9])
def test_from_the_end_of_its_lease_a_session_is_released_without_a_write(
    leased: App, late: int
) -> None:
    calls = Calls(leased)
    held = calls.hold()
    before = contents(leased)
    leased.advance(minutes=30)
    leased.advance(MICROSECOND * late)
    shown = calls.session(held["id"])
    assert shown["releasedAt"] == HALF_PAST
    assert shown["devices"] == [
        {**held["devices"][0], "status": "released", "releasedAt": HALF_PAST}
    ]
    assert shown["device"] == held["device"]
    assert calls.page()["data"] == [shown]
    assert contents(leased) == before


def test_when_a_lease_ends_its_devices_are_free(leased: App) -> None:
    calls = Calls(leased)
    first = calls.hold(*filters_by_name("Pixel 9"))
    leased.advance(minutes=30)
    second = calls.hold(*filters_by_name("Pixel 9"))
    assert second["device"] == first["device"]
    assert second["releasedAt"] is None
    assert calls.session(first["id"])["releasedAt"] == HALF_PAST


def test_releasing_after_the_end_of_the_lease_is_404_and_writes_nothing(leased: App) -> None:
    calls = Calls(leased)
    held = calls.hold()
    leased.advance(minutes=30)
    before = contents(leased)
    response = calls.release(held["id"], held["device"]["id"])
    assert error_of(response) == (404, "device_not_found")
    assert error_of(calls.allocate(held["id"])) == (409, "session_released")
    assert contents(leased) == before


def test_a_release_at_the_last_microsecond_of_the_lease_counts(leased: App) -> None:
    calls = Calls(leased)
    held = calls.hold()
    leased.advance(minutes=30)
    leased.advance(-MICROSECOND)
    assert calls.release(held["id"], held["device"]["id"]).status_code == 202
    leased.advance(minutes=5)
    assert calls.session(held["id"])["releasedAt"] == "2026-03-01T12:29:59.999999Z"


def test_the_lease_covers_every_device_and_counts_from_the_first(leased: App) -> None:
    calls = Calls(leased)
    held = calls.hold(ANDROID)
    leased.advance(minutes=29)
    calls.allocate(held["id"], IOS)
    leased.advance(minutes=1)
    shown = calls.session(held["id"])
    assert [each["releasedAt"] for each in shown["devices"]] == [HALF_PAST, HALF_PAST]
    assert shown["releasedAt"] == HALF_PAST


def test_the_lease_counts_from_the_first_device_not_from_the_start(leased: App) -> None:
    calls = Calls(leased)
    session = calls.start()
    leased.advance(minutes=10)
    calls.allocate(session)
    leased.advance(minutes=29)
    assert calls.session(session)["releasedAt"] is None
    leased.advance(minutes=1)
    assert calls.session(session)["releasedAt"] == "2026-03-01T12:40:00.000000Z"


def test_a_device_released_before_the_lease_ended_keeps_its_own_instant(leased: App) -> None:
    calls = Calls(leased)
    held = calls.hold(ANDROID)
    calls.allocate(held["id"], IOS)
    leased.advance(minutes=5)
    calls.release(held["id"], held["device"]["id"])
    leased.advance(minutes=60)
    shown = calls.session(held["id"])
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


def test_moving_the_clock_back_revives_a_lease_whose_device_is_still_free(leased: App) -> None:
    calls = Calls(leased)
    held = calls.hold()
    leased.advance(minutes=30)
    assert calls.session(held["id"])["releasedAt"] is not None
    leased.advance(-MICROSECOND)
    assert calls.session(held["id"]) == held


def test_moving_the_clock_back_never_gives_a_device_to_two_sessions(leased: App) -> None:
    calls = Calls(leased)
    first = calls.hold(*filters_by_name("Pixel 9"))
    calls.allocate(first["id"], IOS)
    leased.advance(minutes=31)
    second = calls.hold(*filters_by_name("Pixel 9"))
    leased.advance(minutes=-10)
    assert calls.session(second["id"])["releasedAt"] is None
    ended = calls.session(first["id"])
    assert ended["releasedAt"] == HALF_PAST
    assert {each["status"] for each in ended["devices"]} == {"released"}
    assert error_of(calls.release(first["id"], "emulator-5554")) == (404, "device_not_found")


def test_moving_the_clock_back_does_not_undo_a_release(app: App, calls: Calls) -> None:
    held = calls.hold()
    app.advance(minutes=5)
    calls.release(held["id"], held["device"]["id"])
    released = calls.session(held["id"])
    app.advance(minutes=-4)
    assert calls.session(held["id"]) == released
    assert calls.hold()["device"] == held["device"]


@pytest.mark.parametrize("late", [0, 1, 10**9])
def test_a_session_that_stays_empty_for_15_minutes_expires(
    app: App, calls: Calls, late: int
) -> None:
    session = calls.start()
    before = contents(app)
    app.advance(minutes=15)
    app.advance(MICROSECOND * late)
    for path in ("", "/devices", "/devices/emulator-5554"):
        assert error_of(calls.get(f"/sessions/{session}{path}")) == (404, "session_not_found")
    assert error_of(calls.allocate(session)) == (404, "session_not_found")
    assert error_of(calls.release(session, "emulator-5554")) == (404, "session_not_found")
    assert contents(app) == before


def test_at_its_last_microsecond_an_empty_session_takes_a_device_and_stays(
    app: App, calls: Calls
) -> None:
    session = calls.start()
    app.advance(minutes=15)
    app.advance(-MICROSECOND)
    assert calls.get(f"/sessions/{session}/devices").json["data"] == []
    assert calls.allocate(session).status_code == 201
    app.advance(minutes=60)
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
