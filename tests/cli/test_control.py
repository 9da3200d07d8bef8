"""The commands on the control plane, each against a running double."""

import json
import re
import socket
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from sessionary.cli import main, ready
from sessionary.client import Client, transport
from sessionary.sdk_env import Environment
from sessionary.seeds import loader
from tests.processes import COMMAND, Process, run_command, running_double

Run = Callable[..., Result]
NOON = "2026-03-01T12:00:00.000000Z"
IDLE = "2026-03-01T12:05:00.000001Z"  # five minutes later, and Notte's 1 µs after the deadline


@pytest.fixture(scope="module")
def double() -> Iterator[Process]:
    with running_double("--max-namespaces", "100") as process:
        yield process


@pytest.fixture
def client(double: Process, request: pytest.FixtureRequest) -> Client:
    """A new namespace for each test, with a clock frozen at noon."""
    name = f"t{abs(hash(request.node.nodeid))}"
    client = Client(double.url, name)
    client.namespaces.create(name, now=NOON)
    return client


@pytest.fixture
def run(client: Client, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Run a command in the namespace of this test."""
    monkeypatch.setenv("SESSIONARY_URL", client.url)
    monkeypatch.setenv("SESSIONARY_NAMESPACE", client.namespace)
    return lambda *args: CliRunner().invoke(main, args)


def run_json(run: Run, *command: str) -> Any:
    result = run(*command, "--json")
    assert result.exit_code == 0, result.output
    return json.loads(result.output)


@pytest.fixture
def session(client: Client, double: Process) -> str:
    """A Notte session that is idle after five minutes."""
    notte = Environment("", client.namespace).notte
    who = {"Authorization": f"Bearer {notte.key}"}
    return str(double.request("POST", f"{notte.url}/session/start", {}, **who)[1]["session_id"])


def test_the_clock_is_shown_moved_set_frozen_scaled_and_real(run: Run) -> None:
    assert run_json(run, "clock")["now"] == NOON
    assert "frozen  2026-03-01T12:00:00.000000Z" in run("clock").output
    assert run_json(run, "clock", "advance", "-90s")["now"] == "2026-03-01T11:58:30.000000Z"
    assert run_json(run, "clock", "set", NOON)["now"] == NOON
    assert run_json(run, "clock", "freeze", IDLE)["now"] == IDLE
    assert run_json(run, "clock", "scale", "40")["rate"] == 40
    assert run_json(run, "clock", "real")["mode"] == "real"


@pytest.mark.parametrize("unit", ["-1h", "-5m", "-1h30m", "-PT1H"])
def test_a_duration_that_begins_with_a_dash_is_an_argument_and_no_option(
    run: Run, unit: str
) -> None:
    expected = "2026-03-01T10:30:00.000000Z" if unit == "-1h30m" else "2026-03-01T11:00:00.000000Z"
    expected = "2026-03-01T11:55:00.000000Z" if unit == "-5m" else expected
    for command in ("advance", "set", "freeze"):
        run("clock", "freeze", NOON)
        result = run("clock", command, unit, "--json")
        assert json.loads(result.output)["now"] == expected, result.output
        run("clock", "freeze", NOON)
        assert expected in run("clock", command, "--", unit).output
        assert run("clock", command, "-h").output.startswith("Usage: ")


def test_an_instant_may_be_relative_wherever_one_is_taken(
    run: Run, client: Client, session: str
) -> None:
    assert run_json(run, "clock", "set", "+1h")["now"] == "2026-03-01T13:00:00.000000Z"
    assert run_json(run, "clock", "freeze", "-1h")["now"] == NOON
    assert run_json(run, "sessions", "--at", "-1s") == []
    assert run_json(run, "explain", session, "--at", "+10m")["status"] == "timed_out"
    assert len(run_json(run, "timeline", "--from", "-1h", "--to", "+1h")["transitions"]) == 1
    assert run_json(run, "timeline", "--to", "+1s")["transitions"] == []
    assert len(run_json(run, "diff", "--from", "-1s", "--to", "+0s")["changes"]) == 1
    assert (
        run_json(run, "lanes", "--from", "-1h", "--to", "+1h")["to"]
        == "2026-03-01T13:00:00.000000Z"
    )
    fault = run_json(run, "faults", "add", "notte", "overloaded", "--from", "-1h", "--to", "+1d")
    assert (fault["from"], fault["to"]) == (
        "2026-03-01T11:00:00.000000Z",
        "2026-03-02T12:00:00.000000Z",
    )
    made = run_json(run, "namespaces", "create", "--now", "-1d")
    assert made["clock"]["now"] == "2026-02-28T12:00:00.000000Z"
    client.namespaces.drop(made["name"])


def test_the_clock_moves_to_the_next_transition(run: Run, session: str) -> None:
    assert session
    assert run_json(run, "clock", "advance", "--to-next")["now"] == IDLE


def test_the_clock_moves_until_a_session_has_a_status(run: Run, session: str) -> None:
    assert run_json(run, "clock", "advance", "--until", session, "timed_out")["now"] == IDLE
    assert "give one of" in run("clock", "advance", "1s", "--to-next").output


def test_sessions_are_listed_with_their_next_transition(run: Run, session: str) -> None:
    assert [each["id"] for each in run_json(run, "sessions")] == [session]
    assert f"timed_out at {IDLE}" in run("sessions", "--surface", "notte").output
    assert run("sessions", "--surface", "galtea").output == "No sessions found\n"
    assert run_json(run, "sessions", "--at", "+10m")[0]["status"] == "timed_out"


def test_the_timeline_lists_transitions(run: Run, session: str) -> None:
    (transition,) = run_json(run, "timeline")["transitions"]
    assert (transition["at"], transition["session"], transition["to_status"]) == (
        IDLE,
        session,
        "timed_out",
    )
    head, row = run("timeline").output.splitlines()
    assert head.split() == ["at", "surface", "session", "part", "from_status", "to_status", "rule"]
    assert row.split() == [IDLE, "notte", session, "-", "active", "timed_out", transition["rule"]]
    assert run("timeline", "--from", IDLE).output == "No transitions found\n"


def test_a_truncated_timeline_says_so(
    run: Run, double: Process, client: Client, session: str
) -> None:
    who = {"Authorization": f"Bearer {Environment('', client.namespace).notte.key}"}
    double.request("POST", "/session/start", {}, **who)
    assert session
    assert "There is more" in run("timeline", "--limit", "1").output


def test_a_session_is_explained_now_and_at_another_instant(run: Run, session: str) -> None:
    assert run_json(run, "explain", session)["status"] == "active"
    result = run("explain", session, "--at", "+1h").output
    assert f"status     timed_out since {IDLE}" in result
    assert "timeout_minutes" in result
    assert "\nsource     page" in result
    assert f"next       timed_out at {IDLE}" in run("explain", session).output


def test_changes_are_listed_with_their_cause(run: Run, session: str) -> None:
    run("clock", "advance", "1h")
    opened, ended = run_json(run, "diff", "--from", "2026-03-01T11:00:00Z")["changes"]
    assert (opened["session"], opened["cause"], ended["cause"]) == (session, "call", "time")
    result = run("diff", "--from", "2026-03-01T11:00:00Z").output
    assert "POST /notte/session/start" in result
    assert run("diff", "--from", IDLE).output == "Nothing changed\n"


def test_the_journal_lists_filters_and_clears_calls(run: Run, session: str) -> None:
    (call,) = run_json(run, "journal")
    assert (call["method"], call["session"]) == ("POST", session)
    assert "POST /session/start" in run("journal", "--method", "POST", "--status", "2xx").output
    assert run("journal", "--status", "4xx").output == "No recorded call matches\n"
    assert run("journal", "clear").output == "Cleared the journal\n"
    assert run_json(run, "journal") == []


def test_a_call_of_the_journal_is_explained(run: Run, double: Process, client: Client) -> None:
    who = {"Authorization": f"Bearer {Environment('', client.namespace).notte.key}"}
    assert double.request("POST", "/session/start", {"session_timeout_minutes": 99}, **who)[0] > 399
    result = run("journal", "explain", "1").output
    assert "body /session_timeout_minutes" in result
    assert run_json(run, "journal", "explain", "1")["violations"]


def test_an_explained_call_shows_values_as_json(run: Run, double: Process, client: Client) -> None:
    who = {"Authorization": f"Bearer {Environment('', client.namespace).notte.key}"}
    body = {"session_timeout_minutes": "5", "keep_alive": None, "timeout": 5}
    double.request("POST", "/session/start", body, **who)
    rows = run("journal", "explain", "1").output.splitlines()
    (minutes,) = [row for row in rows if "/session_timeout_minutes" in row and "integer" in row]
    assert re.search(r' "5" +5( |$)', minutes)
    (keep_alive,) = [row for row in rows if "/keep_alive" in row]
    assert " null " in keep_alive
    assert re.search(r"body /timeout +5 ", "\n".join(rows))


def test_an_explained_call_names_the_fault_that_answered_it(
    run: Run, double: Process, client: Client
) -> None:
    who = {"Authorization": f"Bearer {Environment('', client.namespace).notte.key}"}
    run("faults", "add", "notte", "overloaded", "--times", "1")
    assert double.request("POST", "/session/start", {}, **who)[0] == 529
    result = run("journal", "explain", "1").output
    assert "fault 1 (status, preset overloaded) answered it before its work was done" in result
    assert "valid" not in result


def test_a_fault_is_armed_listed_and_disarmed(run: Run) -> None:
    armed = run_json(run, "faults", "add", "notte", "overloaded", "--times", "2")
    assert (armed["status"], armed["times"]) == (529, 2)
    result = run(
        "faults", "add", "galtea", "--route", "/sessions", "--kind", "latency", "--delay", "2s"
    )
    assert result.output == "Armed fault 2\n"
    head, one, _ = run("faults", "--unmatched").output.splitlines()
    assert head.split()[:6] == ["id", "surface", "method", "route", "fault", "phase"]
    assert one.split()[:6] == ["1", "notte", "any", "any", "overloaded", "before"]
    run("faults", "add", "scale", "--status", "500", "--probability", "0", "--after", "3")
    run("faults", "add", "scale", "--kind", "empty", "--phase", "after", "--from", "+1h")
    *_, third, fourth, seldom, later = run("faults").output.splitlines()
    assert third.split()[4:7] == ["status", "before", "500"]
    assert fourth.split()[4:6] == ["empty", "after"]
    assert seldom == "Fault 3 hits with probability 0, after 3 matching calls."
    assert later == "Fault 4 hits from 2026-03-01T13:00:00.000000Z."
    for number in ("3", "4"):
        run("faults", "clear", number)
    assert run("faults", "clear", "1").output == "Disarmed fault 1\n"
    assert [each["id"] for each in run_json(run, "faults")] == [2]
    assert run("faults", "clear").output == "Disarmed all faults\n"
    assert run("faults").output == "No fault is armed\n"


def test_fault_presets_are_listed(run: Run) -> None:
    head, *rows = run("faults", "presets").output.splitlines()
    assert head.split() == ["surface", "preset", "status", "source"]
    assert any("overloaded" in row for row in rows)
    assert {"surface", "name", "status"} <= run_json(run, "faults", "presets")[0].keys()


def test_namespaces_are_created_listed_forked_and_dropped(run: Run, tmp_path: Path) -> None:
    seed = tmp_path / "seed.toml"
    seed.write_text('[[organizations]]\nid = "acme"\nname = "Acme"\n')
    assert (
        run("namespaces", "create", "made", "--now", NOON, "--seed", str(seed)).output == "made\n"
    )
    assert run_json(run, "clock", "--ns", "made")["now"] == NOON
    assert run("namespaces", "fork", "copy", "--ns", "made").output == "copy\n"
    assert {"made", "copy"} < {each["namespace"] for each in run_json(run, "namespaces")}
    for name in ("made", "copy"):
        assert run("namespaces", "drop", name).output == f"Dropped namespace {name}\n"
    assert "made" not in run("namespaces").output


def test_a_namespace_can_start_with_the_example_seed(run: Run) -> None:
    example = Path(loader.__file__).with_name("example.toml")
    assert run("namespaces", "create", "exemplary", "--seed", str(example)).exit_code == 0
    assert run_json(run, "sessions", "--ns", "exemplary")


def test_a_namespace_is_reset(run: Run, session: str) -> None:
    assert session
    assert run("reset").output.startswith("Reset namespace ")
    assert run_json(run, "sessions") == []


def test_a_snapshot_replaces_a_file_only_with_force(run: Run, tmp_path: Path) -> None:
    file = tmp_path / "before.sqlite3"
    file.write_text("precious")
    refused = run("snapshot", str(file))
    assert refused.output == (f"Error: {file} exists already: name another file, or use --force\n")
    assert file.read_text() == "precious"
    assert run("snapshot", str(file), "--force").exit_code == 0
    assert run("namespaces", "restore", str(file)).exit_code == 0
    assert file.stat().st_mode & 0o777 == 0o600


def test_a_dash_is_standard_output_of_a_snapshot_and_standard_input_of_a_restore(
    run: Run, session: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    saved = run("snapshot", "-")
    assert (saved.exit_code, saved.stdout_bytes[:15]) == (0, b"SQLite format 3")
    run("reset")
    command = ("namespaces", "restore", "-")
    restored = CliRunner().invoke(main, command, input=saved.stdout_bytes)
    assert restored.exit_code == 0
    assert [each["id"] for each in run_json(run, "sessions")] == [session]
    refused = CliRunner().invoke(main, command, input="text")
    assert refused.output == "Error: standard input is not a SQLite database: send a snapshot\n"
    assert not list(tmp_path.iterdir())


def test_a_file_that_cannot_be_restored_is_named(run: Run, tmp_path: Path) -> None:
    other, text = tmp_path / "other.sqlite3", tmp_path / "text"
    with closing(sqlite3.connect(other)) as connection:
        connection.execute("CREATE TABLE theirs (x)")
    text.write_text("text")
    for file, why in (
        (other, "cannot be used, schema: it is the database of another program, or empty"),
        (text, "is not a SQLite database: send a snapshot"),
        (tmp_path / "none", "cannot be used: No such file or directory"),
    ):
        assert run("namespaces", "restore", str(file)).output == f"Error: {file} {why}\n"


def test_a_snapshot_restores_a_namespace(run: Run, session: str, tmp_path: Path) -> None:
    file = tmp_path / "before.sqlite3"
    assert f" to {file}\n" in run("snapshot", str(file)).output
    run("reset")
    assert run("namespaces", "restore", str(file)).exit_code == 0
    assert [each["id"] for each in run_json(run, "sessions")] == [session]


@pytest.mark.parametrize(
    ("command", "why"),
    [
        (("explain", "none"), "session 'none' not found"),
        (("timeline", "--url", "http://127.0.0.1:9"), "sessionary double"),
        (("namespaces", "drop", "none"), "there is no namespace 'none'"),
        (
            ("timeline", "--ns", "t42"),
            "there is no namespace 't42': its first vendor call or `sessionary namespaces create` ",
        ),
        (("namespaces", "drop", "a/b"), "an id or a name in a path has no slash, but 'a/b' has"),
        (("explain", "a/b/c/d"), "an id or a name in a path has no slash"),
        (("faults", "add", "notte"), "--status: is required for the kind status"),
        (("faults", "add", "notte", "--kind", "latency"), "--delay: must be above 0s for the kind"),
        (("timeline", "--from", IDLE, "--to", NOON), "--from: must not be after --to"),
        (("snapshot", "/nowhere/at/all"), "No such file or directory"),
        (("namespaces", "create", "--seed", "/nowhere.toml"), "No such file or directory"),
    ],
    ids=lambda given: " ".join(given) if isinstance(given, tuple) else "",
)
def test_errors_are_one_sentence_and_exit_code_1(
    run: Run, command: tuple[str, ...], why: str
) -> None:
    result = run(*command)
    assert result.exit_code == 1
    assert result.output.startswith("Error: ")
    assert why in result.output
    assert result.output.count("\n") == 1


def test_a_seed_nested_too_deeply_is_refused_in_one_sentence(run: Run, tmp_path: Path) -> None:
    seed = tmp_path / "seed.toml"
    seed.write_text("id = " + "[" * 5000)
    result = run("namespaces", "create", "--seed", str(seed))
    assert (result.exit_code, result.output) == (1, f"Error: --seed {seed} is nested too deeply\n")


def test_a_token_comes_from_the_environment_and_is_in_no_message() -> None:
    with running_double(SESSIONARY_CONTROL_TOKEN="hush\n") as double:
        for token, why in {
            "hush": "",
            "hush\n": "",
            "wrong": "SESSIONARY_CONTROL_TOKEN is not the control plane's token: set it to that of",
            "wr\nong": "the control token (SESSIONARY_CONTROL_TOKEN) must be printable ASCII",
            "wr\tong": "the control token (SESSIONARY_CONTROL_TOKEN) must be printable ASCII",
            "": "the control plane needs its token: set SESSIONARY_CONTROL_TOKEN",
        }.items():
            command = (COMMAND, "clock", "--json", "--url", double.url)
            result = run_command(*command, SESSIONARY_CONTROL_TOKEN=token)
            assert result.returncode == bool(why)
            assert why in result.stderr
            assert "ong" not in result.stderr


@pytest.mark.parametrize("command", ["sessions --url", "ready"])
@pytest.mark.parametrize("speaks", ["plain HTTP", "nothing"])
def test_a_url_of_https_that_gets_no_tls_is_refused_soon(
    double: Process, monkeypatch: pytest.MonkeyPatch, command: str, speaks: str
) -> None:
    monkeypatch.setattr(transport, "_CONNECT_SECONDS", 0.1)
    monkeypatch.setattr(ready, "_TIMEOUT_SECONDS", 0.1)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        url = double.url if speaks == "plain HTTP" else f"http://127.0.0.1:{port}"
        url = url.replace("http:", "https:")
        if speaks == "plain HTTP":
            monkeypatch.undo()
        refused = CliRunner().invoke(main, [*command.split(), url])
    assert refused.exit_code == 1
    assert refused.output.startswith(f"Error: {url} does not answer: ")
    assert "(if it speaks plain HTTP, use http://)" in refused.output
    assert ("SSL" in refused.output) == (speaks == "plain HTTP")


def test_a_flag_wins_over_variables_and_a_url_variable_over_a_file_variable(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file, other = str(tmp_path / "file.sqlite3"), str(tmp_path / "other.sqlite3")
    file_options = ("--db", file, "--ns", "default")
    for each in (file, other):
        run("keys", "create", "--db", each)
    run("clock", "freeze", "2020-01-01T00:00:00Z", *file_options)
    monkeypatch.setenv("SESSIONARY_DB", other)
    assert run_json(run, "clock")["now"] == NOON
    assert run_json(run, "clock", *file_options)["now"].startswith("2020")
    assert "not both" in run("clock", "--db", file, "--url", "http://127.0.0.1:8000").output
    monkeypatch.delenv("SESSIONARY_URL")
    monkeypatch.setenv("SESSIONARY_NAMESPACE", "default")
    assert datetime.fromisoformat(run_json(run, "clock")["now"]).year > 2020


def test_a_database_file_has_only_the_default_namespace(run: Run, tmp_path: Path) -> None:
    run("keys", "create", "--db", str(tmp_path / "file.sqlite3"))
    result = run("clock", "--db", str(tmp_path / "file.sqlite3"), "--ns", "other")
    assert result.output == "Error: A server has only the default namespace.\n"
