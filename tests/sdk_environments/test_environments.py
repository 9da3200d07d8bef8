"""The prepared clients are there, import, and cannot leave this host."""

from __future__ import annotations

import socket
import subprocess
import threading
from contextlib import closing
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.sdk_environments import environments, sdk_script

if TYPE_CHECKING:
    from collections.abc import Iterator

SCRIPTS = Path(__file__).parent / "scripts"
NOBODY = "192.0.2.1"  # reserved for documentation: it answers nowhere


@pytest.mark.parametrize(
    ("environment", "client", "distribution", "version"),
    [
        ("galtea-4.18", "galtea:Galtea", "galtea", "4.18.0"),
        ("notte-1.2", "notte.sdk.client:NotteClient", "notte", "1.2.1"),
        ("scale-egp-1.1", "scale_egp.sdk.client:EGPClient", "scale-egp", "1.1.15"),
    ],
)
def test_a_python_environment_imports_its_client(
    environment: str, client: str, distribution: str, version: str
) -> None:
    script = SCRIPTS / "import_client.py"
    assert sdk_script.run(environment, script, client, distribution) == version


def test_the_node_environment_imports_its_driver() -> None:
    assert sdk_script.run_node(SCRIPTS / "import_driver.mjs") == "FleetApiClient"


def test_mobilecli_says_its_version(tmp_path: Path) -> None:
    said = subprocess.check_output(
        [sdk_script.mobilecli(), "--version"],
        env=sdk_script.client_environment(tmp_path),
        text=True,
    )
    assert said == "mobilecli version 1.0.9\n"


def test_a_python_client_reaches_this_host_and_no_other() -> None:
    with closing(socket.create_server(("127.0.0.1", 0))) as server:
        here = f"127.0.0.1:{server.getsockname()[1]}"
        there, named = f"{NOBODY}:80", "example.com:80"
        heard = sdk_script.run("notte-1.2", SCRIPTS / "reach.py", here, there, named)
    assert heard["addresses"] == {
        here: "connected",
        there: f"{NOBODY} is not this host",
        named: "example.com is not this host",
    }


def test_a_node_client_reaches_this_host_and_no_other(url: str) -> None:
    there = f"http://{NOBODY}/"
    heard = sdk_script.run_node(SCRIPTS / "reach.mjs", url, there)
    assert heard == {url: 501, there: f"{NOBODY} is not this host"}


def test_a_client_inherits_no_proxy_and_no_credential(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTPS_PROXY", "http_proxy", "NOTTE_API_KEY"):
        monkeypatch.setenv(name, "http://proxy.invalid:1")
    heard = sdk_script.run("notte-1.2", SCRIPTS / "reach.py", env={"NOTTE_SERVER": "x"})
    given = {"HOME", "PATH", "LANG", "TZ", "NOTTE_SERVER"}
    assert given <= set(heard["variables"])
    assert not {"HTTPS_PROXY", "http_proxy", "NOTTE_API_KEY"} & set(heard["variables"])


def test_a_half_prepared_folder_is_not_prepared(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(environments, "ROOT", tmp_path)
    half = environments.ENVIRONMENTS["notte-1.2"]
    half.program_path.parent.mkdir(parents=True)
    half.program_path.touch()
    assert not half.is_prepared()
    half.stamp.write_text(half.declaration())
    assert half.is_prepared()


@pytest.mark.parametrize(
    ("ci", "outcome"), [("true", pytest.fail.Exception), ("", pytest.skip.Exception)]
)
def test_a_client_that_is_not_there_is_skipped_but_fails_in_ci(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, ci: str, outcome: type[BaseException]
) -> None:
    monkeypatch.setattr(environments, "ROOT", tmp_path)
    monkeypatch.setenv("CI", ci)
    with pytest.raises(outcome, match=r"python -m tests\.sdk_environments\.environments"):
        sdk_script.mobilecli()


@pytest.fixture
def url() -> Iterator[str]:
    """Return the address of a server that answers 501 to everything."""
    with HTTPServer(("127.0.0.1", 0), BaseHTTPRequestHandler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()
        thread.join()
