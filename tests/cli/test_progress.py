"""Progress of long commands."""

import io
import sys

import pytest

from sessionary.cli import database


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(
    ("stream", "after_seconds", "shown"),
    [(Terminal(), 0.0, True), (Terminal(), 1_000.0, False), (io.StringIO(), 0.0, False)],
    ids=["long-on-a-terminal", "short-on-a-terminal", "long-in-a-pipe"],
)
def test_progress_is_shown_on_a_terminal_once_work_takes_long(
    monkeypatch: pytest.MonkeyPatch, stream: io.StringIO, after_seconds: float, *, shown: bool
) -> None:
    monkeypatch.setattr(database, "_PROGRESS_AFTER_SECONDS", after_seconds)
    monkeypatch.setattr(sys, "stderr", stream)
    with database.progress_bar("pruning") as progress:
        for done in range(4):
            progress(done, 4)
    assert ("pruning" in stream.getvalue(), "75%" in stream.getvalue()) == (shown, shown)
