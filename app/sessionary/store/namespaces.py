"""Namespaces by name: `default`, and in a double as many others in memory as are asked for."""

import re
import sqlite3
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from itertools import islice

import peewee as pw

from sessionary.store.database import DEFAULT, Namespace, memory_namespace
from sessionary.store.errors import DatabaseUnusable

MAX_OPEN = 200  # of the youngest namespaces; an older one that is entered wakes up
_MAGIC = b"SQLite format 3\0"
_NAME = re.compile("[a-z0-9_]{1,40}", re.ASCII)


class BadName(ValueError):
    """A name that no namespace can have; the message says what one looks like."""


class NoSuchNamespace(LookupError):
    """There is no namespace of this name."""


class NamespaceExists(ValueError):
    """There is a namespace of this name already."""


class TooManyNamespaces(RuntimeError):
    """The double holds as many namespaces as it may; the message says what to do."""


@dataclass(frozen=True)
class NamespaceHooks:
    """How the namespaces of a double come to be; each function but the first runs in the
    namespace."""

    template: Callable[[], bytes]  # what a new one holds
    begin: Callable[[], None]  # in a new one
    copied: Callable[[], None]  # in the copy of another
    adopt: Callable[[], None]  # in one whose contents come from elsewhere; raises DatabaseUnusable


class Namespaces:
    """The namespaces of a double."""

    def __init__(self, default: Namespace, ways: NamespaceHooks, *, maximum: int) -> None:
        self.maximum = maximum
        self._namespaces = {DEFAULT: default}
        self._ways = ways
        self._lock = threading.Lock()

    def names(self) -> list[str]:
        """Every namespace's name, in the order in which they were made."""
        return list(self._namespaces)

    def find(self, name: str) -> Namespace:
        """The namespace of this name. Raises NoSuchNamespace."""
        try:
            return self._namespaces[name]
        except KeyError:
            raise NoSuchNamespace(f"there is no namespace {name!r}") from None

    def get(self, name: str) -> Namespace:
        """The namespace of this name, made if it is not there yet. Raises BadName,
        TooManyNamespaces.

        Once all have been closed, a RuntimeError.
        """
        if DEFAULT not in self._namespaces:
            raise RuntimeError("the namespaces of this double are closed")
        while (found := self._namespaces.get(name)) is None:
            with suppress(NamespaceExists):
                return self.create(name)
        return found

    def create(self, name: str) -> Namespace:
        """A new namespace. Raises NamespaceExists, BadName, TooManyNamespaces."""
        return self._add(name, self._ways.template, self._ways.begin)

    def fork(self, source: str, name: str) -> Namespace:
        """A copy of a namespace as it is. Raises NoSuchNamespace, and what `create` does."""
        return self._add(name, self.find(source).contents, self._ways.copied)

    def reset(self, name: str) -> None:
        """Make a namespace what a new one is. Raises NoSuchNamespace."""
        namespace = self.find(name)
        with namespace.activate():
            namespace.restore(self._ways.template())
            self._ways.begin()

    def restore(self, name: str, contents: bytes) -> None:
        """Give a namespace, new or not, the contents of a file. Raises DatabaseUnusable."""
        usable = _adopted(contents, self._ways.adopt)
        self.get(name).restore(usable)

    def drop(self, name: str) -> None:
        """Close a namespace and forget it; a request that waits for it finds a new one.

        Raises NoSuchNamespace, and BadName for the default one.
        """
        if name == DEFAULT:
            raise BadName("the default namespace cannot be dropped: reset it")
        with self._lock:
            namespace = self.find(name)
            del self._namespaces[name]
        namespace.close()

    def close(self) -> None:
        """Close every namespace, for good."""
        with self._lock:
            namespaces = list(self._namespaces.values())
            self._namespaces.clear()
        for namespace in namespaces:
            namespace.close()

    def _add(
        self, name: str, contents: Callable[[], bytes], begin: Callable[[], None]
    ) -> Namespace:
        if not _NAME.fullmatch(name):
            raise BadName("a namespace's name is 1 to 40 of the characters a-z, 0-9 and _")
        with self._lock:
            if name in self._namespaces:
                raise NamespaceExists(f"there is a namespace {name!r} already")
            if len(self._namespaces) >= self.maximum:
                raise TooManyNamespaces(
                    f"there are {self.maximum} namespaces already: drop some, or allow for more "
                    "with --max-namespaces"
                )
            self._namespaces[name] = namespace = _begun(name, contents(), begin)
            self._let_one_rest()
            return namespace

    def _let_one_rest(self) -> None:
        """A namespace that is open takes several times the memory of its contents."""
        if len(self._namespaces) > MAX_OPEN:
            name = next(islice(reversed(self._namespaces), MAX_OPEN, None))
            self._namespaces[name].hibernate()


def _begun(name: str, contents: bytes, begin: Callable[[], None]) -> Namespace:
    namespace = memory_namespace(contents)
    namespace.name, namespace.has_undo_log = name, True
    try:
        with namespace.activate():
            begin()
    except BaseException:
        namespace.close()
        raise
    return namespace


def _adopted(contents: bytes, adopt: Callable[[], None]) -> bytes:
    """A database file's contents, checked and made fit. Raises DatabaseUnusable."""
    if contents[:16] != _MAGIC:
        raise DatabaseUnusable("this is no SQLite database: send the file that a snapshot gave")
    # A file in WAL mode says so in two of its bytes, and then does not open in memory.
    namespace = memory_namespace(contents[:18] + bytes((1, 1)) + contents[20:])
    try:
        with namespace.activate():
            (found,) = namespace.database.run("PRAGMA quick_check").fetchone()
            if found != "ok":
                raise DatabaseUnusable(f"the file is damaged: {found}")
            adopt()
        return namespace.contents()
    except (sqlite3.DatabaseError, pw.DatabaseError) as error:
        raise DatabaseUnusable(f"the file cannot be used: {error}") from error
    finally:
        namespace.close()
