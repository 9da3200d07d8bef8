"""Files that are whole before they have their name."""

import os
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from sessionary.store.errors import DatabaseUnusable

_ENDING = (signal.SIGTERM, signal.SIGHUP)


@contextmanager
def atomic_write(target: Path) -> Iterator[Path]:
    """A file to be written, which takes the place of `target` at the end, or does not at all.

    Raises DatabaseUnusable where nothing can be written beside it.
    """
    folder = target.absolute().parent
    with _ends_cleanly(), _made_beside(target) as drafts:
        draft = Path(drafts, target.name)
        yield draft
        fsync(draft)
        draft.replace(target)
        fsync(folder)


def _made_beside(target: Path) -> TemporaryDirectory[str]:
    try:
        return TemporaryDirectory(dir=target.absolute().parent, prefix=f".{target.name}-")
    except OSError as error:
        raise DatabaseUnusable(f"{target} cannot be written: {error.strerror}.") from error


def fsync(path: Path) -> None:
    """Wait until what was written to a file or a folder outlives a loss of power."""
    opened = os.open(path, os.O_RDONLY)
    try:
        os.fsync(opened)
    finally:
        os.close(opened)


@contextmanager
def _ends_cleanly() -> Iterator[None]:
    """Let a signal that would end the process at once leave nothing behind; it exits with 128+n.

    What is ignored or handled otherwise stays so.
    """
    taken = [each for each in _ENDING if signal.getsignal(each) is signal.SIG_DFL]
    if threading.current_thread() is not threading.main_thread():
        taken = []

    def leave(number: int, _: object) -> None:
        _handle(taken, signal.SIG_IGN)  # a second one must not cut off the cleaning
        raise SystemExit(128 + number)

    _handle(taken, leave)
    try:
        yield
    finally:
        _handle(taken, signal.SIG_DFL)


def _handle(
    numbers: list[signal.Signals], handler: signal.Handlers | Callable[[int, object], None]
) -> None:
    for number in numbers:
        signal.signal(number, handler)
