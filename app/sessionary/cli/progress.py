"""Progress of long work, on standard error."""

import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import click

from sessionary.durations import monotonic
from sessionary.store import Progress

_AFTER_SECONDS = 1.0
_STEP = 10  # percent between two lines in a pipe

progress_option = click.option(
    "--progress/--no-progress",
    default=None,
    help="Show progress on standard error (default: on a terminal, if it takes long).",
)


@contextmanager
def progress_bar(label: str, forced: bool | None) -> Iterator[Progress]:
    """Show progress if it is `forced`; by default on a terminal, once the work has taken a while.

    Yields a function of the done and the total count. A terminal gets a bar, a pipe gets lines.
    """
    starts_at = monotonic() + (0 if forced else _AFTER_SECONDS)
    is_terminal = sys.stderr.isatty()
    bar: Any = None
    shown = -_STEP
    with ExitStack() as stack:

        def show(done: int, count: int) -> None:
            nonlocal bar, shown
            if forced is False or not (forced or is_terminal) or monotonic() < starts_at:
                return
            if not is_terminal:
                percent = 100 * done // count if count else 100
                if percent >= shown + _STEP:
                    shown = percent
                    click.echo(f"{label}: {percent}%", err=True)
                return
            if bar is None:
                bar = stack.enter_context(
                    click.progressbar(length=count, label=label, file=sys.stderr)
                )
            bar.length = count
            bar.update(done - bar.pos)

        yield show
