"""Worlds by name: `default`, and in a double as many others in memory as are asked for."""

import re
import sqlite3
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from itertools import islice

import peewee as pw

from sessionary.store.database import DEFAULT, World, memory_world
from sessionary.store.errors import Unusable

_AWAKE = 200  # of the youngest worlds; an older one that is entered wakes up
_MAGIC = b"SQLite format 3\0"
_NAME = re.compile("[a-z0-9_]{1,40}", re.ASCII)


class BadName(ValueError):
    """A name that no world can have; the message says what one looks like."""


class NoSuchWorld(LookupError):
    """There is no world of this name."""


class WorldExists(ValueError):
    """There is a world of this name already."""


class TooManyWorlds(RuntimeError):
    """The double holds as many worlds as it may; the message says what to do."""


@dataclass(frozen=True)
class Ways:
    """How the worlds of a double come to be; each function but the first runs in the world."""

    template: Callable[[], bytes]  # what a new one holds
    begin: Callable[[], None]  # in a new one
    copied: Callable[[], None]  # in the copy of another
    adopt: Callable[[], None]  # in one whose contents come from elsewhere; raises Unusable


class Namespaces:
    """The worlds of a double."""

    def __init__(self, default: World, ways: Ways, *, maximum: int) -> None:
        self.maximum = maximum
        self._worlds = {DEFAULT: default}
        self._ways = ways
        self._lock = threading.Lock()

    def names(self) -> list[str]:
        """Every world's name, in the order in which they were made."""
        return list(self._worlds)

    def find(self, name: str) -> World:
        """The world of this name. Raises NoSuchWorld."""
        try:
            return self._worlds[name]
        except KeyError:
            raise NoSuchWorld(f"there is no world {name!r}") from None

    def get(self, name: str) -> World:
        """The world of this name, made if it is not there yet. Raises BadName, TooManyWorlds.

        Once all have been closed, a RuntimeError.
        """
        if DEFAULT not in self._worlds:
            raise RuntimeError("the worlds of this double are closed")
        while (found := self._worlds.get(name)) is None:
            with suppress(WorldExists):
                return self.create(name)
        return found

    def create(self, name: str) -> World:
        """A new world. Raises WorldExists, BadName, TooManyWorlds."""
        return self._add(name, self._ways.template, self._ways.begin)

    def fork(self, source: str, name: str) -> World:
        """A copy of a world as it is. Raises NoSuchWorld, and what `create` does."""
        return self._add(name, self.find(source).contents, self._ways.copied)

    def reset(self, name: str) -> None:
        """Make a world what a new one is. Raises NoSuchWorld."""
        world = self.find(name)
        with world.entered():
            world.restore(self._ways.template())
            self._ways.begin()

    def restore(self, name: str, contents: bytes) -> None:
        """Give a world, made if it is not there, the contents of a file. Raises Unusable."""
        usable = _adopted(contents, self._ways.adopt)
        self.get(name).restore(usable)

    def drop(self, name: str) -> None:
        """Close a world and forget it; a request that waits for it finds a new one.

        Raises NoSuchWorld, and BadName for the default one.
        """
        if name == DEFAULT:
            raise BadName("the default world cannot be dropped: reset it")
        with self._lock:
            world = self.find(name)
            del self._worlds[name]
        world.close()

    def close(self) -> None:
        """Close every world, for good."""
        with self._lock:
            worlds = list(self._worlds.values())
            self._worlds.clear()
        for world in worlds:
            world.close()

    def _add(self, name: str, contents: Callable[[], bytes], begin: Callable[[], None]) -> World:
        if not _NAME.fullmatch(name):
            raise BadName("a world's name is 1 to 40 of the characters a-z, 0-9 and _")
        with self._lock:
            if name in self._worlds:
                raise WorldExists(f"there is a world {name!r} already")
            if len(self._worlds) >= self.maximum:
                raise TooManyWorlds(
                    f"there are {self.maximum} worlds already: drop some, or allow for more "
                    "with --max-worlds"
                )
            self._worlds[name] = world = _begun(name, contents(), begin)
            self._let_one_rest()
            return world

    def _let_one_rest(self) -> None:
        """A world that is open takes several times the memory of its contents."""
        if len(self._worlds) > _AWAKE:
            name = next(islice(reversed(self._worlds), _AWAKE, None))
            self._worlds[name].rest()


def _begun(name: str, contents: bytes, begin: Callable[[], None]) -> World:
    world = memory_world(contents)
    world.name, world.keeps_history = name, True
    try:
        with world.entered():
            begin()
    except BaseException:
        world.close()
        raise
    return world


def _adopted(contents: bytes, adopt: Callable[[], None]) -> bytes:
    """A database file's contents, checked and made fit. Raises Unusable."""
    if contents[:16] != _MAGIC:
        raise Unusable("this is no SQLite database: send the file that a snapshot gave")
    # A file in WAL mode says so in two of its bytes, and then does not open in memory.
    world = memory_world(contents[:18] + bytes((1, 1)) + contents[20:])
    try:
        with world.entered():
            (found,) = world.database.run("PRAGMA quick_check").fetchone()
            if found != "ok":
                raise Unusable(f"the file is damaged: {found}")
            adopt()
        return world.contents()
    except (sqlite3.DatabaseError, pw.DatabaseError) as error:
        raise Unusable(f"the file cannot be used: {error}") from error
    finally:
        world.close()
