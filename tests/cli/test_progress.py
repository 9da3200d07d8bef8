"""Progress of long commands."""

import io
import re
import sys
from pathlib import Path

import pytest

from sessionary.cli import progress
from tests.processes import COMMAND, run_command


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(
    ("stream", "after_seconds", "wanted", "shown"),
    [
        (Terminal(), 0.0, None, True),
        (Terminal(), 1_000.0, None, False),
        (Terminal(), 1_000.0, True, True),
        (Terminal(), 0.0, False, False),
        (io.StringIO(), 0.0, None, False),
        (io.StringIO(), 1_000.0, True, True),
    ],
    ids=["long", "short", "short-but-wanted", "unwanted", "pipe", "wanted-in-a-pipe"],
)
def test_progress_is_shown_on_a_terminal_once_work_takes_long_or_if_it_is_wanted(
    monkeypatch: pytest.MonkeyPatch,
    stream: io.StringIO,
    after_seconds: float,
    *,
    wanted: bool | None,
    shown: bool,
) -> None:
    monkeypatch.setattr(progress, "_AFTER_SECONDS", after_seconds)
    monkeypatch.setattr(sys, "stderr", stream)
    with progress.progress_bar("pruning", wanted) as show:
        for done in range(4):
            show(done, 4)
    assert ("pruning" in stream.getvalue(), "75%" in stream.getvalue()) == (shown, shown)


def test_every_long_command_shows_its_progress_on_standard_error(tmp_path: Path) -> None:
    db, copy, lines = (str(tmp_path / name) for name in ("a.sqlite3", "copy", "lines"))
    seed = tmp_path / "seed.toml"
    seed.write_text('[[organizations]]\nid = "acme"\nname = "Acme"\n')
    for label, *command in (
        ("loading", "seed", str(seed)),
        ("copying", "backup", copy),
        ("exporting", "export", lines),
        ("importing", "import", lines, "--force"),
        ("pruning notte", "prune", "--ended-before", "1d"),
    ):
        quiet = run_command(COMMAND, *command, "--db", db)
        assert (quiet.returncode, quiet.stderr) == (0, ""), label
        Path(copy).unlink(missing_ok=True)
        if label == "exporting":
            Path(lines).unlink()
        shown = run_command(COMMAND, *command, "--db", db, "--progress")
        assert shown.returncode == 0, shown.stderr
        assert re.search(rf"^{label}: \d+%$", shown.stderr, re.MULTILINE), label
        assert label not in shown.stdout
