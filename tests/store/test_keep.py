"""What was read of a database file is kept until anything in the file changes."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from itertools import count
from pathlib import Path

import pytest

from sessionary import create_app, store
from sessionary.settings import Settings
from sessionary.store import Namespace, memory_namespace


@pytest.fixture
def db(tmp_path: Path) -> Path:
    return tmp_path / "test.sqlite3"


@pytest.fixture
def namespace(db: Path) -> Iterator[Namespace]:
    namespace = create_app(Settings(db=str(db), auth="lenient")).extensions["sessionary"]
    with namespace.activate():
        yield namespace
    namespace.close()


def _write(connection: sqlite3.Connection) -> None:
    connection.execute("UPDATE clock SET rate = rate + 1")
    connection.commit()


@pytest.mark.usefixtures("namespace")
def test_it_is_read_once_for_each_key() -> None:
    reads = count()
    assert [store.keep(key, lambda: next(reads)) for key in "aabab"] == [0, 0, 1, 0, 1]


def test_it_is_read_again_after_a_write_of_this_connection(namespace: Namespace) -> None:
    reads = count()
    store.keep("a", lambda: next(reads))
    namespace.database.run("UPDATE clock SET rate = rate + 1")
    assert store.keep("a", lambda: next(reads)) == 1


@pytest.mark.usefixtures("namespace")
def test_it_is_read_again_after_a_write_of_another_program(db: Path) -> None:
    reads = count()
    store.keep("a", lambda: next(reads))
    with closing(sqlite3.connect(db)) as other:
        _write(other)
    assert store.keep("a", lambda: next(reads)) == 1


def test_a_transaction_keeps_nothing(namespace: Namespace) -> None:
    reads = count()
    with namespace.database.atomic():
        store.keep("a", lambda: next(reads))
        assert store.keep("a", lambda: next(reads)) == 1
    assert store.keep("a", lambda: next(reads)) == 2


def test_what_a_rollback_undid_is_not_kept(namespace: Namespace) -> None:
    reads = count()
    store.keep("a", lambda: next(reads))
    with namespace.database.atomic() as transaction:
        namespace.database.run("UPDATE clock SET rate = rate + 1")
        transaction.rollback()
    assert store.keep("a", lambda: next(reads)) == 1


def test_the_number_of_kept_keys_is_limited(namespace: Namespace) -> None:
    for key in range(1000):
        store.keep(key, lambda: b"x")
    assert len(namespace.connection()._kept) <= 256


def test_a_database_in_memory_keeps_nothing() -> None:
    namespace, reads = memory_namespace(), count()
    with namespace.activate():
        assert [store.keep("a", lambda: next(reads)) for _ in range(2)] == [0, 1]
    namespace.close()
