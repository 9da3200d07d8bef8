"""Startup: opens the database, migrates it, applies the seed and creates the first keys."""

import logging
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from sessionary import clock, identity, ids, store
from sessionary.clock import Clock
from sessionary.identity import NewKey, rate_limits
from sessionary.ids import IdSequence
from sessionary.seeds import loader
from sessionary.settings import Settings
from sessionary.store import Namespace, Schema
from sessionary.surfaces import SURFACES
from sessionary.web.instants import to_stamp
from sessionary.web.surface import Surface

_log = logging.getLogger("sessionary")


@dataclass(frozen=True)
class Prepared:
    """A namespace that is ready to be served, and the keys that its first start created."""

    namespace: Namespace
    first_keys: tuple[NewKey, ...]
    kept: Path | None = None  # the copy made before an upgrade


def _write_first_rows(surfaces: Sequence[Surface]) -> None:
    clock.start()
    ids.start()
    for surface in surfaces:
        if surface.first_rows is not None:
            surface.first_rows()


def make_schema(surfaces: Sequence[Surface]) -> Schema:
    """The schema of a server on these surfaces.

    A version of another surface has an empty migration.
    """
    tables = [table for surface in surfaces for table in surface.tables]
    last = max((version for each in surfaces for version in each.migrations), default=1)
    versions = range(2, last + 1)
    return Schema(
        (Clock, IdSequence, loader.Seeded, *identity.TABLES, *tables),
        partial(_write_first_rows, surfaces),
        tuple(partial(_migrate, surfaces, version) for version in versions),
        partial(_earlier_sql, surfaces),
        _optional_tables,
        {Clock._meta.table_name: clock.VALID_SQL, IdSequence._meta.table_name: "true"},
        {
            each.name: {table: each.sessions.session_columns.get(table) for table in each.tables}
            for each in surfaces
        },
    )


def _migrate(surfaces: Sequence[Surface], version: int, database: store.Database) -> None:
    """Run the migrations of all surfaces to a version."""
    from sessionary import control  # most servers do not load it

    for surface in (*surfaces, control.surface):
        if version in surface.migrations:
            surface.migrations[version](database)


def _earlier_sql(surfaces: Sequence[Surface], version: int) -> Mapping[str, str | None]:
    """Return the SQL before a version of what its migrations change."""
    from sessionary import control

    found: dict[str, str | None] = {}
    for surface in (*surfaces, control.surface):
        found |= surface.earlier_sql.get(version, {})
    return found


def _optional_tables() -> tuple[type[store.Model], ...]:
    from sessionary import control

    return (*rate_limits.TABLES, *control.TABLES)


SCHEMA = make_schema(SURFACES)


def prepare(settings: Settings, surfaces: Sequence[Surface] = SURFACES) -> Prepared:
    """Open the database, migrate it, apply the seed and create the first keys.

    An older database is copied before it is migrated. Several processes may do this at once.
    Raises store.DatabaseUnusable and BadSeed.
    """
    seed = read_seed(settings)
    kept: list[Path] = []
    schema = make_schema(surfaces)
    namespace = open_namespace(settings, schema)
    with store.with_file_name(settings.db), namespace.activate():
        store.migrate(schema, lambda version: kept.append(_copy(settings.db, schema, version)))
        store.undo_log.disable(schema.tables)
        if settings.control:
            from sessionary import control  # other servers do not load it

            store.create_tables(control.TABLES)
        add_rate_limits(settings)
        apply_settings(settings, seed, surfaces)
        if settings.auth == "strict":  # with the seed of a double, keys could be guessed
            ids.ensure_seed(None)
        first_keys = _create_first_keys(surfaces) if settings.auth == "strict" else ()
    store.ensure_writable(namespace)
    return Prepared(namespace, first_keys, kept[0] if kept else None)


def open_to_read(settings: Settings) -> Namespace:
    """Open an existing database without changing anything. Raises store.DatabaseUnusable."""
    version = find_version(settings)
    if version != SCHEMA.version:
        advice = "run `sessionary migrate` first"
        advice = advice if version < SCHEMA.version else "use the newer program"
        raise store.DatabaseUnusable(
            f"{settings.db} has schema version {version}, this program has {SCHEMA.version}: "
            f"{advice}."
        )
    namespace = store.open_read_only_namespace(settings.db, settings.busy_timeout_seconds)
    namespace.schema_version = version
    if settings.control:
        from sessionary import control

        with store.with_file_name(settings.db), namespace.activate():
            store.create_temporary_tables(control.TABLES)
    return namespace


def find_version(settings: Settings) -> int:
    """Return the schema version of an existing database. Raises store.DatabaseUnusable."""
    file = Path(settings.db)
    store.ensure_not_in_use(file)
    return store.file_version(file, SCHEMA, settings.busy_timeout_seconds)


def _copy(db: str, schema: Schema, version: int) -> Path:
    """Copy a database before its upgrade."""
    copy = Path(f"{db}.version-{version}.{to_stamp(clock.wall())}")
    store.back_up(Path(db), copy, schema)
    _log.warning("%s has schema version %d and is upgraded; a copy is %s", db, version, copy)
    return copy


def open_namespace(settings: Settings, schema: Schema) -> Namespace:
    """The database of these settings, as it is, or an empty one.

    Raises store.DatabaseUnusable, also for one that is to be upgraded while another process, which
    may be an older program, has it open.
    """
    file, must_upgrade = Path(settings.db), False

    def is_older() -> bool:
        return store.file_version(file, schema, settings.busy_timeout_seconds) < schema.version

    if settings.db != ":memory:":
        store.ensure_not_in_use(file)
        must_upgrade = file.exists() and file.stat().st_size > 0 and is_older()
    namespace = store.open_namespace(
        settings.db,
        durability=settings.durability,
        busy_timeout_seconds=settings.busy_timeout_seconds,
    )
    if must_upgrade:
        namespace.ensure_alone(is_older)
    return namespace


def add_rate_limits(settings: Settings) -> None:
    """Create the tables of rate limits in the active namespace, if there are limits."""
    if settings.rate_limit or settings.max_failed_keys_per_minute:
        store.create_tables(rate_limits.TABLES)


def read_seed(settings: Settings) -> loader.Document | None:
    """The seed file, read before the database is changed. Raises BadSeed."""
    return None if settings.seed is None else loader.read(Path(settings.seed))


def apply_settings(
    settings: Settings, seed: loader.Document | None, surfaces: Sequence[Surface]
) -> None:
    """Apply the seed and the clock's rate to the active namespace. Raises BadSeed."""
    if seed is not None:
        loader.apply(seed, surfaces)
    if settings.clock_rate is not None:
        clock.set_mode("scaled", rate=settings.clock_rate)


def _create_first_keys(surfaces: Sequence[Surface]) -> tuple[NewKey, ...]:
    with store.transaction():
        if identity.has_keys():
            return ()
        user = identity.owner()
        create = partial(identity.create_key, user=user)
        return tuple(create(each.key_prefix, surface=each.name) for each in surfaces)


def welcome(keys: Iterable[NewKey], url: str, surfaces: Sequence[Surface] = SURFACES) -> str:
    """The message of the first start: each surface's key, and curl lines ready to paste."""
    secrets = {key.surface: key.secret for key in keys}
    lines = ["The first keys, shown once and stored hashed:"]
    lines += [f"  {name:<11} {secret}" for name, secret in secrets.items()]
    calls = [each.example.format(url=url, key=secrets[each.name]) for each in surfaces]
    return "\n".join([*lines, "Try one:", *(f"  curl {call}" for call in calls)])
