"""Databases filled with sessions by plain sqlite3, and keys to them."""

import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple

from flask import Flask

from sessionary import clock, create_app, identity
from sessionary.factory import prepare
from sessionary.settings import Settings
from sessionary.store import Namespace

STEP = 1_000_000  # microseconds between two sessions


class Dataset(NamedTuple):
    """The sessions of a filled database, and what is needed to write them."""

    organization: str
    user: str
    keys: dict[str, str]  # by surface
    now: int
    session_count: int  # of each vendor
    open_count: int  # the latest of them, not ended by a call

    def created_at(self, number: int) -> int:
        """Return the creation instant of a session: one per second, the last one now."""
        return self.now - (self.session_count - number) * STEP

    def is_open(self, number: int) -> bool:
        return number >= self.session_count - self.open_count


class FilledApp(NamedTuple):
    """An application on a filled_app database."""

    app: Flask
    namespace: Namespace
    dataset: Dataset
    path: Path


def hexadecimal(number: int) -> str:
    """Return twelve digits, unique per number and unordered, like a random id."""
    return f"{number * 0x9E3779B97F4B & 0xFFFFFFFFFFFF:012x}"


@contextmanager
def filled_app(
    path: Path, vendors: Iterable[ModuleType], count: int, *, open_count: int = 0, durability: str
) -> Iterator[FilledApp]:
    """Open a strict application on a new file with `count` sessions of each vendor."""
    settings = Settings(db=str(path), durability=durability)
    dataset = fill(settings, vendors, count, open_count=open_count)
    app = create_app(settings)
    namespace: Namespace = app.extensions["sessionary"]
    try:
        yield FilledApp(app, namespace, dataset, path)
    finally:
        namespace.close()
        for each in path.parent.glob(f"{path.name}*"):
            each.unlink()


def fill(
    settings: Settings, vendors: Iterable[ModuleType], count: int, *, open_count: int = 0
) -> Dataset:
    """Create the database of these settings, with first keys and `count` sessions."""
    prepared = prepare(settings)
    with prepared.namespace.activate():
        user = identity.owner()
        organization = identity.organizations_of(user)[0]
        now = clock.now()
    prepared.namespace.close()
    keys = {str(key.surface): key.secret for key in prepared.first_keys}
    dataset = Dataset(organization, user, keys, now, count, open_count)
    connection = sqlite3.connect(settings.db)
    connection.execute("PRAGMA synchronous = OFF")
    with connection, _without_indexes(connection):
        for vendor in vendors:
            vendor.fill(connection, dataset)
    connection.execute("PRAGMA synchronous = FULL")  # so that no write-back is left
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    connection.close()
    return dataset


@contextmanager
def _without_indexes(connection: sqlite3.Connection) -> Iterator[None]:
    """Create the indexes after the rows, which is several times faster."""
    found = connection.execute(
        "SELECT name, sql FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL"
    ).fetchall()
    for name, _ in found:
        connection.execute(f'DROP INDEX "{name}"')
    yield
    for _, sql in found:
        connection.execute(sql)


def insert(
    connection: sqlite3.Connection, table: str, names: Iterable[str], rows: Iterable[Any]
) -> None:
    """Insert rows with values in the order of `names`."""
    columns = list(names)
    places = ", ".join("?" * len(columns))
    quoted = ", ".join(f'"{name}"' for name in columns)
    connection.executemany(f"INSERT INTO {table} ({quoted}) VALUES ({places})", rows)  # noqa: S608
