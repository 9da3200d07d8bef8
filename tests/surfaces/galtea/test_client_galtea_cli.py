"""The vendor's command line, unmodified, against a server on a real socket."""

import json
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from sessionary.embedded import EmbeddedServer
from sessionary.factory import create_double
from tests.conftest import double_settings
from tests.sdk_environments import sdk_script

KEY = "gsk_0123456789abcdef"  # it refuses shorter keys
Run = Callable[..., Any]


@pytest.fixture(params=["", "/galtea", "/~other/galtea"])
def galtea(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Run]:
    """Run a command of a client that is logged in; give its JSON, or its text."""
    program = sdk_script.prepared("galtea-cli-5.13.0").program_path
    env = sdk_script.client_environment(tmp_path, {"GALTEA_API_KEY": KEY, "NO_COLOR": "1"})

    def run(*command: str, refused: str | None = None) -> Any:
        done = subprocess.run(
            [program, *command], env=env, capture_output=True, text=True, check=False, timeout=60
        )
        if refused is not None:
            assert done.returncode != 0, done.stdout
            assert refused in done.stdout + done.stderr
            return None
        assert done.returncode == 0, done.stderr
        try:
            return json.loads(done.stdout)
        except ValueError:
            return done.stdout

    with EmbeddedServer(create_double(double_settings())) as server:
        url = server.url + request.param
        assert run("login", "--host", url) == f"Logged in to {url}.\n"
        yield run


def test_its_commands_are_those_of_the_vendor_s_documentation(galtea: Run) -> None:
    for name in ("create", "delete", "delete-batch", "finish", "get", "list", "update"):
        assert f"\n  {name} " in galtea("sessions", "--help")
    for resource in ("versions", "testcases", "tests"):
        assert f"galtea {resource} " in galtea(resource, "--help")


def test_a_session_goes_through_every_command(galtea: Run) -> None:
    created = galtea("sessions", "create", "versionId: ver_123, customId: mine")
    assert (created["status"], created["isProduction"]) == ("PENDING", True)
    id = created["id"]
    assert galtea("sessions", "get", id) == created
    updated = galtea("sessions", "update", id, "metadata{a: 1}")
    assert updated == created | {"metadata": {"a": 1}}
    finished = galtea("sessions", "finish", id, "stoppingReason: done")
    assert finished == updated | {"status": "COMPLETED", "stoppingReason": "done"}
    assert galtea("sessions", "list", "--statuses", "COMPLETED") == [finished]
    assert galtea("sessions", "list", "--custom-ids", "other") == []
    galtea("sessions", "create", "versionId: ver_123, customId: mine", refused="already exists")
    galtea("sessions", "delete", id)
    galtea("sessions", "get", id, refused="not found")
    assert galtea("sessions", "list") == []
