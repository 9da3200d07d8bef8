"""Whether a file that is not there was taken from under somebody who works on it."""

import fcntl
import os
import time
from pathlib import Path

from sessionary.store.errors import DatabaseUnusable
from sessionary.store.files import resolved
from sessionary.store.locks import lock_file

PATIENCE_SECONDS = 2.0  # with who makes it just now
_PAUSE_SECONDS = 0.01


def ensure_not_in_use(file: Path) -> None:
    """That a database may be made where there is none: it would end the journal of another's.

    Raises DatabaseUnusable where the file is gone and another process has it open.
    """
    file = resolved(file)
    hold = file.with_name(f"{file.name}.hold")
    until_seconds = time.monotonic() + PATIENCE_SECONDS
    while hold.exists() and not _is_there(file) and _is_shared(hold):
        if time.monotonic() > until_seconds:
            raise DatabaseUnusable(
                f"{file} is gone while another process has it open: put it back, or stop that "
                "process."
            )
        time.sleep(_PAUSE_SECONDS)


def _is_there(file: Path) -> bool:
    return file.exists() and file.stat().st_size > 0


def _is_shared(hold: Path) -> bool:
    """Whether others have the file open; who replaces it has its lock alone."""
    lock = lock_file(hold)
    try:
        return not _takes(lock, fcntl.LOCK_EX) and _takes(lock, fcntl.LOCK_SH)
    finally:
        os.close(lock)


def _takes(lock: int, how: int) -> bool:
    """Whether it can be locked without waiting."""
    try:
        fcntl.flock(lock, how | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
