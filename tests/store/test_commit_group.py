"""A commit group: each part is all or nothing, and all parts reach the disk with one commit."""

import sqlite3
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import peewee as pw
import pytest

from sessionary import store
from sessionary.store import Namespace, Statement, param


class Item(store.Model):
    """A row, and the row that it needs, checked at the commit."""

    name = pw.TextField(primary_key=True)
    needs = pw.ForeignKeyField("self", null=True, deferrable="INITIALLY DEFERRED")


add = Statement(tuple, lambda: Item.insert(name=param("name"), needs=param("needs")))
names = Statement(lambda row: str(row[0]), lambda: Item.select(Item.name).order_by(Item.name))


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "test.sqlite3"


@pytest.fixture(autouse=True)
def namespace(file: Path) -> Iterator[Namespace]:
    opened = store.open_namespace(str(file), durability="full", busy_timeout_seconds=0.05)
    with opened.activate():
        opened.database.create_tables([Item])
        yield opened
    opened.close()


def add_in_transaction(name: str, needs: str | None = None) -> None:
    with store.transaction():
        add.run(name=name, needs=needs)


def add_and_refuse(name: str) -> None:
    with store.transaction():
        add_in_transaction(name)
        raise LookupError


def committed(file: Path) -> list[str]:
    """What another program sees."""
    with closing(sqlite3.connect(file)) as other:
        return [name for (name,) in other.execute("SELECT name FROM item ORDER BY name")]


def test_nobody_else_sees_a_group_before_its_end(file: Path) -> None:
    with store.commit_group():
        add_in_transaction("a")
        add_in_transaction("b")
        assert names.all() == ["a", "b"]
        assert committed(file) == []
    assert committed(file) == ["a", "b"]


def test_a_refused_part_undoes_itself_alone(file: Path) -> None:
    with store.commit_group():
        add_in_transaction("a")
        with pytest.raises(LookupError):
            add_and_refuse("b")
        add_in_transaction("c")
    assert committed(file) == ["a", "c"]


def test_a_commit_that_fails_keeps_nothing_and_says_why(file: Path) -> None:
    with store.commit_group() as group:
        add_in_transaction("a")
        add_in_transaction("b", needs="nothing")
    assert isinstance(group.error, sqlite3.IntegrityError)
    assert committed(file) == names.all() == []
    add_in_transaction("c")
    assert committed(file) == ["c"]


def test_a_part_after_an_error_that_ended_the_transaction_is_refused(
    namespace: Namespace, file: Path
) -> None:
    with store.commit_group() as group:
        add_in_transaction("a")
        namespace.connection().rollback()  # as SQLite does if the disk is full
        with pytest.raises(store.DatabaseUnavailable):
            add_in_transaction("b")
    assert isinstance(group.error, store.DatabaseUnavailable)
    assert committed(file) == []


def test_a_group_whose_connection_was_closed_fails(namespace: Namespace, file: Path) -> None:
    with store.commit_group() as group:
        add_in_transaction("a")
        namespace.database.close()
    assert isinstance(group.error, store.DatabaseUnavailable)
    add_in_transaction("b")
    assert committed(file) == ["b"]


def test_a_group_without_a_transaction_takes_no_lock(namespace: Namespace) -> None:
    with store.commit_group() as group, ThreadPoolExecutor(1) as pool:
        assert names.all() == []
        assert not group.has_begun
        pool.submit(_add_elsewhere, namespace).result()
    assert names.all() == ["elsewhere"]


def test_another_writer_waits_for_the_end_of_a_group(namespace: Namespace) -> None:
    with ThreadPoolExecutor(1) as pool:
        with store.commit_group():
            add_in_transaction("a")
            with pytest.raises(store.DatabaseUnavailable):
                pool.submit(_add_elsewhere, namespace).result()
        pool.submit(_add_elsewhere, namespace).result()
    assert names.all() == ["a", "elsewhere"]


def test_what_need_not_wait_for_the_disk_is_committed_alone_or_with_the_group(
    namespace: Namespace, file: Path
) -> None:
    with store.commit_group() as group:
        with store.transaction("normal"):
            add.run(name="a", needs=None)
        assert committed(file) == ["a"]
        assert not group.has_begun
        add_in_transaction("b")
        with store.transaction("normal"):
            add.run(name="c", needs=None)
        assert committed(file) == ["a"]
    assert committed(file) == ["a", "b", "c"]
    assert namespace.database.run("PRAGMA synchronous").fetchone() == (2,)


def _add_elsewhere(namespace: Namespace) -> None:
    with namespace.activate():
        add_in_transaction("elsewhere")
