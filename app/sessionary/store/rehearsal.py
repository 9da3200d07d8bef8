"""What would be, without its being so."""

from collections.abc import Iterator
from contextlib import contextmanager

from sessionary.store.database import current


@contextmanager
def rehearsal() -> Iterator[None]:
    """A transaction that is taken back at its end, with whatever was done meanwhile."""
    namespace = current()
    connection = namespace.connection()
    with namespace.turn:
        connection.execute("BEGIN IMMEDIATE")
        try:
            yield
        finally:
            connection.rollback()
