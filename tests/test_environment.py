"""Where the vendors' clients find a world; their own tests are beside their surfaces."""

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from sessionary.environment import Environment
from sessionary.identity.callers import DEFAULT_ORGANIZATION
from sessionary.testing import Server
from tests.clients import conversation
from tests.processes import PATIENCE


@pytest.fixture
def server() -> Iterator[Server]:
    with Server() as server:
        yield server


def test_the_default_world_needs_neither_a_path_nor_a_special_key() -> None:
    variables = Environment("http://127.0.0.1:8000/").variables()
    assert variables["NOTTE_API_URL"] == "http://127.0.0.1:8000/notte"
    assert variables["NOTTE_API_KEY"] == "sk-notte-test"
    assert variables["SGP_ACCOUNT_ID"] == DEFAULT_ORGANIZATION


def test_mobilecli_s_address_goes_with_the_server_s() -> None:
    for url, fleet in (("http://a:1", "ws://a:1/ws"), ("https://a/b", "wss://a/b/ws")):
        assert Environment(url).variables()["MOBILECLI_FLEET_URL"] == fleet


def test_mobilecli_which_takes_no_path_finds_the_world_by_its_key(
    server: Server, tmp_path: Path
) -> None:
    world = server.world()
    told = subprocess.run(
        [conversation.mobilecli(), "remote", "allocate", "--platform", "android"],
        env=conversation.surroundings(tmp_path, world.variables()),
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )
    assert told.returncode == 0, told.stdout
    assert [each["surface"] for each in world.sessions()] == ["mobilenext"]
    assert server.client.sessions() == []


def test_scale_s_older_client_finds_the_world_by_its_environment(server: Server) -> None:
    world = server.world()
    variables = world.variables()
    account = variables.pop("EGP_ACCOUNT_ID")
    script = Path(__file__).parent / "surfaces/scale/conversation_scale_egp_account.py"
    heard = conversation.run("scale-egp-1.1", script, variables["EGP_API_KEY"], env=variables)
    assert heard == {variables["EGP_API_KEY"]: account}
    assert {call["path"] for call in world.journal.find()} == {"/user-info"}
