"""Atomic file writes: a file is complete and on disk before it gets its name."""

import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import TemporaryDirectory

_SIGNALS = (signal.SIGTERM, signal.SIGHUP)


class CannotWrite(OSError):
    """A file cannot be created in the folder of the target."""

    def __str__(self) -> str:
        return f"{self.filename} cannot be written: {self.strerror}."


def create_new(path: Path, of: Path) -> int:
    """Create and open a file (mode 0600) that belongs to the owner of another path.

    Raises FileExistsError, also for a link: its target may belong to another user.
    """
    opened = os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR | os.O_CLOEXEC, 0o600)
    give_to_owner(opened, of)
    return opened


def give_to_owner(made: int | Path, of: Path) -> None:
    """Let a file that root made belong to the owner of another path, such as its folder.

    Root may lack the capability for this, in a container or on NFS: the file remains root's then.
    """
    if os.geteuid() != 0:
        return
    found = of.stat()
    with suppress(PermissionError):
        if isinstance(made, int):
            os.fchown(made, found.st_uid, found.st_gid)
        else:
            os.lchown(made, found.st_uid, found.st_gid)


@contextmanager
def atomic_write(target: Path, *, durable: bool = True) -> Iterator[Path]:
    """Yield an empty draft (mode 0600) that replaces `target` at the end; an error removes it.

    A signal that would end the process removes it, too. Unless `durable`, the file may be lost with
    the power, and no time is spent on fsync. Raises CannotWrite.
    """
    folder = target.absolute().parent
    with _clean_exit(), draft_folder(target) as drafts:
        draft = Path(drafts, target.name)
        os.close(create_new(draft, folder))
        yield draft
        if durable:
            fsync(draft)
        draft.replace(target)
        if durable:
            fsync(folder)


@contextmanager
def draft_folder(target: Path) -> Iterator[str]:
    """Create a temporary folder on the file system of the target. Raises CannotWrite."""
    try:
        folder = TemporaryDirectory(dir=target.absolute().parent, prefix=f".{target.name}-")
    except OSError as error:
        raise CannotWrite(error.errno, error.strerror, str(target)) from error
    with folder as path:
        yield path


def fsync(path: Path) -> None:
    """Wait until a file or folder is on disk."""
    opened = os.open(path, os.O_RDONLY)
    try:
        os.fsync(opened)
    finally:
        os.close(opened)


@contextmanager
def _clean_exit() -> Iterator[None]:
    """Turn a signal with its default action into SystemExit(128 + n), so that cleanup runs."""
    is_main = threading.current_thread() is threading.main_thread()
    handled = [each for each in _SIGNALS if is_main and signal.getsignal(each) is signal.SIG_DFL]

    def leave(number: int, _: object) -> None:
        for each in handled:
            signal.signal(each, signal.SIG_IGN)  # a second signal must not interrupt the cleanup
        raise SystemExit(128 + number)

    for each in handled:
        signal.signal(each, leave)
    try:
        yield
    finally:
        for each in handled:
            signal.signal(each, signal.SIG_DFL)
