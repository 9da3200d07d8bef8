"""The change number of a namespace: it has grown if anything was written since it was read."""

import time
from pathlib import Path

from sessionary.store.database import current_namespace

# After a write, a file's time may stay the same for another one: by the resolution of the time,
# and because a commit is seen only once the disk has confirmed it.
_UNSETTLED_US = 1_000_000


def change_number() -> int:
    """Return the change number of the active namespace. Writes nothing.

    In memory it is the number of changed rows, after the wall time at which they began to be
    counted, so that it grows when other contents replace these. For a file it is the time of the
    last write of any process; within a second after that it is one lower, so that a later write
    with the same time is seen. Times are in microseconds.
    """
    namespace = current_namespace()
    if namespace.is_in_memory:
        connection = namespace.connection()
        if connection.first_number is None:
            connection.first_number = _wall_us()
        return connection.first_number + connection.total_changes - connection.undone_count
    file = Path(str(namespace.database.database))
    written_us = max(map(_written_us, (file, file.with_name(f"{file.name}-wal"))))
    return written_us - (_wall_us() - written_us < _UNSETTLED_US)


def _written_us(file: Path) -> int:
    return file.stat().st_mtime_ns // 1000 if file.exists() else 0


def _wall_us() -> int:
    """The wall time as file systems have it, which no test freezes."""
    return time.clock_gettime_ns(time.CLOCK_REALTIME) // 1000
