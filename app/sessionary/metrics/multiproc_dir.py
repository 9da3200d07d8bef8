"""The folder in which the processes of one server count."""

import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

_MEMORY = Path("/dev/shm")  # noqa: S108 - a full disk would end who writes to a mapped file


@contextmanager
def made(name: str) -> Iterator[Path]:
    """A new folder with this in its name, until the process that asks for it leaves.

    As long as it or one that it has forked lives, it is locked; those that are not were left by
    servers that were killed, and are removed here.
    """
    place = _MEMORY if os.access(_MEMORY, os.W_OK) else Path(tempfile.gettempdir())
    prefix = f"sessionary-metrics-{os.geteuid()}-"
    for left in place.glob(f"{prefix}*"):
        _remove_unless_locked(left)
    draft = Path(tempfile.mkdtemp(prefix=f".{prefix}{name}-", dir=place))
    lock, owner = os.open(draft, os.O_RDONLY | os.O_DIRECTORY), os.getpid()
    fcntl.flock(lock, fcntl.LOCK_SH)
    folder = draft.rename(place / draft.name.removeprefix("."))  # seen by others once it is locked
    try:
        yield folder
    finally:
        os.close(lock)
        if os.getpid() == owner:  # a worker leaves by here as well
            shutil.rmtree(folder, ignore_errors=True)


def _remove_unless_locked(folder: Path) -> None:
    with suppress(OSError):
        lock = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            shutil.rmtree(folder, ignore_errors=True)
        finally:
            os.close(lock)
