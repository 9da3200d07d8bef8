"""Where the vendors' clients find a namespace; their own tests are beside their surfaces."""

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from sessionary.identity.authentication import DEFAULT_ORGANIZATION
from sessionary.sdk_env import Environment
from sessionary.testing import Server
from tests.processes import TIMEOUT_SECONDS
from tests.sdk_environments import sdk_script


@pytest.fixture
def server() -> Iterator[Server]:
    with Server() as server:
        yield server


def test_the_default_namespace_needs_neither_a_path_nor_a_special_key() -> None:
    variables = Environment("http://127.0.0.1:8000/").variables()
    assert variables["NOTTE_API_URL"] == "http://127.0.0.1:8000/notte"
    assert variables["NOTTE_API_KEY"] == "sk-notte-test"
    assert variables["SGP_ACCOUNT_ID"] == DEFAULT_ORGANIZATION


def test_mobilecli_s_address_goes_with_the_server_s() -> None:
    for url, fleet in (("http://a:1", "ws://a:1/ws"), ("https://a/b", "wss://a/b/ws")):
        assert Environment(url).variables()["MOBILECLI_FLEET_URL"] == fleet


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ({}, "127.0.0.1"),
        ({"NO_PROXY": "a.test, b.test"}, "a.test,b.test,127.0.0.1"),
        ({"NO_PROXY": "a.test", "no_proxy": "b.test,a.test"}, "a.test,b.test,127.0.0.1"),
        ({"no_proxy": "127.0.0.1,*"}, "127.0.0.1,*"),
    ],
)
def test_the_double_s_host_is_added_to_those_without_a_proxy(
    before: dict[str, str], after: str
) -> None:
    variables = Environment("http://127.0.0.1:8000").variables(before)
    assert (variables["NO_PROXY"], variables["no_proxy"]) == (after, after)
    address = Environment("http://[::1]:8000").variables({})
    assert address["NO_PROXY"] == "::1"


def test_mobilecli_finds_the_namespace_by_its_key(server: Server, tmp_path: Path) -> None:
    namespace = server.namespace()
    told = subprocess.run(
        [sdk_script.mobilecli(), "remote", "allocate", "--platform", "android"],
        env=sdk_script.client_environment(tmp_path, namespace.variables()),
        capture_output=True,
        text=True,
        timeout=TIMEOUT_SECONDS,
        check=False,
    )
    assert told.returncode == 0, told.stdout
    assert [each["surface"] for each in namespace.sessions()] == ["mobilenext"]
    assert server.client.sessions() == []


def test_scale_s_older_client_finds_the_namespace_by_its_environment(server: Server) -> None:
    namespace = server.namespace()
    variables = namespace.variables()
    account = variables.pop("EGP_ACCOUNT_ID")
    script = Path(__file__).parent / "surfaces/scale/sdk_script_scale_egp_account.py"
    heard = sdk_script.run("scale-egp-1.1.15", script, variables["EGP_API_KEY"], env=variables)
    assert heard == {variables["EGP_API_KEY"]: account}
    assert {call["path"] for call in namespace.journal.find()} == {"/user-info"}
