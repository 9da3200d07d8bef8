"""Worlds by name: `default`, and in a double as many others in memory as are asked for."""

import re
import sqlite3
import threading
from collections.abc import Callable

import peewee as pw

from sessionary.store.schema import Unusable
from sessionary.store.worlds import DEFAULT, World, memory_world

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


def adopted(contents: bytes, adopt: Callable[[], None]) -> bytes:
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


class Namespaces:
    """The worlds of a double.

    `template` gives what a new one holds, and in it `begin` is run. In one with contents from
    elsewhere `adopt` is run first, which raises Unusable where it cannot be one.
    """

    def __init__(
        self,
        default: World,
        template: Callable[[], bytes],
        begin: Callable[[], None],
        adopt: Callable[[], None],
        *,
        maximum: int,
    ) -> None:
        self.maximum = maximum
        self._worlds = {DEFAULT: default}
        self._template = template
        self._begin = begin
        self._adopt = adopt
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
        """The world of this name, made if it is not there yet. Raises BadName, TooManyWorlds."""
        found = self._worlds.get(name)
        if found is not None:
            return found
        try:
            return self.create(name)
        except WorldExists:
            return self.find(name)

    def create(self, name: str, contents: bytes | None = None) -> World:
        """A new world, from the template or with these contents.

        Raises WorldExists, BadName, TooManyWorlds.
        """
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
            world = memory_world(self._template() if contents is None else contents)
            world.name = name
            world.keeps_history = True
            with world.entered():
                if contents is None:
                    self._begin()
                else:
                    self._adopt()
            self._worlds[name] = world
            return world

    def reset(self, name: str) -> None:
        """Make a world what a new one is. Raises NoSuchWorld."""
        world = self.find(name)
        with world.entered():
            world.restore(self._template())
            self._begin()

    def restore(self, name: str, contents: bytes) -> None:
        """Give a world, made if it is not there, the contents of a file. Raises Unusable."""
        usable = adopted(contents, self._adopt)
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
        """Close every world."""
        for world in self._worlds.values():
            world.close()
