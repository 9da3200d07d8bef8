"""Databases with as many sessions as are wanted, written past the product, and keys to them."""

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


class Place(NamedTuple):
    """Where the sessions live, and what the vendors need to write them."""

    organization: str
    user: str
    keys: dict[str, str]  # by surface
    now: int
    count: int  # of each vendor's sessions
    held: int  # the latest of them, which no call has ended

    def created_at(self, number: int) -> int:
        """When the session of this number was created: one each second, the last one just now."""
        return self.now - (self.count - number) * STEP

    def is_held(self, number: int) -> bool:
        return number >= self.count - self.held


class Filled(NamedTuple):
    """An application on a filled database."""

    app: Flask
    namespace: Namespace
    place: Place
    path: Path


def hexadecimal(number: int) -> str:
    """Twelve digits, different for each number, and in no order: as random ids are."""
    return f"{number * 0x9E3779B97F4B & 0xFFFFFFFFFFFF:012x}"


@contextmanager
def filled(
    path: Path, vendors: Iterable[ModuleType], count: int, *, held: int = 0, durability: str
) -> Iterator[Filled]:
    """A strict application on a new file with `count` sessions of each vendor."""
    settings = Settings(db=str(path), durability=durability)
    place = fill(settings, vendors, count, held=held)
    app = create_app(settings)
    namespace: Namespace = app.extensions["sessionary"]
    try:
        yield Filled(app, namespace, place, path)
    finally:
        namespace.close()
        for each in path.parent.glob(f"{path.name}*"):
            each.unlink()


def fill(settings: Settings, vendors: Iterable[ModuleType], count: int, *, held: int = 0) -> Place:
    """Make the database that the settings name, with its first keys and these sessions."""
    prepared = prepare(settings)
    with prepared.namespace.activate():
        user = identity.owner()
        organization = identity.organizations_of(user)[0]
        now = clock.now()
    prepared.namespace.close()
    keys = {str(key.surface): key.secret for key in prepared.first_keys}
    place = Place(organization, user, keys, now, count, held)
    connection = sqlite3.connect(settings.db)
    connection.execute("PRAGMA synchronous = OFF")
    with connection, _without_indexes(connection):
        for vendor in vendors:
            vendor.fill(connection, place)
    connection.execute("PRAGMA synchronous = FULL")  # nothing is left to write back later
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    connection.close()
    return place


@contextmanager
def _without_indexes(connection: sqlite3.Connection) -> Iterator[None]:
    """Make the indexes after the rows: that is several times as fast."""
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
    """Write rows whose values are in the order of these columns."""
    columns = list(names)
    places = ", ".join("?" * len(columns))
    quoted = ", ".join(f'"{name}"' for name in columns)
    connection.executemany(f"INSERT INTO {table} ({quoted}) VALUES ({places})", rows)  # noqa: S608
