"""What a person sees: tables and lanes that fit the terminal, colours, and short ids."""

import json
import re
from collections.abc import Iterator

import pytest

from sessionary.cli.tables import format_table
from sessionary.client import Client
from sessionary.seeds import demo
from tests.cli.terminals import run_in_terminal, without_colours
from tests.processes import COMMAND, Process, run_command, running_double

NOON = "2026-03-01T12:00:00Z"


@pytest.fixture(scope="module")
def double() -> Iterator[Process]:
    with running_double() as process:
        client = Client(process.url)
        seed = demo.text().replace("session_bpgq", "session_gwv8b")  # like another one
        client.namespaces.create("t1", now=NOON, seed=seed)
        yield process


@pytest.fixture
def variables(double: Process) -> dict[str, str]:
    return {"SESSIONARY_URL": double.url, "SESSIONARY_NAMESPACE": "t1"}


def piped(*arguments: str, **variables: str) -> str:
    result = run_command(COMMAND, *arguments, **variables)
    assert result.returncode == 0, result.stderr
    return result.stdout


@pytest.mark.parametrize("columns", [60, 80, 120])
@pytest.mark.parametrize(
    "command",
    ["sessions", "timeline", "diff --from -20m", "faults presets", "lanes", "clock", "journal"],
)
def test_no_line_is_wider_than_the_terminal(
    command: str, columns: int, variables: dict[str, str]
) -> None:
    if (command, columns) == ("lanes", 60):
        pytest.skip("a bar has at least 20 columns")
    text = without_colours(run_in_terminal(*command.split(), columns=columns, **variables))
    assert "Error" not in text
    assert max(map(len, text.splitlines())) <= columns


def test_ids_are_short_in_a_terminal_and_whole_in_a_pipe(variables: dict[str, str]) -> None:
    rows = json.loads(piped("sessions", "--json", **variables))
    shown = without_colours(run_in_terminal("sessions", columns=100, **variables))
    text = piped("sessions", **variables)
    for line, row in zip(shown.splitlines()[1:], rows, strict=True):
        short = line.split()[1]
        assert row["id"].startswith(short)
        assert len(short) <= len("session_") + 8
        assert row["id"] in text
        assert [each["id"] for each in rows if each["id"].startswith(short)] == [row["id"]]
    assert "…" not in text
    assert NOON[:10] in text


def test_a_short_id_is_taken_and_one_of_several_is_refused(variables: dict[str, str]) -> None:
    rows = json.loads(piped("sessions", "--json", **variables))
    id = rows[-1]["id"]
    explained = json.loads(piped("explain", id[:16], "--json", **variables))
    assert explained["id"] == id
    refused = run_command(COMMAND, "explain", "session_gwv8", **variables)
    assert refused.returncode == 1
    assert re.fullmatch(
        "Error: session 'session_gwv8' is one of several: session_gwv8b.*, session_gwv8g.*\n",
        refused.stderr,
    )
    for command in (["explain"], ["journal", "--session"]):
        short = run_command(COMMAND, *command, id[: len("session_abc")], **variables)
        assert short.returncode == 1
        assert "not found: the beginning of an id needs at least 4 characters" in short.stderr
    found = run_command(COMMAND, "journal", "--session", id[:16], **variables)
    assert (found.returncode, found.stdout) == (0, "No recorded call matches\n")
    gone = run_command(COMMAND, "journal", "--session", "none", **variables)
    assert (gone.returncode, gone.stdout) == (0, "No recorded call matches\n")


@pytest.mark.parametrize(
    ("given", "is_coloured"), [({}, True), ({"NO_COLOR": "1"}, False), ({"TERM": "dumb"}, False)]
)
def test_colours_are_for_terminals_that_want_them(
    variables: dict[str, str], given: dict[str, str], is_coloured: bool
) -> None:
    for command in ("sessions", "lanes", "clock"):
        assert ("\x1b[" in run_in_terminal(command, **variables, **given)) is is_coloured
        assert "\x1b[" not in piped(command, **variables, **given)


def test_lanes_show_past_now_and_future(variables: dict[str, str]) -> None:
    window = ("--from", "-18m", "--to", "+18m")
    id = "e3d6e4b9"  # started 17m30s ago, with a timeout of 10 minutes
    text = without_colours(run_in_terminal("lanes", *window, columns=112, **variables))
    axis, *lines = text.splitlines()
    assert re.fullmatch(r" +11:42:00 +now 12:00:00 +12:18:00", axis)
    (line,) = [each for each in lines if f" {id}" in each]
    bar = line[-(112 - line.index("█") + 1) :]
    before, _, after = bar.partition("|")
    assert re.fullmatch("[^█]*█+x+", before.strip())
    assert set(after) == {"x"}
    ratio = before.count("█") / (before.count("█") + before.count("x"))
    assert abs(ratio - 10 / 17.5) < 0.05
    assert "x timed_out" in lines[-1]
    assert piped("lanes", "--text", "nothing", **variables) == "No sessions found\n"
    assert f"{id}-d96e-482d-8d50-2d42af1ffe0d" in piped("lanes", **variables)


@pytest.mark.parametrize(
    ("instant", "shown"),
    [("9999-12-31T23:59:59.999999Z", "23:59:59"), ("0001-01-01T00:00:00Z", "01-01 00:00")],
)
def test_lanes_begin_at_any_instant(instant: str, shown: str, variables: dict[str, str]) -> None:
    assert piped("lanes", "--from", instant, **variables).split("\n")[0].strip().startswith(shown)


def test_lanes_say_that_there_are_more(variables: dict[str, str]) -> None:
    assert "There are more sessions" in piped("lanes", "--limit", "3", **variables)
    assert len(json.loads(piped("lanes", "--limit", "3", "--json", **variables))["lanes"]) == 3


def test_no_python_word_and_no_control_character_is_in_a_table() -> None:
    row = {"a": True, "b": False, "c": None, "d": {"x": None}, "e": "\x1b[2J\u202e\n", "f": 2.0}
    assert format_table([row]).splitlines()[1].split("  ") == [
        *("yes", "no", "-", '{"x": null}', "\\x1b[2J\\u202e\\n", "2")
    ]
