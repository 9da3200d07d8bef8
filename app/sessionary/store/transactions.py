"""Transactions of the active namespace."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Literal

from sessionary.store.commit_group import begin, current_group
from sessionary.store.database import Namespace, current_namespace

_NORMAL = 1  # of `PRAGMA synchronous`: a power cut may lose the last writes, but damages nothing


@contextmanager
def transaction(durability: Literal["normal"] | None = None) -> Iterator[None]:
    """Run the block in a write transaction (BEGIN IMMEDIATE): one writer at a time, all or nothing.

    Inside another transaction, it is a part of that one; in a commit group, it is committed with
    it. With "normal" the outermost one does not wait for the disk, whatever the setting says.
    """
    namespace, group = current_namespace(), current_group()
    is_inside = namespace.connection().in_transaction
    if durability is not None and not is_inside:
        with _normal_durability(), _outermost(namespace):
            yield
    elif group is not None and group.takes(namespace):
        with group.part(namespace):
            yield
    elif is_inside:
        yield
    else:
        with _outermost(namespace):
            yield


@contextmanager
def _outermost(namespace: Namespace) -> Iterator[None]:
    with namespace.write_lock as due:
        namespace.ensure_same_contents()
        connection = namespace.connection()
        begin(connection, due)
        try:
            yield
            connection.execute("COMMIT")
        except BaseException:
            connection.rollback()
            raise
    namespace.outages.report_success()


@contextmanager
def _normal_durability() -> Iterator[None]:
    connection = current_namespace().connection()
    (durability,) = connection.execute("PRAGMA synchronous").fetchone()
    connection.execute(f"PRAGMA synchronous = {min(durability, _NORMAL)}")
    try:
        yield
    finally:
        connection.execute(f"PRAGMA synchronous = {durability}")


@contextmanager
def dry_run() -> Iterator[None]:
    """Run the block in a write transaction that is always rolled back."""
    namespace = current_namespace()
    connection = namespace.connection()
    with namespace.write_lock as due:
        begin(connection, due)
        before = connection.total_changes
        try:
            yield
        finally:
            connection.rollback()
            connection.undone_count += connection.total_changes - before


@contextmanager
def read_transaction() -> Iterator[None]:
    """Let all reads of the block see one state. It does not block writers."""
    connection = current_namespace().connection()
    if connection.in_transaction:
        yield
        return
    connection.execute("BEGIN DEFERRED")
    try:
        yield
    finally:
        connection.rollback()
