"""What would be, without its being so."""

from collections.abc import Iterator
from contextlib import contextmanager

from sessionary.store.database import current_namespace


@contextmanager
def dry_run() -> Iterator[None]:
    """A transaction that is taken back at its end, with whatever was done meanwhile."""
    namespace = current_namespace()
    connection = namespace.connection()
    with namespace.write_lock:
        connection.execute("BEGIN IMMEDIATE")
        try:
            yield
        finally:
            connection.rollback()
