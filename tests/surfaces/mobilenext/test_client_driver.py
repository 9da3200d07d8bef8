"""Mobile Next's driver for node, unmodified, against a server on a real socket."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from sessionary import clock
from tests.conftest import App, Serve
from tests.credentials import make_credentials
from tests.processes import running_server
from tests.sdk_environments import sdk_script
from tests.surfaces.mobilenext.api_client import Calls, device

SCRIPT = Path(__file__).with_name("sdk_script_driver.mjs")
POOL = Path(__file__).with_name("sdk_script_pool.mjs")
CONNECT = Path(__file__).with_name("sdk_script_connect.mjs")


@pytest.fixture
def run_script(app: App, serve: Serve) -> Callable[[str], Any]:
    """Play a name of the script; gives what happened."""
    return lambda name: sdk_script.run_node(SCRIPT, serve(app), name)


def test_a_ready_device_is_allocated_and_released(
    run_script: Callable[[str], Any], calls: Calls
) -> None:
    result = run_script("lifecycle")
    shown = calls.session(result["session"])
    assert result["device"] == {
        "id": shown["devices"][0]["id"],
        "status": "in_use",
        "info": {
            "platform": "android",
            "type": "emulator",
            "name": "Pixel 9",
            "osVersion": "16",
            "serial": "emulator-5554",
        },
        "createdAt": "",
    }
    assert result["released"]
    assert shown["releasedAt"] is not None


def test_the_driver_waits_for_an_on_demand_device(
    run_script: Callable[[str], Any], app: App, calls: Calls
) -> None:
    app.seed(device("A-1", provision_seconds=5))
    with app.namespace.activate():
        clock.set_mode("scaled", rate=50)
    result = run_script("onDemand")
    shown = calls.session(result["session"])
    assert result["device"]["id"] == shown["devices"][0]["id"]
    assert result["device"]["status"] == "in_use"
    assert result["device"]["info"]["serial"] == "A-1"
    assert result["device"]["createdAt"] == shown["createdAt"]


def test_a_session_whose_devices_were_released_takes_further_ones(
    run_script: Callable[[str], Any], calls: Calls
) -> None:
    result = run_script("reopening")
    shown = calls.session(result["session"])
    assert [each["info"]["serial"] for each in shown["devices"]] == result["serials"]
    assert [each["status"] for each in shown["devices"]] == ["released", "in_use"]
    assert shown["releasedAt"] is None


def test_a_device_that_comes_too_late_for_one_worker_of_a_pool_leaves_the_others(
    app: App, serve: Serve, calls: Calls
) -> None:
    app.seed(device("A-1", platform="android"))
    result = sdk_script.run_node(POOL, serve(app))
    assert result == {
        "first": "device allocation timed out after 1000ms",
        "late": "A-1",
        "workers": ["A-1"] * 3,
        "released": 2,
    }
    (session,) = calls.page()["data"]
    assert session["releasedAt"] == session["devices"][-1]["releasedAt"]


def test_a_device_is_driven_over_tls(tmp_path: Path, db: str) -> None:
    """The driver sends its key over TLS only."""
    credentials, seed = make_credentials(tmp_path), tmp_path / "seed.toml"
    seed.write_text(device("A-1", provision_seconds=1))
    options = ("--db", db, "--auth", "lenient", "--seed", str(seed), *credentials.options())
    with running_server(*options) as server:
        trust = {"NODE_EXTRA_CA_CERTS": credentials.authority}
        result = sdk_script.run_node(CONNECT, server.url, env=trust)
    shop = {"bundleId": "com.example.shop", "name": "shop", "version": "1.0"}
    (element,) = result.pop("elements")
    assert (element["identifier"], element["isVisible"]) == ("com.example.shop", True)
    address = server.url.replace("http", "ws", 1)
    assert [each["id"] for each in result.pop("listed")] == [result.pop("given")["deviceId"]]
    assert result == {
        "apps": [shop],
        "foreground": shop,
        "screen": {"width": 390, "height": 844, "scale": 3},
        "orientation": "landscape",
        "screenshot": "PNG",
        "acts": 12,
        "recording": {"status": "ok", "duration": 0, "url": ""},
        "twice": "Device A-1 is not recording",
        "left": [[], "com.apple.springboard"],
        "released": "Device A-1 is not allocated",
        "refused": f"Failed to connect to {address}/ws?token=unknown: "
        "Unexpected server response: 401",
    }


def test_errors_have_status_code_and_message(run_script: Callable[[str], Any], app: App) -> None:
    app.seed(device("A-1"))
    result = run_script("errors")
    expected = {
        "key": "401: unauthorized — Not authenticated",
        "filters": "400: invalid_filters — filters: ",
        "held": "409: no_device_available — Every device that matches",
        "kind": "404: device_not_found — No device matches",
        "session": "404: session_not_found — Session nope not found",
        "device": "404: device_not_found — Device nope is not allocated",
        "twice": "404: device_not_found — Device A-1 is not allocated",
    }
    assert result.keys() == expected.keys()
    for name, message in expected.items():
        assert f"failed with {message}" in result[name], name
