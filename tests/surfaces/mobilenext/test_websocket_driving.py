"""Driving a device over `/ws`: what a call changes is remembered until the device is released."""

import struct
from base64 import b64decode
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.conftest import App, Serve
from tests.surfaces.mobilenext.api_client import ANDROID, IOS, device
from tests.websocket_client import WebSocketClient, open_websocket

SERIAL = "emulator-5554"
OK = {"status": "ok"}
Drive = Callable[..., Any]


@pytest.fixture
def ws(app: App, serve: Serve) -> Iterator[WebSocketClient]:
    with open_websocket(serve(app), Authorization="Bearer mob_test") as client:
        client.result("fleet.allocate", filters=[ANDROID])
        yield client


@pytest.fixture
def drive(ws: WebSocketClient) -> Drive:
    """Call a method of the device; gives the result."""
    return lambda method, **params: ws.result(f"device.{method}", deviceId=SERIAL, **params)


def size(screenshot: dict[str, str]) -> tuple[int, int]:
    """Return the width and the height of a PNG in a data URL."""
    head, data = screenshot["data"].split(",")
    assert (head, screenshot["format"]) == ("data:image/png;base64", "png")
    content = b64decode(data)
    assert content.startswith(b"\x89PNG\r\n\x1a\n")
    width, height = struct.unpack("!II", content[16:24])
    return width, height


def test_the_info_has_the_shapes_of_both_clients(drive: Drive, ws: WebSocketClient) -> None:
    info = drive("info")
    (listed,) = ws.result("devices.list")["devices"]
    screen = {"width": 1080, "height": 2400, "scale": 1}
    assert info["device"] == {**listed, "screenSize": screen}
    assert info == {**info["device"], "device": info["device"]}


def test_a_screenshot_is_the_same_until_something_in_it_changes(drive: Drive) -> None:
    first = drive("screenshot")
    assert size(first) == (1080, 2400)
    assert drive("screenshot", format="jpeg", quality=80) == first
    drive("apps.launch", bundleId="com.example.shop")
    second = drive("screenshot")
    assert second != first
    drive("io.orientation.set", orientation="landscape")
    assert size(drive("screenshot")) == (2400, 1080)


def test_a_long_name_in_a_screenshot_is_continued_and_cut_off(drive: Drive) -> None:
    pictures = []
    for length in (24, 25, 120, 100_000):
        drive("apps.launch", bundleId="a" * length)
        pictures.append(drive("screenshot"))
    assert pictures[2] == pictures[3]
    assert len({each["data"] for each in pictures}) == 3


def test_a_screenshot_is_cut_and_fitted(drive: Drive) -> None:
    clip = {"x": 10, "y": 20, "width": 300, "height": 100}
    assert size(drive("screenshot", clip=clip)) == (300, 100)
    assert size(drive("screenshot", clip=clip, maxSize=150)) == (150, 50)
    assert size(drive("screenshot", clip={**clip, "x": 1079, "y": -5})) == (1, 95)
    assert size(drive("screenshot", maxSize=240)) == (108, 240)


def test_the_elements_are_the_foreground_app_alone(drive: Drive) -> None:
    (root,) = drive("dump.ui", format="json")["elements"]
    assert (root["type"], root["identifier"]) == ("Window", "com.android.launcher")
    assert root["rect"] == {"x": 0, "y": 0, "width": 1080, "height": 2400}


def test_apps_are_launched_terminated_and_uninstalled(drive: Drive) -> None:
    assert drive("apps.list") == []
    for app in ("com.example.one", "com.example.two"):
        assert drive("apps.launch", bundleId=app) == OK
    assert [each["bundleId"] for each in drive("apps.list")] == [
        "com.example.one",
        "com.example.two",
    ]
    assert drive("apps.terminate", bundleId="com.example.one") == OK
    assert drive("apps.foreground")["bundleId"] == "com.example.two"
    assert drive("apps.terminate", bundleId="com.example.two") == OK
    assert drive("apps.foreground")["bundleId"] == "com.android.launcher"
    assert drive("apps.uninstall", bundleId="com.example.two") == OK
    assert [each["bundleId"] for each in drive("apps.list")] == ["com.example.one"]


def test_orientation_and_clipboard_are_forgotten_with_the_allocation(
    drive: Drive, ws: WebSocketClient
) -> None:
    def shown() -> tuple[str, str]:
        orientation, text = drive("io.orientation.get"), drive("clipboard.get")
        return orientation["orientation"], text["text"]

    assert shown() == ("portrait", "")
    assert drive("io.orientation.set", orientation="landscape") == OK
    assert drive("clipboard.set", text="é") == OK
    assert shown() == ("landscape", "é")
    ws.result("fleet.release", deviceId=SERIAL)
    ws.result("fleet.allocate", filters=[ANDROID])
    assert shown() == ("portrait", "")


def test_a_recording_lasts_whole_seconds_on_the_clock(
    drive: Drive, ws: WebSocketClient, app: App
) -> None:
    not_recording = (-32000, f"Device {SERIAL} is not recording")
    assert ws.error("device.screenrecord.stop", deviceId=SERIAL) == not_recording
    assert drive("screenrecord", output="a.mp4") == {"status": "recording", "output": "a.mp4"}
    app.advance(seconds=12.9)
    assert drive("screenrecord.stop") == {**OK, "duration": 12, "url": ""}
    assert ws.error("device.screenrecord.stop", deviceId=SERIAL) == not_recording


@pytest.mark.parametrize(
    ("method", "params"),
    [
        ("io.tap", {"x": 1, "y": 2}),
        ("io.tap", {"x": 1.5, "y": 2.5}),
        ("io.longpress", {"x": 1, "y": 2, "duration": 500}),
        ("io.swipe", {"x1": 1, "y1": -2, "x2": 9999, "y2": 4}),
        ("io.gesture", {"actions": [{"type": "press"}]}),
        ("io.text", {"text": "hello"}),
        ("io.keys", {"keys": ["command+a"]}),
        ("io.button", {"button": "HOME"}),
        ("location.set", {"latitude": 1.5, "longitude": -2}),
        ("location.clear", {}),
        ("apps.clear", {"bundleId": "a"}),
        ("url", {"url": "https://example.com"}),
        ("settings.apply", {"anything": 1}),
        ("boot", {}),
        ("reboot", {}),
        ("shutdown", {}),
    ],
)
def test_what_only_acts_is_answered_with_ok(
    drive: Drive, method: str, params: dict[str, Any]
) -> None:
    assert drive(method, **params) == OK


def test_there_are_no_crashes(drive: Drive, ws: WebSocketClient) -> None:
    assert drive("crashes.list") == []
    assert ws.error("device.crashes.get", deviceId=SERIAL, id="c")[0] == -32000


@pytest.mark.parametrize(
    ("method", "params", "data"),
    [
        ("io.tap", {"x": 1}, "y: is required"),
        ("io.tap", {"x": True, "y": "2"}, "x: must be a number; y: must be a number"),
        ("io.keys", {"keys": [1]}, "keys.0: must be a string"),
        ("io.orientation.set", {"orientation": "up"}, "orientation: must be one of portrait"),
        ("screenshot", {"clip": {"x": 1}}, "clip.y: is required"),
    ],
)
def test_wrong_parameters_are_named(
    ws: WebSocketClient, method: str, params: dict[str, Any], data: str
) -> None:
    code, found = ws.error(f"device.{method}", deviceId=SERIAL, **params)
    assert code == -32602
    assert found.startswith(data)


def test_a_device_must_be_held_and_ready(ws: WebSocketClient, app: App) -> None:
    assert ws.error("device.info") == (-32602, "deviceId: is required")
    assert ws.error("device.info", deviceId="nope") == (-32000, "Device nope is not allocated")
    app.seed(device("A-1", provision_seconds=20))
    ws.result("fleet.allocate", filters=[IOS])
    still = (-32000, "Device A-1 is still allocating")
    assert ws.error("device.io.text", deviceId="A-1", text="x") == still
    app.advance(seconds=20)
    assert ws.result("device.io.text", deviceId="A-1", text="x") == OK
    ws.result("fleet.release", deviceId="A-1")
    gone = (-32000, "Device A-1 is not allocated")
    assert ws.error("device.io.text", deviceId="A-1", text="x") == gone


def test_a_readonly_member_looks_and_does_not_touch(strict: App, serve: Serve) -> None:
    url = serve(strict)
    with open_websocket(url, Authorization="Bearer mob_ana") as ana:
        serial = ana.result("fleet.allocate", filters=[IOS])["device"]["id"]
    with open_websocket(url, Authorization="Bearer mob_rob") as rob:
        assert rob.result("device.info", deviceId=serial)["id"] == serial
        refused = (-32000, "Your role in this organization does not allow this")
        assert rob.error("device.boot", deviceId=serial) == refused
        assert rob.error("device.clipboard.set", deviceId=serial, text="x") == refused
