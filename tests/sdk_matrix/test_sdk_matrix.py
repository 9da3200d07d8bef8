"""The command that runs every client, its table in the documents, and its locks."""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.sdk_environments.environments import HERE, PreparationError
from tests.sdk_matrix import __main__ as command
from tests.sdk_matrix import clients, results
from tests.sdk_matrix.clients import CLIENTS, Client, Conversation
from tests.sdk_matrix.results import Result, converse, table, with_table

FAILING = Client("failing", "1.0", "2026-01", sys.executable)


@pytest.fixture
def document(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the document for the command to write."""
    copy = tmp_path / "clients.md"
    copy.write_text(command.DOCUMENT.read_text())
    monkeypatch.setattr(command, "DOCUMENT", copy)
    return copy


@pytest.fixture
def failing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The conversation of a client that needs no installation."""
    script = tmp_path / "script.py"
    monkeypatch.setitem(clients.CONVERSATIONS, "failing", Conversation(str(script)))
    monkeypatch.setattr(results, "prepare", lambda _: "up to date")
    return script


def test_the_document_has_the_result_of_each_client_and_all_work() -> None:
    rows = re.findall(r"^\| (.*) \| (.*) \| (.*) \| .+ \| works \|$", shown(), re.MULTILINE)
    assert rows == [(each.name, each.version, each.month) for each in CLIENTS]
    assert shown().count("\n") == len(CLIENTS) + 2


def shown() -> str:
    return command.DOCUMENT.read_text().split(results.BEGIN)[1].split(results.END)[0]


@pytest.mark.parametrize("lock", sorted((HERE / "locks").iterdir()), ids=lambda lock: lock.stem)
def test_a_lock_pins_its_client_and_every_package_exactly(lock: Path) -> None:
    lines = [line for line in lock.read_text().splitlines() if not line.startswith(("#", "--"))]
    assert all(re.match(r"[\w.-]+==[\w.]+( --hash=sha256:[0-9a-f]{64})*$", line) for line in lines)
    assert lock.stem in {line.split()[0].replace("==", "-") for line in lines}


def test_each_client_with_python_packages_has_a_lock() -> None:
    pins = {HERE / pin for each in CLIENTS for pin in each.environment.pins}
    assert {pin for pin in pins if pin.suffix == ".txt"} == set((HERE / "locks").iterdir())


def test_a_client_that_cannot_be_installed_says_so_and_the_exit_code_is_1(
    document: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def prepare(_: object) -> str:
        raise PreparationError("pip install failed: no such version")

    monkeypatch.setattr(results, "prepare", prepare)
    assert command.main(["--json"]) == 1
    rows: list[dict[str, Any]] = json.loads(capsys.readouterr().out)
    assert len(rows) == len(CLIENTS)
    reason = "not installed: pip install failed: no such version"
    assert {(row["calls"], row["result"]) for row in rows} == {("", reason)}
    assert document.read_text().count(reason) == len(CLIENTS)


def test_a_client_that_fails_shows_its_error(failing: Path) -> None:
    failing.write_text("raise ValueError('not what was asked')")
    expected = "fails: ValueError: not what was asked"
    assert converse(FAILING) == Result("failing", "1.0", "2026-01", "", expected)


def test_a_conversation_without_calls_fails(failing: Path) -> None:
    failing.write_text("print('{}')")
    assert converse(FAILING).result == "fails: its conversation printed no calls"


def test_a_client_that_works_shows_its_calls(failing: Path) -> None:
    failing.write_text("""print('{"calls": "one, two"}')""")
    assert converse(FAILING)[3:] == ("one, two", "works")


def test_one_version_runs_alone_and_writes_nothing(
    document: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    before = document.read_text()
    monkeypatch.setattr(
        command, "converse", lambda each: Result(each.name, each.version, "", "", "works")
    )
    assert command.main(["--only", "galtea-5.4.0"]) == 0
    assert capsys.readouterr().out.count("galtea") == 1
    assert document.read_text() == before


def test_an_unknown_client_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="2"):
        command.main(["--only", "nothing"])
    assert "--only: no client is named nothing" in capsys.readouterr().err


def test_a_table_is_written_between_its_markers() -> None:
    document = f"a\n{results.BEGIN}old\n{results.END}b\n"
    row = Result("x", "1", "2026-01", "get", "fails: a | b")
    written = with_table(document, [row])
    assert written == f"a\n{results.BEGIN}{table([row])}{results.END}b\n"
    assert "| fails: a \\| b |" in written


@pytest.mark.long
def test_every_client_works(document: Path) -> None:
    before = document.read_text()
    assert command.main([]) == 0
    assert document.read_text() == before
