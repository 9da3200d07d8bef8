"""A copied test repeats a session's calls, and passes when it is run."""

import sys
from pathlib import Path
from typing import Any

import pytest

from sessionary.client import Client
from tests.control.conftest import NOON, NOTTE, Double
from tests.processes import run_command, running_double
from tests.surfaces.mobilenext.api_client import ANDROID

ORG = "000000000000000000000001"
ODD = 'a "title" `${x}` {y} \\ \u2028 \U0001f600'
PATHS = {
    "notte": ("/notte/session/start", {"session_timeout_minutes": 5}),
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


def run_pytest(folder: Path, *texts: str) -> None:
    for number, text in enumerate(texts):
        (folder / f"test_{number}.py").write_text(text)
    plugins = ("-p", "no:cacheprovider", "-p", "sessionary.testing.plugin")  # others are slow
    command = (sys.executable, "-m", "pytest", "-q", *plugins)
    ended = run_command(*command, cwd=folder, PYTEST_DISABLE_PLUGIN_AUTOLOAD="1")
    passed = f"\n{len(texts)} passed" in ended.stdout
    assert (ended.returncode, passed) == (0, True), ended.stdout


def make_session(double: Double, surface: str) -> str:
    """Open a session and change it where a call can, a minute later."""
    path, body = PATHS[surface]
    made = call(double, "POST", path, body)
    double.advance("1m")
    id = str(made.get("session_id") or made.get("id") or made["session"]["id"])
    if surface == "mobilenext":
        call(double, "POST", f"{path}/{id}/devices", {"filters": [ANDROID]})
    if surface == "scale":
        call(double, "DELETE", f"{path}/{id}")
    return id


def test_copied_pytests_pass(double: Double, tmp_path: Path) -> None:
    ids = {surface: make_session(double, surface) for surface in PATHS}
    double.advance("10m")
    run_pytest(tmp_path, *(copied(double, *each, "pytest") for each in ids.items()))


def test_it_asserts_what_the_session_is_at_the_instant_shown(
    double: Double, tmp_path: Path
) -> None:
    id, texts = double.start(session_timeout_minutes=5), []
    for at in ("+4m", "+5m", "+6m"):
        found = double.get(f"/sessions/notte/{id}/explain", headers={"Sessionary-At": at})
        texts.append(copied(double, "notte", id, "pytest", at))
        assert f'assert found["status"] == "{found["status"]}"' in texts[-1]
        assert f'now="{NOON}"' in texts[-1]
    other = texts.pop().replace('minutes": 5', 'minutes": 9')
    run_pytest(tmp_path, *texts)
    with pytest.raises(AssertionError, match="1 failed, 1 passed"):
        run_pytest(tmp_path, texts[0], other)


def test_forced_states_and_hidden_work_are_repeated_and_refused_calls_are_not(
    double: Double, tmp_path: Path
) -> None:
    id = double.start(session_timeout_minutes=5)
    double.advance("1m")
    fault = {"surface": "notte", "preset": "overloaded", "phase": "after"}
    double.post("/faults", fault, status=201)
    again = {"session_id": id}
    assert double.client.post("/notte/session/start", json=again, headers=NOTTE).status_code == 529
    double.call("DELETE", "/faults")
    refused = again | {"session_timeout_minutes": "no"}
    assert (
        double.client.post("/notte/session/start", json=refused, headers=NOTTE).status_code == 400
    )
    double.advance("30s")
    double.post(f"/sessions/notte/{id}/force", {"status": "error"})
    text = copied(double, "notte", id, "pytest")
    assert text.count("send(sessionary") == 2
    assert 'sessionary.force(session, "error")' in text
    run_pytest(tmp_path, text)


def test_a_session_that_no_call_opened_cannot_be_copied(double: Double) -> None:
    id = double.start()
    double.call("DELETE", "/journal")
    answer = double.get(f"/sessions/notte/{id}/test", status=409)
    assert answer["detail"].startswith("no call in the journal opened this session")


def test_a_session_is_not_copied_as_of_an_instant_before_the_call_that_opened_it(
    double: Double,
) -> None:
    id = double.start()
    double.advance("-1m")
    answer = double.get(f"/sessions/notte/{id}/test", status=409)
    assert answer["detail"] == (
        "call 1 opens this session at 2026-03-01T12:00:00.000000Z, after the instant "
        "2026-03-01T11:59:00.000000Z: ask as of a later one"
    )


def test_copied_node_tests_pass(double: Double, tmp_path: Path) -> None:
    ids = {surface: make_session(double, surface) for surface in PATHS}
    double.post(f"/sessions/notte/{ids['notte']}/force", {"status": "error"})
    double.advance("10m")
    for surface, id in ids.items():
        (tmp_path / f"{surface}.test.mjs").write_text(copied(double, surface, id, "node"))
    with running_double() as process:
        ended = run_command("node", "--test", cwd=tmp_path, SESSIONARY_URL=process.url)
        assert (ended.returncode, "# pass 4" in ended.stdout) == (0, True), ended.stdout
        assert Client(process.url).namespaces.list() == ["default"]
