"""Long work in short turns, so that no other writer waits long for its own."""

import time
from collections.abc import Callable, Iterator, Sequence

from sessionary.store.worlds import current, transaction

_FOUND = 500  # that are looked for at once, while others write
_AT_ONCE = 8  # between two looks at the watch: each may be megabytes
_TURN_SECONDS = 0.02

Find = Callable[[int, int], Sequence[int]]


def in_short_turns(find: Find, change: Callable[[list[int]], int]) -> Iterator[int]:
    """Change what is found, and tell after each turn how many there were.

    `find` gives the next keys behind a key, in order and at most so many; `change` is given some
    of them within a transaction. Between two turns others have as long.
    """
    run = current().database.run
    # The disk is waited for between the turns, not within them.
    run("PRAGMA synchronous = NORMAL")
    run("PRAGMA wal_autocheckpoint = 0")
    last = 0
    while keys := find(last, _FOUND):
        began = time.monotonic()
        last, count = _turn(keys, change)
        yield count
        run("PRAGMA wal_checkpoint(PASSIVE)").fetchall()
        time.sleep(min(time.monotonic() - began, _TURN_SECONDS))


def _turn(keys: Sequence[int], change: Callable[[list[int]], int]) -> tuple[int, int]:
    """The last key that its time sufficed for, and how many were changed."""
    count = 0
    with transaction():
        ends = time.monotonic() + _TURN_SECONDS
        for some in _by(_AT_ONCE, keys):
            count += change(some)
            if time.monotonic() >= ends:
                break
    return some[-1], count


def _by(size: int, keys: Sequence[int]) -> Iterator[list[int]]:
    for first in range(0, len(keys), size):
        yield list(keys[first : first + size])
