"""The namespaces of a double by name: `default`, and any number of others in memory."""

import mmap
import os
import re
import sqlite3
import threading
from collections.abc import Callable
from contextlib import closing, suppress
from functools import partial
from itertools import islice
from typing import IO, NamedTuple

import peewee as pw

from sessionary.near_names import did_you_mean
from sessionary.store.database import DEFAULT, Namespace, memory_namespace
from sessionary.store.errors import DatabaseUnusable
from sessionary.store.integrity import time_limit

MAX_OPEN = 200  # the youngest namespaces; an older one hibernates until it is activated
CHECK_SECONDS = 20.0  # for a file that is restored
_NO_WAL = b"\1\1"
_MAGIC = b"SQLite format 3\0"
_NAME = re.compile("[a-z0-9_]{1,40}", re.ASCII)


class BadName(ValueError):
    """A name that a namespace cannot have; the message says what is allowed."""


class NoSuchNamespace(LookupError):
    """A name without a namespace."""


class NamespaceExists(ValueError):
    """A name that another namespace has."""


class TooManyNamespaces(RuntimeError):
    """The double holds its maximum of namespaces; the message says what to do."""


class Origin(NamedTuple):
    """What a namespace is created with, and reset to.

    `at` freezes its clock, `ids` seeds its ids; `prepare` then fills it.
    """

    at: int | None
    ids: str | None
    prepare: Callable[[Namespace], None]


class NamespaceHooks(NamedTuple):
    """What a double runs as namespaces come and go; those in `on_` run in the namespace."""

    template: Callable[[], bytes]  # returns the contents of a new one
    make: Callable[[Origin], Namespace]
    on_create: Callable[[], None]
    on_copy: Callable[[], None]
    on_restore: Callable[[], None]  # checks and prepares a file; may raise DatabaseUnusable


class Namespaces:
    """The namespaces of a double."""

    def __init__(self, default: Namespace, hooks: NamespaceHooks, *, maximum: int) -> None:
        self.maximum = maximum
        self._namespaces = {DEFAULT: default}
        self._hooks = hooks
        # How to make the initial state of each namespace that does not come from the template.
        self._initial: dict[str, Callable[[], Namespace]] = {}
        self._draft = b""
        self._lock = threading.Lock()

    def names(self) -> list[str]:
        """Return all names, oldest namespace first."""
        return list(self._namespaces)

    def count(self) -> int:
        """Return how many there are."""
        return len(self._namespaces)

    def newest(self) -> str:
        """Return the name of the one that was created last."""
        return next(reversed(self._namespaces), DEFAULT)

    def find(self, name: str) -> Namespace:
        """Return the namespace of this name. Raises NoSuchNamespace."""
        found = self.named(name)
        if found is None:
            raise self.missing(name)
        return found

    def named(self, name: str) -> Namespace | None:
        """Return the namespace of this name, if there is one."""
        return self._namespaces.get(name)

    def missing(self, name: str) -> NoSuchNamespace:
        """The error that says that there is no such namespace."""
        return NoSuchNamespace(f"there is no namespace {name!r}{did_you_mean(name, self.names())}")

    def get(self, name: str) -> Namespace:
        """Return the namespace of this name, created if missing.

        Raises BadName and TooManyNamespaces.
        """
        while (found := self.named(name)) is None:
            with suppress(NamespaceExists):
                return self.create(name)
        return found

    def create(self, name: str, origin: Origin | None = None) -> Namespace:
        """Create a namespace. Raises NamespaceExists, BadName, TooManyNamespaces.

        Raises what `origin.prepare` raises, too, and then has created nothing.
        """
        if origin is None:
            return self._add(name, partial(self._from_template, name))
        self._check_free(name)  # before the work
        make = partial(self._hooks.make, origin)
        namespace = make()
        namespace.name, namespace.has_undo_log = name, True
        try:
            return self._add(name, lambda: namespace, initial=make)
        except BaseException:
            namespace.close()
            raise

    def begin_again(self, name: str, origin: Origin) -> None:
        """Give a namespace another origin, and reset it."""
        self._initial[name] = partial(self._hooks.make, origin)
        self.reset(name)

    def draft(self, name: str) -> Namespace:
        """Make what `create` would, without adding it; the caller closes it.

        Raises BadName, and RuntimeError once all namespaces have been closed.
        """
        _check_name(name)
        with self._lock:
            if DEFAULT not in self._namespaces:
                raise RuntimeError("the namespaces of this double are closed")
            self._draft = self._draft or self._hooks.template()  # of any age: nothing is kept
        return _create(name, self._draft, self._hooks.on_create)

    def fork(self, source: str, name: str) -> Namespace:
        """Copy a namespace. Raises NoSuchNamespace, and what `create` raises."""
        make = partial(_create, name, self.find(source).contents(), self._hooks.on_copy)
        made = self._add(name, make, initial=make)
        made.parent = source
        return made

    def reset(self, name: str) -> None:
        """Reset a namespace to its initial state, or change nothing. Raises NoSuchNamespace."""
        namespace = self.find(name)
        make = self._initial.get(name) or partial(self._from_template, name)
        with closing(make()) as made:
            namespace.take_contents(made)

    def restore(self, name: str, contents: bytes | mmap.mmap) -> None:
        """Give a namespace, new or not, the contents of a file. Raises DatabaseUnusable."""
        checked = _prepare(contents, self._hooks.on_restore)
        self.get(name).restore(checked)

    def drop(self, name: str) -> None:
        """Close and forget a namespace.

        Raises NoSuchNamespace, and BadName for the default one.
        """
        if name == DEFAULT:
            raise BadName("the default namespace cannot be dropped: reset it")
        with self._lock:
            namespace = self.find(name)
            del self._namespaces[name]
            self._initial.pop(name, None)
        namespace.close()

    def close(self) -> None:
        """Close every namespace, for good."""
        with self._lock:
            namespaces = list(self._namespaces.values())
            self._namespaces.clear()
        for namespace in namespaces:
            namespace.close()

    def _from_template(self, name: str) -> Namespace:
        return _create(name, self._hooks.template(), self._hooks.on_create)

    def _check_free(self, name: str) -> None:
        _check_name(name)
        if name in self._namespaces:
            raise NamespaceExists(f"namespace {name!r} exists already")

    def _add(
        self,
        name: str,
        make: Callable[[], Namespace],
        initial: Callable[[], Namespace] | None = None,
    ) -> Namespace:
        with self._lock:
            self._check_free(name)
            if len(self._namespaces) >= self.maximum:
                raise TooManyNamespaces(
                    f"there are {self.maximum} namespaces already: drop some, or allow more "
                    "with --max-namespaces"
                )
            self._namespaces[name] = namespace = make()
            if initial is not None:
                self._initial[name] = initial
            self._hibernate_one()
            return namespace

    def _hibernate_one(self) -> None:
        """Save memory: an open namespace takes several times the size of its contents."""
        if len(self._namespaces) > MAX_OPEN:
            name = next(islice(reversed(self._namespaces), MAX_OPEN, None))
            self._namespaces[name].hibernate()


def _check_name(name: str) -> None:
    if not _NAME.fullmatch(name):
        raise BadName("a namespace's name is 1 to 40 of the characters a-z, 0-9 and _")


def _create(name: str, contents: bytes, hook: Callable[[], None]) -> Namespace:
    namespace = memory_namespace(contents)
    namespace.name, namespace.has_undo_log = name, True
    try:
        with namespace.activate():
            hook()
    except BaseException:
        namespace.close()
        raise
    return namespace


def map_file(file: IO[bytes]) -> bytes | mmap.mmap:
    """Return the contents of a file without reading it into memory."""
    is_empty = not os.fstat(file.fileno()).st_size
    return b"" if is_empty else mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)


def _prepare(contents: bytes | mmap.mmap, hook: Callable[[], None]) -> bytes:
    """Check the bytes of a database file and run the hook on them. Raises DatabaseUnusable."""
    if contents[:16] != _MAGIC:
        raise DatabaseUnusable("the file is not a SQLite database: send a snapshot")
    if contents[18:20] != _NO_WAL:  # a database in memory cannot have a WAL
        contents = contents[:18] + _NO_WAL + contents[20:]
    try:
        with (
            closing(memory_namespace(contents)) as namespace,
            namespace.activate(),
            time_limit(namespace.connection(), CHECK_SECONDS),
        ):
            namespace.database.run("PRAGMA trusted_schema = OFF")
            hook()
            return namespace.contents()
    except (sqlite3.DatabaseError, pw.DatabaseError) as error:
        raise DatabaseUnusable(f"the file cannot be used: {error}") from error
