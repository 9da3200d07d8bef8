"""A failing test leaves the run of its namespace."""

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.processes import COMMAND, run_command
from tests.testing.conftest import INI

FAILS = """
import pytest

def test_it(sessionary):
    start(sessionary)
    assert not sessionary.sessions()

@pytest.mark.sessionary(record="mine.jsonl")
def test_kept(sessionary):
    start(sessionary)

@pytest.mark.sessionary(record=False)
def test_unrecorded(sessionary):
    assert False
"""


@pytest.mark.parametrize("remote", [False, True], ids=["own", "remote"])
def test_a_failing_test_leaves_its_run_and_says_how_to_replay_it(
    write: Callable[..., None], pytester: pytest.Pytester, remote_url: str, remote: bool
) -> None:
    write(FAILS)
    pytester.makeini(INI.replace("-p no:cacheprovider", ""))
    arguments = ["--sessionary-url", remote_url] if remote else []
    result = pytester.runpytest("--sessionary-leaks=off", *arguments)
    result.assert_outcomes(failed=2, passed=1)
    lines = [line for line in result.outlines if line.startswith("sessionary replay ")]
    assert len(lines) == 1
    file = Path(lines[0].removeprefix("sessionary replay "))
    assert file.parent == pytester.path / ".pytest_cache/d/sessionary-runs"
    for each in file, pytester.path / "mine.jsonl":
        replayed = run_command(COMMAND, "replay", str(each))
        assert replayed.stdout == f"1 call of {each} again: all answers are the same\n"
