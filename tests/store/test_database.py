import sqlite3
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import peewee as pw
import pytest

from sessionary import store
from sessionary.durations import monotonic
from sessionary.factory import SCHEMA
from sessionary.store import (
    Namespace,
    NamespaceHooks,
    Namespaces,
    Statement,
    insert_statement,
    param,
    param_list,
)
from sessionary.web.held import Delay


class Thing(store.Model):
    """A table for these tests."""

    id = pw.AutoField()
    name = pw.TextField()
    size = pw.IntegerField(null=True)


add = insert_statement(Thing, without=("id",))
sizes = Statement(
    lambda row: row[0],
    lambda: Thing.select(Thing.size).where(Thing.name == param("name")).order_by(Thing.id),
)
among = Statement(
    tuple,
    lambda: (
        Thing.select(Thing.id, Thing.name)
        .where(Thing.name.in_(param_list("names")), Thing.size > param("over") + 1)
        .order_by(Thing.id)
        .limit(param("limit"))
    ),
)
grow = Statement(
    tuple,
    lambda: Thing.update(size=Thing.size + param("by")).where(Thing.name == param("name")),
)


def make(path: str, **options: object) -> Namespace:
    namespace = store.open_namespace(path, durability="normal", **options)
    with namespace.activate():
        store.migrate(store.Schema((Thing,)))
    return namespace


@pytest.fixture(params=["memory", "file"])
def namespace(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Namespace]:
    path = ":memory:" if request.param == "memory" else str(tmp_path / "new" / "w.sqlite3")
    made = make(path)
    yield made
    made.close()


def test_a_statement_takes_its_values_at_each_call(namespace: Namespace) -> None:
    with namespace.activate():
        for size in (1, None, 3):
            add.run(name="a", size=size)
        add.run(name="b", size=9)
        assert sizes.all(name="a") == [1, None, 3]
        assert sizes.one(name="b") == 9
        assert sizes.one(name="c") is None
        assert grow.run(name="a", by=10) == 3
        assert sizes.all(name="a") == [11, None, 13]


def test_a_list_travels_as_one_parameter(namespace: Namespace) -> None:
    with namespace.activate():
        for number, name in enumerate("abcabc"):
            add.run(name=name, size=number)
        assert among.all(names='["a", "b"]', over=0, limit=10) == [(4, "a"), (5, "b")]
        assert among.all(names="[]", over=0, limit=10) == []


def test_a_statement_gives_the_rows_of_the_query_that_it_came_from(namespace: Namespace) -> None:
    with namespace.activate():
        for number in range(20):
            add.run(name="ab"[number % 2], size=number)
        plain = Thing.select(Thing.id, Thing.name).where(Thing.name == "a", Thing.size > 5)
        assert among.all(names='["a"]', over=4, limit=100) == list(
            plain.order_by(Thing.id).tuples()
        )


def test_a_missing_value_is_an_error_and_not_a_null(namespace: Namespace) -> None:
    with namespace.activate(), pytest.raises(KeyError, match="size"):
        add.run(name="a")


def test_a_refusal_rolls_the_whole_transaction_back(namespace: Namespace) -> None:
    with namespace.activate():
        with pytest.raises(KeyError), store.transaction():  # noqa: PT012 - what came before it
            add.run(name="a", size=1)
            add.run(name="a")
        assert sizes.all(name="a") == []


def test_a_transaction_within_a_transaction_is_part_of_it(namespace: Namespace) -> None:
    with namespace.activate():
        with pytest.raises(ZeroDivisionError), store.transaction():  # noqa: PT012 - both
            with store.transaction():
                add.run(name="a", size=1)
            add.run(name="a", size=1 // 0)
        assert sizes.all(name="a") == []


def test_a_read_transaction_sees_one_state_while_another_thread_writes(tmp_path: Path) -> None:
    with closing(make(str(tmp_path / "w.sqlite3"))) as namespace, namespace.activate():
        with store.read_transaction():
            assert sizes.all(name="a") == []
            writer = threading.Thread(target=_add_in, args=(namespace,))
            writer.start()
            writer.join()
            assert sizes.all(name="a") == []
        assert sizes.all(name="a") == [1]


def _add_in(namespace: Namespace) -> None:
    with namespace.activate(), store.transaction():
        add.run(name="a", size=1)


def test_threads_in_different_namespaces_do_not_see_each_other(tmp_path: Path) -> None:
    namespaces = [make(":memory:") for _ in range(5)] + [make(str(tmp_path / "w.sqlite3"))]
    rounds = 50
    barrier = threading.Barrier(8)

    def work(number: int) -> None:
        barrier.wait()
        for turn in range(rounds):
            with namespaces[(number + turn) % 6].activate(), store.transaction():
                add.run(name=str((number + turn) % 6), size=number)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    counts = []
    for number, namespace in enumerate(namespaces):
        with namespace.activate():
            found = [row.name for row in Thing.select()]
        assert set(found) == {str(number)}
        counts.append(len(found))
        namespace.close()
    assert sum(counts) == 8 * rounds


def test_no_read_then_write_is_lost_among_threads(tmp_path: Path) -> None:
    namespace = make(str(tmp_path / "w.sqlite3"))
    with namespace.activate():
        add.run(name="a", size=0)

    def count_up() -> None:
        for _ in range(50):
            with namespace.activate(), store.transaction():
                size = sizes.one(name="a")
                assert size is not None
                grow.run(name="a", by=size + 1 - size)

    threads = [threading.Thread(target=count_up) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with namespace.activate():
        assert sizes.one(name="a") == 8 * 50
    namespace.close()


def test_threads_wait_for_a_file_at_the_same_time(tmp_path: Path) -> None:
    file, seconds, count = tmp_path / "w.sqlite3", 0.5, 8
    make(str(file)).close()
    namespace = store.open_namespace(str(file), durability="normal", busy_timeout_seconds=seconds)

    def connect() -> None:
        with namespace.activate():
            namespace.connection()

    with closing(sqlite3.connect(file, isolation_level=None)) as other:
        other.execute("PRAGMA locking_mode = EXCLUSIVE")
        other.execute("BEGIN IMMEDIATE")
        started = monotonic()
        with ThreadPoolExecutor(count) as pool:
            waits = [pool.submit(connect) for _ in range(count)]
            assert all(store.is_unavailable(each.exception()) for each in waits)
        assert seconds <= monotonic() - started < seconds * count / 2
    namespace.close()


def test_a_connection_stays_open_between_two_activations(tmp_path: Path) -> None:
    with closing(make(str(tmp_path / "w.sqlite3"))) as namespace:
        with namespace.activate():
            first = namespace.database.connection()
        with namespace.activate():
            assert namespace.database.connection() is first


def _in_a_thread(work: Callable[[], object]) -> None:
    thread = threading.Thread(target=work)
    thread.start()
    thread.join()


def test_a_connection_to_a_file_is_closed_when_its_thread_ends(tmp_path: Path) -> None:
    with closing(make(str(tmp_path / "w.sqlite3"))) as namespace:
        connections = [namespace.connection()]
        _in_a_thread(lambda: connections.append(namespace.connection()))
        mine, ended = connections
        assert mine.execute("SELECT 1").fetchone() == (1,)
        with pytest.raises(sqlite3.ProgrammingError, match="closed database"):
            ended.execute("SELECT 1")


def test_the_connection_to_memory_outlives_the_thread_that_opened_it() -> None:
    with closing(store.open_namespace(":memory:", durability="off")) as namespace:
        _in_a_thread(namespace.connection)
        assert namespace.connection().execute("SELECT 1").fetchone() == (1,)
        assert len(namespace.database.opened) == 1


def test_a_file_namespace_can_be_activated_after_it_was_closed(tmp_path: Path) -> None:
    with closing(make(str(tmp_path / "w.sqlite3"))) as namespace:
        with namespace.activate():
            add.run(name="a", size=1)
        namespace.close()
        with namespace.activate():
            assert sizes.all(name="a") == [1]


@pytest.mark.parametrize(("durability", "level"), [("full", 2), ("normal", 1), ("off", 0)])
def test_the_durability_setting_reaches_sqlite(tmp_path: Path, durability: str, level: int) -> None:
    namespace = store.open_namespace(str(tmp_path / "w.sqlite3"), durability=durability)
    with namespace.activate():
        assert namespace.database.run("PRAGMA synchronous").fetchone() == (level,)
        assert namespace.database.run("PRAGMA journal_mode").fetchone() == ("wal",)
        assert namespace.database.run("PRAGMA foreign_keys").fetchone() == (1,)
    namespace.close()


def test_a_database_of_a_newer_program_is_refused_with_advice(tmp_path: Path) -> None:
    path = tmp_path / "w.sqlite3"
    with closing(sqlite3.connect(path)) as raw:
        raw.execute(f"PRAGMA user_version = {SCHEMA.version + 1}")
    namespace = store.open_namespace(str(path), durability="normal")
    with (
        namespace.activate(),
        pytest.raises(store.DatabaseUnusable, match="start the newer program"),
    ):
        store.migrate(store.Schema((Thing,)))
    namespace.close()


def test_the_database_of_another_program_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "w.sqlite3"
    path.write_bytes(b"not a database" * 100)
    namespace = store.open_namespace(str(path), durability="normal")
    with namespace.activate(), pytest.raises(pw.DatabaseError):
        store.migrate(store.Schema((Thing,)))
    namespace.close()
    assert path.read_bytes() == b"not a database" * 100


@pytest.mark.parametrize("number", range(25))  # what could go wrong is rare
def test_concurrent_starts_create_the_schema_once(tmp_path: Path, number: int) -> None:
    path = str(tmp_path / f"w{number}.sqlite3")
    firsts: list[int] = []
    barrier = threading.Barrier(8)

    def start() -> None:
        namespace = store.open_namespace(path, durability="normal")
        barrier.wait()
        with namespace.activate():
            store.migrate(store.Schema((Thing,), lambda: firsts.append(1)))
        namespace.close()

    threads = [threading.Thread(target=start) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert firsts == [1]


def test_a_write_fails_if_another_program_holds_the_lock_too_long(tmp_path: Path) -> None:
    namespace = make(str(tmp_path / "w.sqlite3"), busy_timeout_seconds=0.01)
    with closing(sqlite3.connect(tmp_path / "w.sqlite3", isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        with namespace.activate():
            with pytest.raises(sqlite3.OperationalError) as refused, store.transaction():
                add.run(name="a", size=1)
            assert store.is_unavailable(refused.value)
            other.execute("ROLLBACK")
            with store.transaction():
                add.run(name="a", size=1)
            assert sizes.all(name="a") == [1]
    namespace.close()


def test_a_restore_fails_if_another_program_holds_the_lock_too_long(tmp_path: Path) -> None:
    namespace = make(str(tmp_path / "w.sqlite3"), busy_timeout_seconds=0.01)
    empty, begun = namespace.contents(), namespace.generation
    with namespace.activate():
        add.run(name="a", size=1)
    with closing(sqlite3.connect(tmp_path / "w.sqlite3", isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(store.DatabaseUnavailable, match=r"w\.sqlite3: end it"):
            namespace.restore(empty)
        other.execute("ROLLBACK")
    with namespace.activate(begun):  # what has begun goes on
        assert sizes.all(name="a") == [1]
    namespace.restore(empty)
    with pytest.raises(store.NamespaceClosed), namespace.activate(begun):
        pass
    with namespace.activate():
        assert sizes.all(name="a") == []
    namespace.close()


def test_what_has_begun_before_a_restore_writes_nothing_after_it(tmp_path: Path) -> None:
    namespace = make(str(tmp_path / "w.sqlite3"))
    empty = namespace.contents()
    with ThreadPoolExecutor(1) as pool, namespace.activate():
        pool.submit(namespace.restore, empty).result()
        with pytest.raises(store.NamespaceClosed), store.transaction():
            add.run(name="a", size=1)
    with namespace.activate():
        assert sizes.all(name="a") == []
    namespace.close()


def test_a_reset_that_fails_changes_nothing(namespace: Namespace) -> None:
    def fail() -> None:
        raise LookupError

    hooks = NamespaceHooks(
        namespace.contents,
        make=lambda _: namespace,
        on_create=fail,
        on_copy=fail,
        on_restore=fail,
    )
    begun, delay = namespace.generation, Delay(600)
    namespace.add_delay(delay)
    with namespace.activate():
        add.run(name="a", size=1)
    with pytest.raises(LookupError):
        Namespaces(namespace, hooks, maximum=1).reset("default")
    assert not delay.has_ended()
    with namespace.activate(begun):
        assert sizes.all(name="a") == [1]


def test_a_full_database_is_unavailable_and_keeps_its_rows(tmp_path: Path) -> None:
    namespace = make(str(tmp_path / "w.sqlite3"))
    with namespace.activate():
        add.run(name="a", size=1)
        namespace.database.run("PRAGMA max_page_count = 1")
        with pytest.raises(sqlite3.OperationalError) as refused, store.transaction():
            add.run(name="b" * 100_000, size=2)
        assert store.is_unavailable(refused.value)
        assert sizes.all(name="a") == [1]
    namespace.close()


def test_an_sql_error_does_not_count_as_an_unavailable_database(namespace: Namespace) -> None:
    with namespace.activate(), pytest.raises(pw.OperationalError) as refused:
        namespace.database.run("SELECT * FROM nowhere")
    assert not store.is_unavailable(refused.value)


def test_delays_are_ended_while_other_threads_add_delays(namespace: Namespace) -> None:
    stopped = threading.Event()

    def add() -> None:
        while not stopped.is_set():
            namespace.add_delay(Delay(1))

    kept, interval = [Delay(1) for _ in range(200)], sys.getswitchinterval()
    for each in kept:
        namespace.add_delay(each)
    sys.setswitchinterval(1e-6)
    try:
        with ThreadPoolExecutor(1) as pool:
            adding = pool.submit(add)
            try:
                for _ in range(1000):
                    namespace.end_delays()
            finally:
                stopped.set()
            adding.result()
    finally:
        sys.setswitchinterval(interval)
    assert all(each.has_ended() for each in kept)


def test_upsert_inserts_a_row_then_updates_it(namespace: Namespace) -> None:
    with namespace.activate():
        store.upsert(Thing, "name", name="a", size=1)
        store.upsert(Thing, "name", name="a", size=2)
        store.upsert(Thing, "name", name="b", size=3)
        assert [(row.name, row.size) for row in Thing.select()] == [("a", 2), ("b", 3)]
