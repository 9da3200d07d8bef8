"""The folder in which the processes of one server count (`PROMETHEUS_MULTIPROC_DIR`)."""

import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

# The files are memory-mapped: writing to one on a full disk would kill the process.
_MEMORY = Path("/dev/shm")  # noqa: S108


@contextmanager
def create_folder(name: object) -> Iterator[Path]:
    """Create a folder with `name` in its name; the process that created it removes it.

    It stays locked while this process, or one that it forked, lives. Unlocked folders were left
    by servers that were killed; they are removed first.
    """
    parent = _MEMORY if os.access(_MEMORY, os.W_OK) else Path(tempfile.gettempdir())
    prefix = f"sessionary-metrics-{os.geteuid()}-"
    for left in parent.glob(f"{prefix}*"):
        _remove_unless_locked(left)
    draft = Path(tempfile.mkdtemp(prefix=f".{prefix}{name}-", dir=parent))
    lock, owner = os.open(draft, os.O_RDONLY | os.O_DIRECTORY), os.getpid()
    fcntl.flock(lock, fcntl.LOCK_SH)
    # Other servers see it only now that it is locked.
    folder = draft.rename(parent / draft.name.removeprefix("."))
    try:
        yield folder
    finally:
        os.close(lock)
        if os.getpid() == owner:  # forked workers come here too
            shutil.rmtree(folder, ignore_errors=True)


def _remove_unless_locked(folder: Path) -> None:
    with suppress(OSError):
        lock = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            shutil.rmtree(folder, ignore_errors=True)
        finally:
            os.close(lock)
