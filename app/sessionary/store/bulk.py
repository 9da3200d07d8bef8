"""Many rows in one short transaction: prepared before it, written by one statement for each table.

A statement runs outside of Python: no other thread delays it or is delayed by it.
"""

# ruff: noqa: S608 - the names in the SQL are those of our own tables

import json
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from functools import cache, partial
from itertools import count
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

from sessionary.store.atomic_files import fsync
from sessionary.store.database import Model, Namespace, current_namespace
from sessionary.store.statements import Statement, param, param_list
from sessionary.store.transactions import transaction

Row = TypeVar("Row")
_Rows = dict[tuple[Any, ...], dict[str, Any]]
_encode = json.JSONEncoder(separators=(",", ":"), ensure_ascii=False).encode
_numbers = count(1)
_CACHE_KIB = 64 * 1024  # the changed pages of some 50,000 rows


State = tuple[int, dict[str, Any]]  # from this instant on, a row has these values


class _Place(NamedTuple):
    """A model, and the fields by which its rows are known."""

    model: type[Model]
    keys: tuple[str, ...]


class Batch:
    """Rows to be written together. A lookup finds them, or else what is stored.

    Rows are dicts of a model's fields; each row of a model has the same ones. A namespace in memory
    is locked for one lookup at a time. Raises NamespaceClosed once it has other contents.
    """

    def __init__(self, namespace: Namespace, generation: int) -> None:
        self._namespace = namespace
        self.activate = partial(namespace.activate, generation)
        self._planned: dict[_Place, _Rows] = {}
        self._deleted: dict[_Place, dict[tuple[Any, ...], None]] = {}
        self._stored: dict[_Place, dict[tuple[Any, ...], dict[str, Any] | None]] = {}
        self._sources: dict[_Place, tuple[str, str | None]] = {}
        self._before_write: list[Callable[[], object]] = []
        self.states: dict[type[Model], dict[str, list[State]]] = {}
        self.counts: dict[tuple[type[Model], str], list[State]] = {}

    def all(self, statement: Statement[Row], **values: Any) -> list[Row]:
        """Fetch the rows of a statement, which does not see the planned ones."""
        with self.activate():
            return statement.all(**values)

    def fetch(self, model: type[Model], name: str, values: Iterable[Any], **same: Any) -> None:
        """Read the rows with any of these values at once, for `find`; all have the `same`."""
        place, rest = _Place(model, (name, *same)), tuple(same.values())
        wanted = list(dict.fromkeys(values))
        stored = self._stored.setdefault(place, {})
        stored.update({(each, *rest): None for each in wanted})
        rows = self.all(_select(place), **{name: _encode(wanted)}, **same)
        stored.update({(row[name], *rest): row for row in rows})

    def find(self, model: type[Model], **key: Any) -> dict[str, Any] | None:
        """Return the row with this key, in the order of names that `fetch` and `upsert` have."""
        place, values = _Place(model, tuple(key)), tuple(key.values())
        planned = self._planned.get(place, {}).get(values)
        if planned is not None or values in self._deleted.get(place, ()):
            return planned
        if values not in self._stored.get(place, ()):
            (name, value), *same = key.items()
            self.fetch(model, name, [value], **dict(same))
        return self._stored[place][values]

    def insert(self, model: type[Model], **values: Any) -> None:
        """Plan to insert a row, which must be new."""
        rows = self._planned.setdefault(_Place(model, ()), {})
        rows[(len(rows),)] = values

    def upsert(self, model: type[Model], *keys: str, **values: Any) -> None:
        """Plan to insert a row, or to update the one with the same values of `keys`."""
        key = tuple([values[name] for name in keys])
        self._planned.setdefault(_Place(model, keys), {})[key] = values

    def date(self, model: type[Model], id: str, states: Iterable[State]) -> None:
        """Plan the past of a row, if it is new: its states, the last of which is the row."""
        self.states.setdefault(model, {})[id] = list(states)

    def date_count(self, model: type[Model], key: str, at: int, **changes: int) -> None:
        """Plan that a row of counts has had these changes since an instant."""
        self.counts.setdefault((model, key), []).append((at, changes))

    def delete(self, model: type[Model], **key: Any) -> None:
        """Plan to delete a row, unless it is upserted."""
        self._deleted.setdefault(_Place(model, tuple(key)), {})[tuple(key.values())] = None

    def rows(self, model: type[Model]) -> list[dict[str, Any]]:
        """Return the planned rows of a model."""
        places = [place for place in self._planned if place.model is model]
        return [row for place in places for row in self._planned[place].values()]

    def before_write(self, function: Callable[[], object]) -> None:
        """Call this in the transaction before the rest is written, in the order of planning."""
        self._before_write.append(function)

    @contextmanager
    def staged(self) -> Iterator[None]:
        """Activate the namespace, with the rows where they are written from in no time.

        In front of a file these are temporary tables: to fill them takes no lock.
        """
        texts = {place: _to_json(rows) for place, rows in self._planned.items()}
        sources = {place: _rows_sql(rows) for place, rows in self._planned.items()}
        tables = {place: f"temp.staged_{next(_numbers)}" for place in self._planned}
        with self.activate():
            if self._namespace.database.file is None:
                self._sources = {place: (sources[place], texts[place]) for place in texts}
                yield
                return
            try:
                for place, table in tables.items():
                    self._execute(f"CREATE TABLE {table} AS {sources[place]}", texts[place])
                    self._sources[place] = f"SELECT * FROM {table}", None
                yield
            finally:
                for table in tables.values():
                    self._execute(f"DROP TABLE IF EXISTS {table}")

    def _execute(self, text: str, value: str | None = None) -> None:
        connection = self._namespace.connection()
        connection.execute(text, () if value is None else (value,))

    def write_all(self) -> None:
        """Write all rows, inside a transaction."""
        for function in self._before_write:
            function()
        self.write(*[place.model for place in (*self._deleted, *self._planned)])

    def write(self, *models: type[Model]) -> None:
        """Write the rows of these models, inside a transaction."""
        for place, keys in self._deleted.items():
            deleted = keys.keys() - self._planned.get(place, {}).keys()
            if place.model in models and deleted:
                self._execute(_delete_sql(place), _encode(list(deleted)))
        for place in [each for each in self._planned if each.model in models]:
            rows = self._planned.pop(place)
            source, text = self._sources.get(place) or (_rows_sql(rows), _to_json(rows))
            self._execute(_insert_sql(place, rows, source), text)


def _to_json(rows: _Rows) -> str:
    return _encode([list(row.values()) for row in rows.values()])


def _columns(place: _Place, names: Iterable[str]) -> list[str]:
    return [f'"{place.model._meta.fields[name].column_name}"' for name in names]


def _rows_sql(rows: _Rows | int) -> str:
    """Return a query of such rows, or of as many columns, from a JSON list of lists."""
    width = rows if isinstance(rows, int) else len(next(iter(rows.values())))
    values = ", ".join(f"json_extract(value, '$[{place}]') AS c{place}" for place in range(width))
    return f"SELECT {values} FROM json_each(?)"


def _insert_sql(place: _Place, rows: _Rows, source: str) -> str:
    columns, keys = _columns(place, next(iter(rows.values()))), _columns(place, place.keys)
    changes = ", ".join(f"{each} = excluded.{each}" for each in columns if each not in keys)
    insert = f'INSERT INTO "{place.model._meta.table_name}" ({", ".join(columns)}) {source}'
    # SQLite takes an ON CONFLICT after a query without WHERE for the ON of a join.
    on_conflict = f" WHERE true ON CONFLICT ({', '.join(keys)}) DO UPDATE SET {changes}"
    return insert + on_conflict if keys else insert


def _delete_sql(place: _Place) -> str:
    chosen = f"({', '.join(_columns(place, place.keys))}) IN ({_rows_sql(len(place.keys))})"
    return f'DELETE FROM "{place.model._meta.table_name}" WHERE {chosen}'


@cache
def _select(place: _Place) -> Statement[dict[str, Any]]:
    """Rows with one of a JSON list of values in the first field, and these values in the others."""
    fields = place.model._meta.sorted_fields
    names = [each.name for each in fields]

    def query() -> Any:
        first, *same = [place.model._meta.fields[name] for name in place.keys]
        conditions = [each == param(each.name) for each in same]
        wanted = first.in_(param_list(first.name))
        return place.model.select(*fields).where(wanted, *conditions)

    return Statement(lambda row: dict(zip(names, row, strict=True)), query)


@contextmanager
def bulk_transaction() -> Iterator[None]:
    """Run the block in a write transaction that can change many pages in a short time.

    They stay in memory until the commit, and reach the disk after it: the write lock is free then.
    """
    namespace = current_namespace()
    run = namespace.database.run
    if namespace.connection().in_transaction:
        yield
        return
    names = "cache_size", "wal_autocheckpoint"
    before = {name: run(f"PRAGMA {name}").fetchone()[0] for name in names}
    run(f"PRAGMA cache_size = {-_CACHE_KIB}")
    run("PRAGMA wal_autocheckpoint = 0")
    try:
        with transaction(durability="normal"):
            yield
        if namespace.database.file is not None:
            _sync(namespace)
    finally:
        for name, value in before.items():
            run(f"PRAGMA {name} = {value}")


def _sync(namespace: Namespace) -> None:
    (durability,) = namespace.database.run("PRAGMA synchronous").fetchone()
    if durability > 1:
        with suppress(FileNotFoundError):
            fsync(Path(f"{namespace.database.database}-wal"))
    namespace.database.run("PRAGMA wal_checkpoint(PASSIVE)").fetchall()
