"""Mobile Next's own command line, unmodified, against a server on a real socket."""

import json
import os
import signal
import subprocess
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from sessionary import clock
from tests.conftest import App, Serve
from tests.credentials import make_credentials
from tests.processes import running_server
from tests.sdk_environments import sdk_script
from tests.surfaces.mobilenext.api_client import Calls, add_copies, contents, device


class Answer(NamedTuple):
    """The output and the exit code of a command."""

    code: int
    said: dict[str, Any]

    @property
    def succeeded(self) -> bool:
        return (self.code, self.said["status"]) == (0, "ok")

    @property
    def data(self) -> Any:
        assert self.succeeded, self.said
        return self.said["data"]

    @property
    def error(self) -> str:
        assert self.code == 1, self.said
        assert self.said["status"] == "error"
        return str(self.said["error"])


class Mobilecli:
    """A version of `mobilecli` against one address; `env` are further variables."""

    def __init__(self, home: Path, url: str, version: str, **env: str) -> None:
        self.home = home
        self.env = {**env, "MOBILECLI_FLEET_URL": url.replace("http", "ws", 1) + "/ws"}
        self.program = str(sdk_script.mobilecli(version))

    def remote(self, *args: str, token: str) -> Answer:
        return self.run("remote", *args, token=token)

    def run(self, *args: str, token: str) -> Answer:
        env = {**self.env, "MOBILECLI_TOKEN": token}
        finished = subprocess.run(
            [self.program, *args],
            env=sdk_script.client_environment(self.home, env),
            capture_output=True,
            text=True,
            check=False,
            timeout=sdk_script.TIMEOUT_SECONDS,
        )
        return Answer(finished.returncode, json.loads(finished.stdout))

    def allocate(self, *args: str, key: str = "mob_test") -> Answer:
        return self.remote("allocate", *args, token=key)

    def release(self, serial: str, key: str = "mob_test") -> Answer:
        return self.remote("release", "--device", serial, token=key)

    def end_daemon(self) -> None:
        """End the process that a command with devices leaves, which keeps the first address."""
        with suppress(FileNotFoundError, ProcessLookupError):
            text = (self.home / ".mobilecli/daemon.pid").read_text()
            found, _ = json.JSONDecoder().raw_decode(text)  # the rest of a longer one may follow
            os.kill(found["pid"], signal.SIGTERM)


@pytest.fixture(params=sdk_script.MOBILECLI_VERSIONS)
def version(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def mobilecli(tmp_path: Path, app: App, serve: Serve, version: str) -> Iterator[Mobilecli]:
    mobilecli = Mobilecli(tmp_path, serve(app), version)
    yield mobilecli
    mobilecli.end_daemon()


def test_a_device_is_allocated_and_released(mobilecli: Mobilecli, calls: Calls) -> None:
    allocated = mobilecli.allocate("--platform", "android").data
    assert allocated["device"]["id"] == "emulator-5554"
    (session,) = calls.page()["data"]
    assert session["devices"][0]["id"] == allocated["allocationId"]
    assert session["releasedAt"] is None
    assert mobilecli.release("emulator-5554").succeeded
    assert calls.session(session["id"])["releasedAt"] is not None


def test_the_fleet_and_the_own_devices_are_listed(mobilecli: Mobilecli, app: App) -> None:
    app.seed(device("A-1"))
    (model,) = mobilecli.remote("list-devices", token="mob_test").data["devices"]
    assert model["name"] == "iPhone"
    mobilecli.allocate("--platform", "ios")
    (own,) = mobilecli.run("devices", token="mob_test").data["devices"]
    assert own["id"] == "A-1"


def test_a_ready_device_is_waited_for(mobilecli: Mobilecli) -> None:
    allocated = mobilecli.allocate("--platform", "android", "--wait").data
    assert (allocated["state"], allocated["device"]["id"]) == ("online", "emulator-5554")


def test_an_on_demand_device_is_waited_for(mobilecli: Mobilecli, app: App) -> None:
    """It polls every five seconds, and the clock runs a hundred times as fast."""
    app.seed(device("A-1", provision_seconds=20))
    with app.namespace.activate():
        clock.set_mode("scaled", rate=100)
    allocated = mobilecli.allocate("--platform", "ios", "--wait").data
    assert (allocated["state"], allocated["device"]["id"]) == ("online", "A-1")
    assert mobilecli.release("A-1").succeeded


def test_a_device_is_driven(mobilecli: Mobilecli, app: App, tmp_path: Path) -> None:
    app.seed(device("A-1"))
    mobilecli.allocate("--platform", "ios", "--wait")

    def run(*command: str) -> Any:
        return mobilecli.run(*command, "--device", "A-1", token="mob_test").data

    picture = tmp_path / "screen.png"
    run("screenshot", "--output", str(picture))
    assert picture.read_bytes().startswith(b"\x89PNG")
    run("io", "tap", "10,20")
    run("apps", "launch", "com.example.shop")
    assert [each["packageName"] for each in run("apps", "list")] == ["com.example.shop"]
    assert run("apps", "foreground")["packageName"] == "com.example.shop"
    (root,) = run("dump", "ui")["elements"]
    assert root["identifier"] == "com.example.shop"
    assert run("device", "info")["device"]["screenSize"]["width"] == 390
    assert mobilecli.release("A-1").succeeded


def test_a_device_is_allocated_and_driven_over_tls(tmp_path: Path, db: str, version: str) -> None:
    credentials = make_credentials(tmp_path)
    options = ("--db", db, "--auth", "lenient", *credentials.options())
    with running_server(*options) as server:
        trust = {"SSL_CERT_FILE": credentials.authority}
        mobilecli = Mobilecli(tmp_path, server.url, version, **trust)
        mobilecli.allocate("--platform", "android", "--wait")
        tap = ("io", "tap", "10,20", "--device", "emulator-5554")
        assert mobilecli.run(*tap, token="mob_test").succeeded
        assert mobilecli.release("emulator-5554").succeeded
        mobilecli.end_daemon()


def test_filters_choose_the_device(mobilecli: Mobilecli) -> None:
    wanted = ("--platform", "android", "--type", "real", "--version", ">=14", "--name", "Gal*")
    assert mobilecli.allocate(*wanted).data["device"]["name"] == "Galaxy S25"
    assert mobilecli.allocate(*wanted).data["device"]["name"] == "Galaxy A55"
    assert mobilecli.allocate(*wanted).error.startswith("allocate device: Every device")
    exact = ("--platform", "ios", "--version", "18.6.2")
    assert mobilecli.allocate(*exact).data["device"]["version"] == "18.6.2"


def test_an_on_demand_device_is_answered_at_once(
    mobilecli: Mobilecli, app: App, calls: Calls
) -> None:
    app.seed(device("A-1", provision_seconds=20))
    allocated = mobilecli.allocate("--platform", "ios").data
    assert allocated["state"] == "allocating"
    assert "not allocated in any active session" in mobilecli.release("A-1").error
    app.advance(seconds=20)
    assert mobilecli.release("A-1").succeeded
    assert calls.page()["data"][0]["releasedAt"] is not None


def test_a_session_far_down_the_list_is_found_over_the_pages(
    mobilecli: Mobilecli, app: App, calls: Calls
) -> None:
    held = calls.hold()
    add_copies(app, held["id"], 1100, 1)
    assert calls.listed(limit=500)[-1] != held["id"]
    assert mobilecli.release(held["device"]["id"]).succeeded
    assert calls.session(held["id"])["releasedAt"] is not None


def test_the_end_of_the_list_ends_the_search(mobilecli: Mobilecli, calls: Calls) -> None:
    calls.hold()
    assert mobilecli.release("NOPE").error == (
        "fleet.release: device NOPE is not allocated in any active session"
    )


def test_a_released_device_is_not_released_again(mobilecli: Mobilecli, calls: Calls) -> None:
    held = calls.hold()
    assert mobilecli.release(held["device"]["id"]).succeeded
    assert "not allocated in any active session" in mobilecli.release(held["device"]["id"]).error


def test_a_device_allocated_again_is_released_from_its_current_session(
    mobilecli: Mobilecli, calls: Calls
) -> None:
    over = calls.hold()
    calls.release(over["id"], over["device"]["id"])
    released = calls.session(over["id"])
    held = calls.hold()
    assert held["device"] == over["device"]
    assert mobilecli.release(held["device"]["id"]).succeeded
    assert calls.session(held["id"])["releasedAt"] is not None
    assert calls.session(over["id"]) == released


def test_an_error_is_printed_and_writes_nothing(mobilecli: Mobilecli, app: App) -> None:
    before = contents(app)
    unknown = mobilecli.allocate("--platform", "android", key="unknown")
    assert unknown.error.startswith("create session: ")
    assert mobilecli.release("emulator-5554", key="unknown").error.startswith("fleet.release: ")
    assert contents(app) == before
    nothing = mobilecli.allocate("--platform", "android", "--name", "Nokia")
    assert nothing.error == "allocate device: No device matches these filters"


def test_a_readonly_member_cannot_allocate(
    tmp_path: Path, strict: App, serve: Serve, version: str
) -> None:
    mobilecli = Mobilecli(tmp_path, serve(strict), version)
    refused = mobilecli.allocate("--platform", "android", key="mob_rob")
    assert refused.error == "create session: Your role in this organization does not allow this"
    held = mobilecli.allocate("--platform", "android", key="mob_ana").data
    assert mobilecli.release(held["device"]["id"], key="mob_bot").succeeded
