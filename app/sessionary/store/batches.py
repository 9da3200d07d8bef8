"""Long writes in short batches, so that other writers do not wait long."""

import time
from collections.abc import Callable, Iterator, Sequence

from sessionary.durations import monotonic
from sessionary.store.database import current_namespace
from sessionary.store.transactions import transaction

_PAGE_SIZE = 500  # keys per search, which blocks no writer
_CHUNK_SIZE = 4  # keys between two checks of the time: each row may be megabytes
_BATCH_SECONDS = 0.01

Find = Callable[[int, int], Sequence[int]]


def run_in_batches(find: Find, change: Callable[[list[int]], int]) -> Iterator[int]:
    """Change everything that `find` finds; yield the count of changed rows after each batch.

    `find(after, limit)` returns the next keys in order; `change(keys)` runs in a transaction.
    Between two batches other writers have as long as a batch took.
    """
    run = current_namespace().database.run
    # Sync to disk between the batches, not inside them.
    run("PRAGMA synchronous = NORMAL")
    run("PRAGMA wal_autocheckpoint = 0")
    last = 0
    while keys := list(find(last, _PAGE_SIZE)):
        last = keys[-1]
        while keys:
            started = monotonic()
            yield run_batch(keys, change)
            run("PRAGMA wal_checkpoint(PASSIVE)").fetchall()
            time.sleep(min(monotonic() - started, _BATCH_SECONDS))


def run_batch(keys: list[int], change: Callable[[list[int]], int]) -> int:
    """Change as many as fit into one batch, removing them from `keys`; return the row count."""
    count = 0
    with transaction():
        ends = monotonic() + _BATCH_SECONDS
        while keys:
            chunk, keys[:] = keys[:_CHUNK_SIZE], keys[_CHUNK_SIZE:]
            count += change(chunk)
            if monotonic() >= ends:
                break
    return count
