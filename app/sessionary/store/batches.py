"""Long work in short turns, so that no other writer waits long for its own."""

import time
from collections.abc import Callable, Iterator, Sequence

from sessionary.store.database import current_namespace, transaction

_FOUND = 500  # that are looked for at once, while others write
_AT_ONCE = 4  # between two looks at the watch: each may be megabytes
_TURN_SECONDS = 0.01

Find = Callable[[int, int], Sequence[int]]


def run_in_batches(find: Find, change: Callable[[list[int]], int]) -> Iterator[int]:
    """Change what is found, and tell after each turn how many there were.

    `find` gives the next keys behind a key, in order and at most so many; `change` is given some
    of them within a transaction. Between two turns others have as long.
    """
    run = current_namespace().database.run
    # The disk is waited for between the turns, not within them.
    run("PRAGMA synchronous = NORMAL")
    run("PRAGMA wal_autocheckpoint = 0")
    last = 0
    while keys := list(find(last, _FOUND)):
        last = keys[-1]
        while keys:
            began = time.monotonic()
            yield run_batch(keys, change)
            run("PRAGMA wal_checkpoint(PASSIVE)").fetchall()
            time.sleep(min(time.monotonic() - began, _TURN_SECONDS))


def run_batch(keys: list[int], change: Callable[[list[int]], int]) -> int:
    """Change what time suffices for, which is taken off the keys."""
    count = 0
    with transaction():
        ends = time.monotonic() + _TURN_SECONDS
        while keys:
            some, keys[:] = keys[:_AT_ONCE], keys[_AT_ONCE:]
            count += change(some)
            if time.monotonic() >= ends:
                break
    return count
