"""A namespace as lines of JSON, for those who leave and those who arrive.

The first line says what it is and of which schema version, each further one is a row, and the last
says how many rows there were, so that a file that was cut off is known as such.
"""

import json
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing, suppress
from pathlib import Path
from typing import Any, NamedTuple

import peewee as pw

from sessionary.store.backup import replace_database
from sessionary.store.database import (
    Model,
    current_namespace,
    open_namespace,
    read_transaction,
    transaction,
)
from sessionary.store.integrity import check
from sessionary.store.schema import create, schema_version

_encode = json.JSONEncoder(separators=(",", ":"), allow_nan=False).encode


class BadExport(ValueError):
    """Lines that cannot be imported, of which nothing was; the message says which line and why."""


class _Table(NamedTuple):
    """A table, and the kinds of values that its columns hold."""

    name: str
    columns: dict[str, tuple[type, ...]]

    @classmethod
    def of(cls, model: type[Model]) -> "_Table":
        fields = model._meta.sorted_fields
        return cls(model._meta.table_name, {each.column_name: _kinds(each) for each in fields})

    def selection(self) -> str:
        names = ", ".join(f'"{name}"' for name in self.columns)
        return f'SELECT {names} FROM "{self.name}" ORDER BY rowid'  # noqa: S608 - our own names

    def insertion(self) -> str:
        names = ", ".join(f'"{name}"' for name in self.columns)
        places = ", ".join("?" * len(self.columns))
        return f'INSERT INTO "{self.name}" ({names}) VALUES ({places})'  # noqa: S608


def _kinds(field: pw.Field) -> tuple[type, ...]:
    while isinstance(field, pw.ForeignKeyField):
        field = field.rel_field
    if isinstance(field, pw.TextField):
        return (str, type(None))
    return (int, float, type(None)) if isinstance(field, pw.FloatField) else (int, type(None))


def export_lines(tables: Sequence[type[Model]]) -> Iterator[str]:
    """The active namespace as it is at one moment, while others read and write it."""
    connection, count = current_namespace().connection(), 0
    yield _encode({"sessionary": "export", "schema_version": schema_version()})
    with read_transaction():
        for table in map(_Table.of, tables):
            for row in connection.execute(table.selection()):
                values = dict(zip(table.columns, row, strict=True))
                yield _encode({"table": table.name, "row": values})
                count += 1
    yield _encode({"rows": count})


def row_count(tables: Sequence[type[Model]]) -> int:
    """How many rows the active namespace has in these tables."""
    return sum(int(model.select().count()) for model in tables)


def import_lines(
    lines: Iterable[str],
    file: Path,
    tables: Sequence[type[Model]],
    stamp: str,
    *,
    replace: bool = False,
) -> tuple[int, Path | None]:
    """Make a database of what was exported: whole, or not at all.

    The one whose place it takes is kept beside, under a name with the stamp. Gives how many rows
    there are, and where the old one is. Raises BadExport, FileExistsError where one is not to be
    replaced, and DatabaseUnusable for a database that another process has open.
    """
    if file.is_file() and not replace:
        raise FileExistsError(f"{file} is there already: name another with --db, or use --force")
    with replace_database(file, stamp) as (draft, kept):
        count = _filled(draft, lines, tables)
        for finding in check(draft, tables):
            if finding.problem is not None:
                raise BadExport(f"the rows do not fit each other: {finding.problem}")
    return count, kept


def _filled(draft: Path, lines: Iterable[str], tables: Sequence[type[Model]]) -> int:
    with closing(open_namespace(str(draft), durability="off")) as namespace, namespace.activate():
        create(tables, lambda: None)
        with transaction():
            count = _insert(namespace.connection(), lines, tables)
        namespace.database.run("PRAGMA journal_mode = DELETE")
        return count


def _insert(
    connection: sqlite3.Connection, lines: Iterable[str], tables: Sequence[type[Model]]
) -> int:
    known = {table.name: (table, table.insertion()) for table in map(_Table.of, tables)}
    count, is_begun, end = 0, False, None
    for number, line in enumerate(lines, 1):
        try:
            found = _object(line)
            if end is not None:
                raise BadExport("there is more behind the last line")
            if not is_begun:
                _must_be_ours(found)
                is_begun = True
            elif "rows" in found:
                end = found["rows"]
            else:
                table, insertion = known[_name(found, known)]
                connection.execute(insertion, _values(table, found.get("row")))
                count += 1
        except (BadExport, sqlite3.Error, OverflowError, UnicodeEncodeError) as error:
            raise BadExport(f"line {number}: {error}; nothing was imported") from error
    if end != count:
        raise BadExport(f"it is cut off after {count} rows; nothing was imported")
    return count


def _object(line: str) -> dict[str, Any]:
    with suppress(ValueError, RecursionError):
        found = json.loads(line)
        if isinstance(found, dict):
            return found
    raise BadExport("it is no JSON object")


def _must_be_ours(found: dict[str, Any]) -> None:
    if found.get("sessionary") != "export":
        raise BadExport("it is no export of Sessionary")
    version, known = found.get("schema_version"), schema_version()
    if version != known:
        raise BadExport(
            f"it was exported with schema version {version}, this program has {known}: "
            "import it with the program of that version, and upgrade then"
        )


def _name(found: dict[str, Any], known: Iterable[str]) -> str:
    name = found.get("table")
    if not isinstance(name, str) or name not in known:
        raise BadExport(f"there is no table {name!r}")
    return name


def _values(table: _Table, row: Any) -> list[Any]:
    if not isinstance(row, dict) or row.keys() != table.columns.keys():
        raise BadExport(f"a row of {table.name} has the columns {', '.join(table.columns)}")
    for name, kinds in table.columns.items():
        if type(row[name]) not in kinds:
            raise BadExport(f"{table.name}.{name} cannot be {row[name]!r}")
    return [row[name] for name in table.columns]
