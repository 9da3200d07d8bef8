"""Namespaces, ready to be served: the schema, the seed, the first keys."""

import logging
from dataclasses import dataclass
from pathlib import Path

from sessionary import clock, identity, ids, store
from sessionary.clock import Clock
from sessionary.identity import NewKey, rate_limits
from sessionary.ids import IdSequence
from sessionary.seeds import loader
from sessionary.settings import Settings
from sessionary.store import Namespace
from sessionary.surfaces import SURFACES
from sessionary.web.instants import to_stamp

_log = logging.getLogger("sessionary")
TABLES: tuple[type[store.Model], ...] = (
    Clock,
    IdSequence,
    loader.Seeded,
    *identity.TABLES,
    *(table for surface in SURFACES for table in surface.tables),
)


@dataclass(frozen=True)
class Prepared:
    """A namespace that is ready to be served, and the keys that its first start made."""

    namespace: Namespace
    first_keys: tuple[NewKey, ...]
    kept: Path | None = None  # the database as it was before it was upgraded


def prepare(settings: Settings) -> Prepared:
    """Open the database, bring it to this program's schema, apply the seed, make the first keys.

    One that is upgraded is copied first. Safe when several processes do it at once. Raises
    store.DatabaseUnusable and seed.BadSeed.
    """
    document = read_seed(settings)
    kept: list[Path] = []
    namespace = open_namespace(settings)
    with store.with_file_name(settings.db), namespace.activate():
        store.migrate(TABLES, first_rows, lambda version: kept.extend(_keep(settings.db, version)))
        store.undo_log.disable(TABLES)
        if settings.control:
            from sessionary import control  # which other servers need not load

            control.create_tables()
        add_guard(settings)
        begin(settings, document)
        first_keys = _first_keys() if settings.auth == "strict" else ()
    return Prepared(namespace, first_keys, kept[0] if kept else None)


def _keep(db: str, version: int) -> tuple[Path, ...]:
    """Copy a database as it is before it is upgraded, unless another process has upgraded it."""
    copy = Path(f"{db}.version-{version}.{to_stamp(clock.wall())}")
    store.back_up(Path(db), copy)
    if store.file_version(copy) != version:
        copy.unlink()
        return ()
    _log.warning("%s has schema version %d and is upgraded; a copy is %s", db, version, copy)
    return (copy,)


def open_namespace(settings: Settings) -> Namespace:
    """Open the namespace of these settings. Raises store.DatabaseUnusable if its file is missed."""
    if settings.db != ":memory:":
        store.ensure_not_in_use(Path(settings.db))
    return store.open_namespace(
        settings.db,
        durability=settings.durability,
        busy_timeout_seconds=settings.busy_timeout_seconds,
    )


def add_guard(settings: Settings) -> None:
    """Make what its guard keeps in the active namespace, if it is on."""
    if settings.rate_limit or settings.max_failed_keys_per_minute:
        store.create_tables(rate_limits.TABLES)


def read_seed(settings: Settings) -> loader.Document | None:
    """The seed, if there is one, to be read before the database is touched. Raises BadSeed."""
    return None if settings.seed is None else loader.read(Path(settings.seed))


def begin(settings: Settings, document: loader.Document | None) -> None:
    """Bring the active namespace to what its settings say: the seed, the clock's rate."""
    if document is not None:
        loader.apply(document, SURFACES)
    if settings.clock_rate is not None:
        clock.set_mode("scaled", rate=settings.clock_rate)


def first_rows() -> None:
    """Write what the active namespace, which is new, cannot be without."""
    clock.start()
    ids.start()
    for surface in SURFACES:
        if surface.first_rows is not None:
            surface.first_rows()


def _first_keys() -> tuple[NewKey, ...]:
    with store.transaction():
        if identity.has_keys():
            return ()
        user = identity.owner()
        return tuple(
            identity.create_key(surface.key_prefix, user=user, surface=surface.name)
            for surface in SURFACES
        )
