"""Writes that need not outlive a power cut."""

from collections.abc import Iterator
from contextlib import contextmanager

from sessionary.store.database import current_namespace, transaction

_NORMAL = 1  # of `PRAGMA synchronous`: whole after a power cut, but without what came last


@contextmanager
def fleeting() -> Iterator[None]:
    """A transaction that waits for no disk, whatever the durability of the others."""
    connection = current_namespace().writable()
    (durability,) = connection.execute("PRAGMA synchronous").fetchone()
    connection.execute(f"PRAGMA synchronous = {min(durability, _NORMAL)}")
    try:
        with transaction():
            yield
    finally:
        connection.execute(f"PRAGMA synchronous = {durability}")
