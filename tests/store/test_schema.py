"""Creation and upgrade: a database of every earlier version gets the schema of a new one."""

import json
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
from freezegun import freeze_time

from sessionary import create_app, store
from sessionary.factory import SCHEMA
from sessionary.settings import Settings
from sessionary.store import Migration, Namespace
from sessionary.store.connections import Database
from tests import schema_versions

each_version = pytest.mark.parametrize(
    "dump", schema_versions.fixtures(), ids=lambda path: path.stem
)
PARTS = """CREATE TABLE "part" ("id" INTEGER NOT NULL PRIMARY KEY,
    "thing" INTEGER NOT NULL REFERENCES "thing" ("id"))"""


class Thing(store.Model):
    """A table that migrations can change."""


def shape(file: Path) -> list[tuple[str, ...]]:
    with closing(sqlite3.connect(file)) as connection:
        return sorted(connection.execute("SELECT type, name, tbl_name, sql FROM sqlite_master"))


def count(file: Path, table: str) -> int:
    with closing(sqlite3.connect(file)) as connection:
        return int(connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0])  # noqa: S608


@each_version
def test_an_upgraded_database_has_the_schema_of_a_new_one(dump: Path, tmp_path: Path) -> None:
    """Where this fails, the schema has changed without a new version: see store/schema.py."""
    schema_versions.load(dump, tmp_path / "old.sqlite3")
    for name in ("old", "new"):
        file = str(tmp_path / f"{name}.sqlite3")
        create_app(Settings(db=file, auth="lenient")).extensions["sessionary"].close()
    assert shape(tmp_path / "old.sqlite3") == shape(tmp_path / "new.sqlite3")


@each_version
def test_the_sessions_of_an_upgraded_database_read_as_before(dump: Path, tmp_path: Path) -> None:
    schema_versions.load(dump, tmp_path / "old.sqlite3")
    with freeze_time(schema_versions.NOON):
        app = create_app(Settings(db=str(tmp_path / "old.sqlite3")))
        assert schema_versions.read(app) == json.loads(dump.with_suffix(".json").read_text())
        app.extensions["sessionary"].close()


@each_version
def test_a_fixture_has_rows_in_every_table(dump: Path, tmp_path: Path) -> None:
    schema_versions.load(dump, tmp_path / "old.sqlite3")
    tables = [name for kind, name, *_ in shape(tmp_path / "old.sqlite3") if kind == "table"]
    assert [table for table in tables if not count(tmp_path / "old.sqlite3", table)] == []


def test_there_is_a_fixture_of_every_version() -> None:
    versions = range(1, SCHEMA.version + 1)
    assert schema_versions.fixtures() == sorted(map(schema_versions.fixture, versions))


def widen(database: Database) -> None:
    database.run('ALTER TABLE "thing" ADD COLUMN "size" INTEGER')
    database.run('UPDATE "thing" SET "size" = 7')


def add_parts(database: Database) -> None:
    database.run(PARTS)
    database.run('INSERT INTO "part" ("thing") SELECT "id" FROM "thing"')


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A database of version 1 with one row."""
    with activated(tmp_path / "w.sqlite3") as namespace:
        store.migrate(things())
        namespace.database.run('INSERT INTO "thing" DEFAULT VALUES')
    return tmp_path / "w.sqlite3"


@contextmanager
def activated(file: Path) -> Iterator[Namespace]:
    namespace = store.open_namespace(str(file), durability="off")
    with closing(namespace), namespace.activate():
        yield namespace


def things(*migrations: Migration) -> store.Schema:
    """The schema of a program with these migrations."""
    return store.Schema((Thing,), migrations=migrations)


def version(file: Path) -> int:
    with closing(sqlite3.connect(file)) as connection:
        return int(connection.execute("PRAGMA user_version").fetchone()[0])


def test_migrations_run_in_order_and_once(file: Path) -> None:
    told: list[int] = []
    program = things(widen, add_parts)
    for _ in range(2):
        with activated(file) as namespace:
            store.migrate(program, told.append)
            assert namespace.database.run("SELECT size FROM thing").fetchall() == [(7,)]
            assert namespace.database.run("SELECT thing FROM part").fetchall() == [(1,)]
    assert (version(file), told) == (3, [1])


def test_a_migration_that_fails_leaves_the_version_before_it(file: Path) -> None:
    def break_off(database: Database) -> None:
        database.run('DELETE FROM "thing"')
        raise ZeroDivisionError

    program = things(widen, break_off)
    with activated(file), pytest.raises(ZeroDivisionError):
        store.migrate(program)
    assert (version(file), count(file, "thing")) == (2, 1)


def test_a_migration_that_breaks_a_reference_is_rolled_back(file: Path) -> None:
    program = things(add_parts, lambda database: database.run('DELETE FROM "thing"'))
    with activated(file) as namespace:
        with pytest.raises(
            store.DatabaseUnusable, match="row 1 of part would refer to nothing in thing"
        ):
            store.migrate(program)
        assert namespace.database.run("PRAGMA foreign_keys").fetchone() == (1,)
    assert (version(file), count(file, "thing")) == (2, 1)


def test_a_migration_may_recreate_a_table_that_others_reference(file: Path) -> None:
    def remake(database: Database) -> None:
        database.run('CREATE TABLE "new" ("id" INTEGER NOT NULL PRIMARY KEY, "name" TEXT)')
        database.run('INSERT INTO "new" ("id") SELECT "id" FROM "thing"')
        database.run('DROP TABLE "thing"')
        database.run('ALTER TABLE "new" RENAME TO "thing"')

    program = things(add_parts, remake)
    with activated(file) as namespace:
        store.migrate(program)
        assert namespace.database.run("SELECT id, name FROM thing").fetchall() == [(1, None)]
    assert count(file, "part") == 1


def test_concurrent_starts_upgrade_once(file: Path) -> None:
    all_have_seen_the_old_version = threading.Barrier(8)
    failed: list[BaseException] = []
    program = things(add_parts)

    def wait(_: int) -> None:
        all_have_seen_the_old_version.wait()

    def start() -> None:
        with activated(file):
            try:
                store.migrate(program, wait)
            except BaseException as error:  # noqa: BLE001 - told below
                failed.append(error)

    threads = [threading.Thread(target=start) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (failed, version(file), count(file, "part")) == ([], 2, 1)


def test_the_database_of_another_program_is_refused_and_left_alone(tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "w.sqlite3")) as connection:
        connection.execute("CREATE TABLE theirs (id)")
    with (
        activated(tmp_path / "w.sqlite3"),
        pytest.raises(store.DatabaseUnusable, match="another program"),
    ):
        store.migrate(things())
    assert [name for _, name, *_ in shape(tmp_path / "w.sqlite3")] == ["theirs"]


@pytest.mark.parametrize(
    ("table", "condition", "since"),
    [
        ("scale_sessions", "archived_at IS NULL", "created_at"),
        ("scale_sessions", "archived_at IS NOT NULL", "updated_at"),
        ("galtea_sessions", "status = 'PENDING'", "created_at"),
        ("galtea_sessions", "status <> 'PENDING'", "written_at"),
        ("notte_sessions", "ended_at IS NULL", "created_at"),
        ("notte_sessions", "ended_at IS NOT NULL", "ended_at"),
    ],
)
def test_an_upgrade_to_version_3_finds_since_when_each_status_is(
    tmp_path: Path, table: str, condition: str, since: str
) -> None:
    file = tmp_path / "old.sqlite3"
    schema_versions.load(schema_versions.FOLDER / "version-2.sql", file)
    written = {"scale_sessions": "updated_at", "galtea_sessions": "written_at"}.get(table)
    with closing(sqlite3.connect(file)) as connection:
        if written is not None:  # at an instant of its own
            connection.execute(f"UPDATE {table} SET {written} = created_at + 1")  # noqa: S608
        connection.commit()
    create_app(Settings(db=str(file))).extensions["sessionary"].close()
    with closing(sqlite3.connect(file)) as connection:
        query = f"SELECT status_since_at, {since} FROM {table} WHERE {condition}"  # noqa: S608
        found = connection.execute(query).fetchall()
    assert found
    assert all(at == expected for at, expected in found)
