"""The prepared clients exist, can be imported, and connect to this host only."""

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
OTHER_HOST = "192.0.2.1"  # reserved for documentation: no host has it


@pytest.mark.parametrize(
    ("environment", "client", "distribution", "version"),
    [
        ("galtea-4.18.0", "galtea:Galtea", "galtea", "4.18.0"),
        ("notte-1.2.1", "notte.sdk.client:NotteClient", "notte", "1.2.1"),
        ("scale-egp-1.1.15", "scale_egp.sdk.client:EGPClient", "scale-egp", "1.1.15"),
    ],
)
def test_a_python_environment_imports_its_client(
    environment: str, client: str, distribution: str, version: str
) -> None:
    script = SCRIPTS / "import_client.py"
    assert sdk_script.run(environment, script, client, distribution) == version


def test_the_node_environment_imports_its_driver() -> None:
    assert sdk_script.run_node(SCRIPTS / "import_driver.mjs") == "FleetApiClient"


@pytest.mark.parametrize("version", sdk_script.MOBILECLI_VERSIONS)
def test_mobilecli_prints_its_version(tmp_path: Path, version: str) -> None:
    printed = subprocess.check_output(
        [sdk_script.mobilecli(version), "--version"],
        env=sdk_script.client_environment(tmp_path),
        text=True,
    )
    assert printed == f"mobilecli version {version}\n"


def test_a_python_client_connects_to_this_host_only() -> None:
    with closing(socket.create_server(("127.0.0.1", 0))) as server:
        here = f"127.0.0.1:{server.getsockname()[1]}"
        there, named = f"{OTHER_HOST}:80", "example.com:80"
        result = sdk_script.run("notte-1.2.1", SCRIPTS / "reach.py", here, there, named)
    assert result["addresses"] == {
        here: "connected",
        there: f"{OTHER_HOST} is not this host",
        named: "example.com is not this host",
    }


def test_a_node_client_connects_to_this_host_only(url: str) -> None:
    there = f"http://{OTHER_HOST}/"
    result = sdk_script.run_node(SCRIPTS / "reach.mjs", url, there)
    assert result == {url: 501, there: f"{OTHER_HOST} is not this host"}


def test_a_client_inherits_no_proxy_and_no_credential(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTPS_PROXY", "http_proxy", "NOTTE_API_KEY"):
        monkeypatch.setenv(name, "http://proxy.invalid:1")
    result = sdk_script.run("notte-1.2.1", SCRIPTS / "reach.py", env={"NOTTE_SERVER": "x"})
    given = {"HOME", "PATH", "LANG", "TZ", "NOTTE_SERVER"}
    assert given <= set(result["variables"])
    assert not {"HTTPS_PROXY", "http_proxy", "NOTTE_API_KEY"} & set(result["variables"])


def test_incomplete_folders_are_not_prepared(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(environments, "ROOT", tmp_path)
    half = environments.ENVIRONMENTS["notte-1.2.1"]
    half.program_path.parent.mkdir(parents=True)
    half.program_path.touch()
    assert not half.is_prepared()
    half.stamp.write_text(half.declaration())
    assert half.is_prepared()


def test_an_environment_that_another_process_keeps_is_given_up_after_a_while(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(environments, "ROOT", tmp_path)
    monkeypatch.setattr(environments, "LOCK_TIMEOUT_SECONDS", 0)
    environment = environments.ENVIRONMENTS["notte-1.2.1"]
    with (
        environments.locked(environment),
        pytest.raises(environments.PreparationError, match="another process is still preparing"),
    ):
        environments.prepare(environment)


@pytest.mark.parametrize(
    ("ci", "outcome"), [("true", pytest.fail.Exception), ("", pytest.skip.Exception)]
)
def test_a_missing_client_skips_the_test_but_fails_it_in_ci(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, ci: str, outcome: type[BaseException]
) -> None:
    monkeypatch.setattr(environments, "ROOT", tmp_path)
    monkeypatch.setenv("CI", ci)
    with pytest.raises(outcome, match=r"python -m tests\.sdk_environments\.environments"):
        sdk_script.mobilecli()


@pytest.fixture
def url() -> Iterator[str]:
    """Serve 501 to every request; return the URL."""
    with HTTPServer(("127.0.0.1", 0), BaseHTTPRequestHandler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()
        thread.join()
