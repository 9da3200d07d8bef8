"""A copied test repeats a session's calls, and passes when it is run."""

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from sessionary.client import Client
from tests.control.conftest import NOON, Double
from tests.processes import Process, run_command, running_double

ORG = "000000000000000000000001"
ODD = 'a "title" `${x}` {y} \\ \u2028 \U0001f600'
PATHS = {
    "notte": ("/notte/session/start", {"idle_timeout_minutes": 5}),
    "scale": ("/scale/v4/sessions", {"title": ODD, "state": {"to": [1, None]}, "account_id": ORG}),
    "galtea": ("/galtea/sessions", {"versionId": "version_1", "customId": "one"}),
    "mobilenext": ("/mobilenext/api/v1/sessions", None),
}


def copied(double: Double, surface: str, id: str, kind: str, at: str | None = None) -> str:
    headers = {} if at is None else {"Sessionary-At": at}
    answer = double.call("GET", f"/sessions/{surface}/{id}/test?format={kind}", headers=headers)
    assert answer.status_code == 200, answer.text
    return answer.text


def call(double: Double, method: str, path: str, body: Any = None) -> Any:
    prefix = {"galtea": "gsk_", "mobilenext": "mob_"}.get(path.split("/")[1], "")
    headers = {"Authorization": f"Bearer {prefix}any", "x-api-key": "any"}
    answer = double.client.open(path, method=method, json=body, headers=headers)
    assert answer.status_code < 400, answer.text
    return answer.json


def run_pytest(text: str, folder: Path) -> None:
    (folder / "test_copied.py").write_text(text)
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "test_copied.py"]
    ended = run_command(*command, cwd=folder)
    assert (ended.returncode, "1 passed" in ended.stdout) == (0, True), ended.stdout


def make_session(double: Double, surface: str) -> str:
    """Open a session and change it where a call can, a minute later."""
    path, body = PATHS[surface]
    made = call(double, "POST", path, body)
    double.advance("1m")
    id = str(made.get("session_id") or made.get("id") or made["session"]["id"])
    if surface == "mobilenext":
        call(double, "POST", f"{path}/{id}/devices", {"filters": []})
    if surface == "scale":
        call(double, "DELETE", f"{path}/{id}")
    return id


@pytest.mark.parametrize("surface", PATHS)
def test_a_copied_pytest_passes(double: Double, surface: str, tmp_path: Path) -> None:
    id = make_session(double, surface)
    double.advance("10m")
    run_pytest(copied(double, surface, id, "pytest"), tmp_path)


def test_the_copied_test_fails_when_the_session_would_be_something_else(
    double: Double, tmp_path: Path
) -> None:
    text = copied(double, "notte", double.start(idle_timeout_minutes=5), "pytest", "+6m")
    with pytest.raises(AssertionError, match="1 failed"):
        run_pytest(text.replace('"idle_timeout_minutes": 5', '"idle_timeout_minutes": 9'), tmp_path)


@pytest.mark.parametrize("at", ["+4m", "+5m", "+6m"])
def test_it_asserts_what_the_session_is_at_the_instant_shown(
    double: Double, at: str, tmp_path: Path
) -> None:
    id = double.start(idle_timeout_minutes=5)
    found = double.get(f"/sessions/notte/{id}/explain", headers={"Sessionary-At": at})
    text = copied(double, "notte", id, "pytest", at)
    assert f'assert found["status"] == "{found["status"]}"' in text
    assert f'now="{NOON}"' in text
    run_pytest(text, tmp_path)


def test_forced_states_and_hidden_work_are_repeated_and_refused_calls_are_not(
    double: Double, tmp_path: Path
) -> None:
    double.post(
        "/faults", {"surface": "notte", "preset": "overloaded", "phase": "after"}, status=201
    )
    double.client.post("/notte/session/start", json={}, headers={"Authorization": "Bearer any"})
    id = double.newest_call()["session"]
    double.call("DELETE", "/faults")
    double.client.post(f"/notte/sessions/{id}/page/none", headers={"Authorization": "Bearer any"})
    double.advance("30s")
    double.post(f"/sessions/notte/{id}/force", {"status": "error"})
    text = copied(double, "notte", id, "pytest")
    assert text.count("send(sessionary") == 1
    assert 'sessionary.force(session, "error")' in text
    run_pytest(text, tmp_path)


def test_a_session_that_no_call_opened_cannot_be_copied(double: Double) -> None:
    id = double.start()
    double.call("DELETE", "/journal")
    answer = double.get(f"/sessions/notte/{id}/test", status=409)
    assert answer["detail"].startswith("no call in the journal opened this session")


@pytest.fixture(scope="module")
def running() -> Iterator[Process]:
    with running_double() as process:
        yield process


@pytest.mark.parametrize("surface", PATHS)
def test_a_copied_node_test_passes(
    double: Double, running: Process, surface: str, tmp_path: Path
) -> None:
    id = make_session(double, surface)
    double.advance("10m")
    (tmp_path / "copied.test.mjs").write_text(copied(double, surface, id, "node"))
    ended = run_command(
        "node", "--test", "copied.test.mjs", cwd=tmp_path, SESSIONARY_URL=running.url
    )
    assert (ended.returncode, "# pass 1" in ended.stdout) == (0, True), ended.stdout
    assert Client(running.url).namespaces.list()["namespaces"] == ["default"]
