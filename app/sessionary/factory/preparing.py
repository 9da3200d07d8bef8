"""Worlds, ready to be served: the schema, the seed, the first keys."""

import logging
from dataclasses import dataclass
from pathlib import Path

from sessionary import clock, control, identity, ids, seed, store
from sessionary.clock import SECOND, Clock
from sessionary.identity import NewKey, guard
from sessionary.ids import Mint
from sessionary.settings import Settings
from sessionary.store import Namespaces, Ways, World
from sessionary.surfaces import SURFACES
from sessionary.wire.instants import to_stamp

_log = logging.getLogger("sessionary")
TABLES: tuple[type[store.Model], ...] = (
    Clock,
    Mint,
    seed.Seeded,
    *identity.TABLES,
    *(table for surface in SURFACES for table in surface.tables),
)
_HISTORY = {
    surface.name: {table: surface.sessions.columns.get(table) for table in surface.tables}
    for surface in SURFACES
}


@dataclass(frozen=True)
class Prepared:
    """A world that is ready to be served, and the keys that its first start made."""

    world: World
    first_keys: tuple[NewKey, ...]
    kept: Path | None = None  # the database as it was before it was upgraded


def prepare(settings: Settings) -> Prepared:
    """Open the database, bring it to this program's schema, apply the seed, make the first keys.

    One that is upgraded is copied first. Safe when several processes do it at once. Raises
    store.Unusable and seed.BadSeed.
    """
    kept: list[Path] = []
    world = _open(settings)
    with world.entered():
        store.create(TABLES, _first_rows, lambda version: kept.append(_keep(settings.db, version)))
        store.history.forget(TABLES)
        if settings.control:
            control.create_tables()
        _guard(settings)
        _begin(settings)
        first_keys = _first_keys() if settings.auth == "strict" else ()
    return Prepared(world, first_keys, kept[0] if kept else None)


def _keep(db: str, version: int) -> Path:
    """Copy a database as it is before it is upgraded."""
    copy = Path(f"{db}.version-{version}.{to_stamp(clock.wall())}")
    store.back_up(Path(db), copy)
    _log.warning("%s has schema version %d and is upgraded; a copy is %s", db, version, copy)
    return copy


def prepare_double(settings: Settings) -> Namespaces:
    """The worlds of a double, with the default one made. Raises as `prepare` does."""
    template = _Template(settings)
    default = _open(settings)
    if settings.db == ":memory:":
        default.restore(template())
    with default.entered():
        _fill(settings)
        default.keeps_history = True
    ways = Ways(template, clock.restart, control.forget_calls, lambda: _adopt(settings))
    return Namespaces(default, ways, maximum=settings.max_worlds)


def _fill(settings: Settings) -> None:
    """Bring the entered world to what a double needs; its history begins behind the seed."""
    store.create(TABLES, _first_rows)
    control.create_tables()
    _guard(settings)
    _begin(settings)
    store.history.keep(_HISTORY)


def _adopt(settings: Settings) -> None:
    """Bring a world whose contents come from elsewhere to what a double needs."""
    store.create(TABLES, _first_rows)
    control.create_tables()
    _guard(settings)
    control.forget_calls()
    store.history.keep(_HISTORY)


class _Template:
    """What a new world of a double holds.

    With a seed it is made anew every second, so that what the seed says of the past stays true.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._contents = b""
        self._made_at = 0

    def __call__(self) -> bytes:
        now = clock.wall()
        is_fresh = self._settings.seed is None or 0 <= now - self._made_at < SECOND
        if not (self._contents and is_fresh):
            self._made_at, self._contents = now, self._make()
        return self._contents

    def _make(self) -> bytes:
        world = store.memory_world()
        try:
            with world.entered():
                _fill(self._settings)
            return world.contents()
        finally:
            world.close()


def _open(settings: Settings) -> World:
    return store.open_world(
        settings.db,
        durability=settings.durability,
        busy_timeout_seconds=settings.busy_timeout_seconds,
    )


def _guard(settings: Settings) -> None:
    """Make what its guard keeps in the entered world, if it is on."""
    if settings.rate_limit or settings.failed_keys:
        store.add(guard.TABLES)


def _begin(settings: Settings) -> None:
    if settings.seed is not None:
        seed.apply(seed.read(Path(settings.seed)), SURFACES)
    if settings.clock_rate is not None:
        clock.put("scaled", rate=settings.clock_rate)


def _first_rows() -> None:
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
