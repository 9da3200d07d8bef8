"""Allocating and releasing devices."""

import pytest

from tests.conftest import MICROSECOND, App
from tests.surfaces.mobilenext.api_client import (
    ANDROID,
    IOS,
    Calls,
    contents,
    device,
    error_of,
    filters_by_name,
)

PIXEL = {"platform": "android", "type": "emulator", "name": "Pixel 9", "version": "16"}
TWO = device("slow", **PIXEL, provision_seconds=20) + device("fast", **PIXEL)


@pytest.fixture
def few(app: App) -> Calls:
    """Calls with two equal devices in the catalogue: an on-demand one, then a ready one."""
    app.seed(TWO)
    return Calls(app)


def test_a_ready_device_is_answered_with_201(calls: Calls) -> None:
    response = calls.allocate(calls.start(), *filters_by_name("iPhone 16", "ios"))
    assert response.status_code == 201
    assert set(response.json) == {"allocationId", "device"}
    assert response.json["device"] == {
        "id": "00008140-001C51D80E33001C",
        "name": "iPhone 16",
        "platform": "ios",
        "type": "real",
        "version": "18.6.2",
        "state": "online",
        "model": "iPhone 16",
    }


def test_an_on_demand_device_is_answered_with_202_and_its_serial_comes_later(few: Calls) -> None:
    few.hold()
    session = few.start()
    response = few.allocate(session)
    assert response.status_code == 202
    assert response.json == {"allocationId": response.json["allocationId"], "state": "allocating"}
    (allocation,) = few.get(f"/sessions/{session}/devices").json["data"]
    assert allocation["id"] == response.json["allocationId"]
    assert allocation["status"] == "provisioning"
    assert allocation["info"] == {
        "platform": "android",
        "type": "emulator",
        "name": "Pixel 9",
        "osVersion": "16",
    }


def test_a_session_is_listed_with_a_complete_device_while_provisioning(few: Calls) -> None:
    few.hold()
    held = few.hold()
    assert held["device"] == {
        "id": "slow",
        "platform": "android",
        "type": "emulator",
        "name": "Pixel 9",
        "osVersion": "16",
    }
    assert few.listed()[0] == held["id"]


def test_a_device_is_provisioning_until_its_time_has_passed(app: App, few: Calls) -> None:
    few.hold()
    held = few.hold()
    path = f"/sessions/{held['id']}/devices/slow"
    app.advance(seconds=20)
    app.advance(-MICROSECOND)
    assert few.get(path).json["status"] == "provisioning"
    assert "serial" not in few.get(path).json["info"]
    app.advance(MICROSECOND)
    for _ in range(2):
        assert few.get(path).json["status"] == "in_use"
        assert few.get(path).json["info"]["serial"] == "slow"
        assert few.session(held["id"])["devices"][0]["status"] == "in_use"
        app.advance(MICROSECOND)


def test_ready_devices_are_chosen_before_on_demand_ones(few: Calls) -> None:
    assert [few.hold()["device"]["id"] for _ in range(2)] == ["fast", "slow"]


def test_devices_that_match_are_chosen_in_catalogue_order(calls: Calls) -> None:
    given = [calls.hold(ANDROID)["device"]["id"] for _ in range(8)]
    assert given[:4] == ["emulator-5554", "emulator-5556", "emulator-5558", "emulator-5560"]
    assert len(set(given)) == 8


@pytest.mark.parametrize("status", [201, 202])
def test_a_device_is_allocated_to_one_session_at_a_time(app: App, few: Calls, status: int) -> None:
    held = [few.hold(), few.hold()][status - 201]
    session = few.start()
    before = contents(app)
    assert error_of(few.allocate(session)) == (409, "no_device_available")
    assert contents(app) == before
    few.release(held["id"], held["device"]["id"])
    assert few.allocate(session).status_code == status


def test_a_failed_allocation_leaves_an_empty_session_empty(few: Calls) -> None:
    first = few.hold()
    few.hold()
    session = few.start()
    assert few.allocate(session).status_code == 409
    assert few.get(f"/sessions/{session}").status_code == 404
    assert session not in few.listed()
    few.release(first["id"], "fast")
    assert few.allocate(session).status_code == 201
    assert few.listed()[0] == session


def test_filters_that_no_device_matches_are_404(app: App, calls: Calls) -> None:
    session = calls.start()
    before = contents(app)
    other = [IOS, {**ANDROID, "attribute": "name", "value": "Pixel 9"}]
    for filters in (other, filters_by_name("Nokia"), [{**ANDROID, "value": "windows"}]):
        assert error_of(calls.allocate(session, *filters)) == (404, "device_not_found")
    assert contents(app) == before


def test_a_session_may_hold_several_devices_and_shows_the_first(calls: Calls) -> None:
    held = calls.hold(ANDROID)
    calls.app.advance(seconds=1)
    calls.allocate(held["id"], IOS)
    both = calls.session(held["id"])
    assert both["device"] == held["device"]
    assert [each["info"]["platform"] for each in both["devices"]] == ["android", "ios"]
    assert both["devices"] == calls.get(f"/sessions/{held['id']}/devices").json["data"]
    assert calls.page()["data"] == [both]


def test_a_release_is_answered_with_the_allocation_and_shows_at_once(calls: Calls) -> None:
    held = calls.hold()
    calls.app.advance(minutes=2)
    response = calls.release(held["id"], held["device"]["id"])
    ended = {"releasedAt": "2026-03-01T12:02:00.000000Z"}
    released = {**held["devices"][0], "status": "released", **ended}
    assert (response.status_code, response.json) == (202, released)
    shown = calls.session(held["id"])
    assert shown == {**held, "devices": [released], **ended}
    assert calls.page()["data"] == [shown]


def test_a_session_is_released_with_its_last_device_for_good(calls: Calls) -> None:
    held = calls.hold(ANDROID)
    phone = calls.allocate(held["id"], IOS).json["device"]["id"]
    calls.app.advance(minutes=1)
    calls.release(held["id"], held["device"]["id"])
    assert calls.session(held["id"])["releasedAt"] is None
    calls.app.advance(minutes=1)
    calls.release(held["id"], phone)
    released = calls.session(held["id"])
    assert released["releasedAt"] == "2026-03-01T12:02:00.000000Z"
    assert released["device"] == held["device"]
    for minutes in (60, -61, -60):
        calls.app.advance(minutes=minutes)
        assert calls.session(held["id"]) == released


def test_a_released_device_is_free_while_its_first_session_goes_on(few: Calls) -> None:
    held = few.hold()
    few.allocate(held["id"])
    few.release(held["id"], "fast")
    other = few.hold()
    assert other["device"]["id"] == "fast"
    assert few.session(held["id"])["releasedAt"] is None


def test_a_device_allocated_again_is_the_session_s_newest_allocation(few: Calls) -> None:
    held = few.hold()
    few.allocate(held["id"])
    first = few.release(held["id"], "fast").json
    again = few.allocate(held["id"]).json
    assert again["device"]["id"] == "fast"
    newest = few.get(f"/sessions/{held['id']}/devices/fast").json
    assert (newest["id"], newest["status"]) == (again["allocationId"], "in_use")
    older = few.get(f"/sessions/{held['id']}/devices/{first['id']}").json
    assert older == first
    assert few.release(held["id"], "fast").json["id"] == again["allocationId"]


def test_a_provisioning_allocation_is_released_by_its_serial_or_its_id(few: Calls) -> None:
    few.hold()
    for name in ("device", "devices"):
        held = few.hold()
        key = held["devices"][0]["id"] if name == "devices" else held["device"]["id"]
        released = few.release(held["id"], key.upper() if name == "devices" else key)
        assert released.status_code == 202
        assert released.json["status"] == "released"
        assert few.session(held["id"])["releasedAt"] is not None


def test_releasing_a_device_twice_or_unallocated_is_404(calls: Calls) -> None:
    held, other, empty = calls.hold(), calls.hold(), calls.start()
    calls.release(held["id"], held["device"]["id"])
    before = contents(calls.app)
    for session, key in (
        (held["id"], held["device"]["id"]),
        (held["id"], held["devices"][0]["id"]),
        (other["id"], held["device"]["id"]),
        (other["id"], "nope"),
        (empty, other["device"]["id"]),
    ):
        assert error_of(calls.release(session, key)) == (404, "device_not_found")
        assert session == held["id"] or error_of(
            calls.get(f"/sessions/{session}/devices/{key}")
        ) == (404, "device_not_found")
    assert contents(calls.app) == before


def test_a_session_whose_devices_were_released_takes_a_further_one(app: App, calls: Calls) -> None:
    held = calls.hold(*filters_by_name("Pixel 9"))
    calls.release(held["id"], "emulator-5554")
    before = contents(app)
    assert error_of(calls.allocate(held["id"], *filters_by_name("Nokia")))[0] == 404
    assert contents(app) == before
    app.advance(minutes=1)
    calls.allocate(held["id"], IOS)
    again = calls.session(held["id"])
    assert again["releasedAt"] is None
    assert [again[name] for name in ("device", "createdAt")] == [held["device"], held["createdAt"]]
    assert [each["status"] for each in again["devices"]] == ["released", "in_use"]
    assert again["devices"][1]["createdAt"] == "2026-03-01T12:01:00.000000Z"
    assert calls.page()["data"] == [again]


def test_released_at_is_set_anew_at_the_next_last_release(app: App, calls: Calls) -> None:
    held = calls.hold()
    calls.release(held["id"], held["device"]["id"])
    app.advance(minutes=1)
    calls.allocate(held["id"])
    app.advance(minutes=1)
    assert calls.release(held["id"], held["device"]["id"]).status_code == 202
    assert calls.session(held["id"])["releasedAt"] == "2026-03-01T12:02:00.000000Z"


VERSION = {**ANDROID, "attribute": "version"}
BAD_FILTERS = [
    None, "platform=ios", {}, {"0": ANDROID}, [], [None], ["platform"], [[]], [{}],
    [{**ANDROID, "attribute": "name"}], [ANDROID, ANDROID], [ANDROID, IOS],
    *([{**ANDROID, "attribute": each}] for each in ("serial", "Platform")),
    *([{**ANDROID, "operator": each}] for each in ("equals", "NOT_EQUALS", None, "LESS_THAN")),
    *([{**ANDROID, "value": each}] for each in (None, True, ["android"], "android\x00", "\ud800")),
    *([{name: ANDROID[name] for name in ANDROID if name != without}] for without in ANDROID),
    [ANDROID, {**VERSION, "value": 16}],
    [ANDROID, {**VERSION, "operator": "GREATER_THAN", "value": "sixteen"}],
    *([ANDROID, {**VERSION, "operator": "LESS_THAN", "value": each}] for each in ("", "9" * 5000)),
    [ANDROID, *[{**ANDROID, "attribute": "name"}] * 100],
    *([ANDROID, {"attribute": attribute, "operator": operator, "value": "1"}]
      for attribute in ("type", "name")
      for operator in ("GREATER_THAN", "GREATER_THAN_OR_EQUALS", "LESS_THAN",
                       "LESS_THAN_OR_EQUALS")),
]  # fmt: skip


def test_invalid_filters_are_400(app: App, calls: Calls, subtests: pytest.Subtests) -> None:
    session = calls.start()
    before = contents(app)
    for filters in BAD_FILTERS:
        with subtests.test(filters=filters):
            response = calls.post(f"/sessions/{session}/devices", json={"filters": filters})
            assert error_of(response) == (400, "invalid_filters")
            assert contents(app) == before


def test_a_hundred_filters_and_long_versions_are_accepted(calls: Calls) -> None:
    most = {"attribute": "version", "operator": "LESS_THAN", "value": "9" * 18 + ".0" * 50}
    assert calls.allocate(calls.start(), ANDROID, *[most] * 99).status_code == 201


@pytest.mark.parametrize("options", [{}, {"json": {}}, {"json": {"Filters": [ANDROID]}}])
def test_missing_filters_are_invalid_filters(calls: Calls, options: dict[str, object]) -> None:
    response = calls.post(f"/sessions/{calls.start()}/devices", **options)
    assert error_of(response) == (400, "invalid_filters")


def test_the_message_about_filters_names_the_location(calls: Calls) -> None:
    response = calls.allocate(calls.start(), {**ANDROID, "operator": "LIKE"}, {**ANDROID})
    message = response.json["error"]["message"]
    assert message.startswith("filters.0.operator: must be one of EQUALS, GREATER_THAN")


def test_unknown_names_in_a_body_are_ignored(calls: Calls) -> None:
    session = calls.start()
    body = {"filters": [{**ANDROID, "note": 1}], "wait": True}
    assert calls.post(f"/sessions/{session}/devices", json=body).status_code == 201


CHOICES = [
    ("type", "EQUALS", "REAL", "00008150-000A4D2E3C78401C"),
    ("version", "GREATER_THAN_OR_EQUALS", "26", "00008150-000A4D2E3C78401C"),
    ("version", "LESS_THAN", "18", "00008110-000E28D43A62801E"),
    ("version", "STARTS_WITH", "18.6", "00008140-001C51D80E33001C"),
    ("name", "CONTAINS", "16e", "6D0F3F0E-5B1A-4C55-9A43-0F6F5B6C0D12"),
]


@pytest.mark.parametrize(("attribute", "operator", "value", "expected"), CHOICES)
def test_filters_choose_the_device(
    calls: Calls, attribute: str, operator: str, value: str, expected: str
) -> None:
    extra = {"attribute": attribute, "operator": operator, "value": value}
    assert calls.hold(IOS, extra)["device"]["id"] == expected


def test_an_allocation_keeps_the_description_of_its_device(app: App, few: Calls) -> None:
    held = few.hold()
    app.seed(TWO.replace('"16"', '"17"').replace("Pixel 9", "Pixel 10"))
    assert few.session(held["id"]) == held
    assert few.hold()["device"]["osVersion"] == "17"


def test_a_device_is_exclusive_across_organizations(strict: App) -> None:
    strict.seed(TWO)
    ana, zeta = Calls(strict, "mob_ana"), Calls(strict, "mob_ana-in-zeta")
    ana.hold()
    zeta.hold()
    for calls in (ana, zeta):
        assert error_of(calls.allocate(calls.start())) == (409, "no_device_available")
