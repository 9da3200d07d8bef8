"""Mobile Next's MCP server, unmodified, which runs `mobilecli`, against a real socket."""

import json
from pathlib import Path
from typing import Any

import pytest

from sessionary import clock
from tests.conftest import App, Serve
from tests.sdk_environments import sdk_script
from tests.sdk_environments.environments import HERE
from tests.surfaces.mobilenext.api_client import device

SCRIPT = Path(__file__).with_name("sdk_script_mcp.mjs")
SHOP = {"packageName": "com.example.shop"}
SAME_SIZE = "Screenshot is 390x844 and its coordinates match the screen."
# Tools that act on the device, their arguments, and how what they say begins.
ON_DEVICE: list[tuple[str, dict[str, Any], str]] = [
    ("take_screenshot", {}, f"{SAME_SIZE},image/png iVBORw0KGg"),
    ("launch_app", SHOP, "Launched app com.example.shop"),
    ("list_apps", {}, "Found these apps on device: shop (com.example.shop)"),
    ("get_foreground_app", {}, "Foreground app: shop (com.example.shop)"),
    ("click_on_screen_at_coordinates", {"x": 10, "y": 20}, "Clicked on screen at coordinates: 10"),
    ("list_elements_on_screen", {}, "One element per line"),
    ("click_on_screen_at_coordinates", {"ref": "@e1"}, "Clicked on element @e1"),
    ("get_screen_size", {}, "Screen size is 390x844 pixels"),
    ("swipe_on_screen", {"direction": "up"}, "Swiped up on screen"),
    ("type_keys", {"text": "hi", "submit": True}, "Typed text: hi"),
    ("press_button", {"button": "HOME"}, "Pressed the button: HOME"),
    ("open_url", {"url": "https://example.com"}, "Opened URL: https://example.com"),
    ("set_orientation", {"orientation": "landscape"}, "Changed device orientation to landscape"),
    ("get_orientation", {}, "Current device orientation is landscape"),
    ("list_crashes", {}, "[]"),
    ("terminate_app", SHOP, "Terminated app com.example.shop"),
]


@pytest.mark.parametrize("version", sdk_script.MOBILECLI_VERSIONS)
def test_its_remote_tools_allocate_drive_and_release_an_on_demand_device(
    app: App, serve: Serve, version: str
) -> None:
    """It waits five seconds between two polls, and the clock runs a hundred times as fast."""
    app.seed(device("A-1", provision_seconds=20))
    with app.namespace.activate():
        clock.set_mode("scaled", rate=100)
    tools = [
        ("list_remote_devices", {}),
        ("allocate_remote_device", {"platform": "ios", "wait": True}),
        ("list_available_devices", {}),
        *((name, {"device": "A-1", **given}) for name, given, _ in ON_DEVICE),
        ("release_remote_device", {"device": "A-1"}),
        ("get_orientation", {"device": "A-1"}),
    ]
    env = {
        "MOBILECLI_FLEET_URL": serve(app).replace("http", "ws", 1) + "/ws",
        "MOBILECLI_TOKEN": "mob_test",
        "MOBILECLI_PATH": str(sdk_script.mobilecli(version)),
        "MOBILEMCP_DISABLE_TELEMETRY": "1",
    }
    guard = (HERE / "loopback_only.mjs").as_uri()
    calls = json.dumps([(f"mobile_{name}", given) for name, given in tools])
    fleet, held, listed, *said, released, late = sdk_script.run_node(SCRIPT, guard, calls, env=env)
    assert json.loads(fleet)["data"]["devices"][0]["name"] == "iPhone"
    assert json.loads(held)["data"]["device"]["id"] == "A-1"
    assert [each["id"] for each in json.loads(listed)["devices"]] == ["A-1"]
    for (name, _, expected), found in zip(ON_DEVICE, said, strict=True):
        assert found.startswith(expected), name
    assert json.loads(released)["status"] == "ok"
    assert late.startswith("failed: ")
    assert "Device A-1 is not allocated" in late
