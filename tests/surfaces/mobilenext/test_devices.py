"""The default devices, and adding, listing and retiring devices."""

from collections.abc import Iterator
from typing import Any

import pytest

from sessionary.surfaces.mobilenext import devices
from sessionary.surfaces.mobilenext.devices import BadDevice
from tests.conftest import App
from tests.surfaces.mobilenext.api_client import ANDROID, IOS, Calls, error_of, filters_by_name

PHONE = {
    "serial": "A-1",
    "platform": "android",
    "type": "real",
    "name": "Fairphone 6",
    "version": "15",
}


@pytest.fixture
def entered(app: App) -> Iterator[App]:
    with app.namespace.activate():
        yield app


def serials() -> list[str]:
    return [device.serial for device in devices.list_devices()]


@pytest.mark.usefixtures("entered")
def test_a_new_namespace_has_a_dozen_devices_of_both_platforms_real_and_emulated() -> None:
    found = devices.list_devices()
    assert len(found) == 12
    kinds = {(device.platform, device.type) for device in found}
    assert kinds == {
        ("android", "emulator"),
        ("android", "real"),
        ("ios", "real"),
        ("ios", "simulator"),
    }
    for platform in ("android", "ios"):
        versions = {device.version for device in found if device.platform == platform}
        assert len(versions) >= 4
    assert not any(device.is_allocated or device.is_retired for device in found)


@pytest.mark.usefixtures("entered")
def test_the_default_devices_are_ready_at_once_and_as_an_operator_could_add_them() -> None:
    for device in devices.list_devices():
        assert device.provision_seconds == 0
        facts = {name: getattr(device, name) for name in PHONE}
        assert devices.DeviceFacts().load(facts) == {**facts, "provision_seconds": 0}


@pytest.mark.parametrize(("more", "status"), [({}, 201), ({"provision_seconds": 30}, 202)])
def test_an_added_device_can_be_allocated(app: App, calls: Calls, more: Any, status: int) -> None:
    with app.namespace.activate():
        devices.add(**PHONE, **more)
        added = devices.list_devices()[-1]
    assert (added.serial, bool(added.is_default)) == ("A-1", False)
    session = calls.start()
    assert calls.allocate(session, *filters_by_name("Fairphone 6")).status_code == status
    assert calls.session(session)["device"]["id"] == "A-1"


def test_whether_a_device_is_allocated_follows_the_clock(app: App, calls: Calls) -> None:
    def held() -> list[str]:
        with app.namespace.activate():
            return [device.serial for device in devices.list_devices() if device.is_allocated]

    first = calls.hold(ANDROID)
    second = calls.hold(IOS)
    assert held() == [first["device"]["id"], second["device"]["id"]]
    calls.release(first["id"], first["device"]["id"])
    assert held() == [second["device"]["id"]]


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"serial": ""}, "serial"),
        ({"serial": "a/b"}, "serial"),
        ({"serial": ".."}, "serial"),
        ({"serial": "a b"}, "serial"),
        ({"serial": "a?b"}, "serial"),
        ({"serial": "a\n"}, "serial"),
        ({"serial": "a" * 129}, "serial"),
        ({"serial": "é"}, "serial"),
        ({"platform": "windows"}, "platform"),
        ({"platform": "Android"}, "platform"),
        ({"type": "tablet"}, "type"),
        ({"name": "a\x00"}, "name"),
        ({"name": ""}, "name"),
        ({"version": "sixteen"}, "version"),
        ({"version": ""}, "version"),
        ({"version": "16."}, "version"),
        ({"provision_seconds": -1}, "provision_seconds"),
        ({"provision_seconds": 86_401}, "provision_seconds"),
        ({"provision_seconds": 1.5}, "provision_seconds"),
        ({"provision_seconds": True}, "provision_seconds"),
        ({"serial": "emulator-5554"}, "is in the catalogue already"),
    ],
)
def test_an_invalid_device_is_not_added(entered: App, wrong: dict[str, Any], said: str) -> None:
    before = entered.rows("mobilenext_devices")
    with pytest.raises(BadDevice, match=said):
        devices.add(**{**PHONE, **wrong})
    assert entered.rows("mobilenext_devices") == before


@pytest.mark.usefixtures("entered")
def test_serials_of_real_tools_are_accepted() -> None:
    written = ["192.168.1.5:5555", "adb-A1._adb-tls-connect._tcp", "0000-AB", "R5CY_1"]
    for serial in written:
        devices.add(**{**PHONE, "serial": serial})
    assert serials()[-4:] == written


def test_a_retired_device_is_not_allocated_and_stays_until_it_is_released(
    app: App, calls: Calls
) -> None:
    held = calls.hold(*filters_by_name("Pixel 9"))
    with app.namespace.activate():
        assert devices.retire("emulator-5554")
        assert devices.list_devices()[0].is_retired
    assert calls.session(held["id"]) == held
    response = calls.allocate(calls.start(), *filters_by_name("Pixel 9"))
    assert error_of(response) == (404, "device_not_found")
    assert calls.release(held["id"], "emulator-5554").status_code == 202


@pytest.mark.usefixtures("entered")
def test_retiring_an_unknown_or_retired_device_returns_false() -> None:
    assert not devices.retire("nope")
    assert devices.retire("emulator-5554")
    assert not devices.retire("emulator-5554")


def test_adding_a_retired_device_restores_it_with_new_facts(calls: Calls) -> None:
    with calls.app.namespace.activate():
        devices.retire("emulator-5554")
        devices.add(**{**PHONE, "serial": "emulator-5554"})
        assert serials().count("emulator-5554") == 1
    assert calls.hold(*filters_by_name("Fairphone 6"))["device"]["id"] == "emulator-5554"
