"""Export of a namespace to JSON Lines, and import.

The first line has the schema version, each further line one row, and the last line the number of
rows, so that a truncated file is recognized.
"""

import json
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing, suppress
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

from sessionary.store.backup import replace_database
from sessionary.store.database import Model, current_namespace, open_namespace
from sessionary.store.integrity import find_problems
from sessionary.store.schema import Schema, column_types, migrate
from sessionary.store.transactions import read_transaction, transaction

_encode = json.JSONEncoder(separators=(",", ":"), allow_nan=False).encode


_REASONS = {
    OverflowError: "an integer has more than 64 bits",
    UnicodeEncodeError: "a text is not valid Unicode",
}


class BadExport(ValueError):
    """Lines that cannot be imported; the message says which line and why."""


class _Table(NamedTuple):
    """A table, and the Python types that its columns accept."""

    name: str
    columns: dict[str, tuple[type, ...]]

    @classmethod
    def of(cls, model: type[Model]) -> "_Table":
        return cls(model._meta.table_name, column_types(model))

    def select_sql(self) -> str:
        names = ", ".join(f'"{name}"' for name in self.columns)
        return f'SELECT {names} FROM "{self.name}" ORDER BY rowid'  # noqa: S608 - our own names

    def insert_sql(self) -> str:
        names = ", ".join(f'"{name}"' for name in self.columns)
        places = ", ".join("?" * len(self.columns))
        return f'INSERT INTO "{self.name}" ({names}) VALUES ({places})'  # noqa: S608


def export_lines(schema: Schema) -> Iterator[str]:
    """Yield the lines of the active namespace as it is at one moment, while others use it."""
    connection, count = current_namespace().connection(), 0
    yield _encode({"sessionary": "export", "schema_version": schema.version})
    with read_transaction():
        for table in map(_Table.of, schema.tables):
            for row in connection.execute(table.select_sql()):
                values = dict(zip(table.columns, row, strict=True))
                yield _encode({"table": table.name, "row": values})
                count += 1
    yield _encode({"rows": count})


def row_count(tables: Sequence[type[Model]]) -> int:
    """Return how many rows the active namespace has in these tables."""
    return sum(int(model.select().count()) for model in tables)


def import_lines(
    lines: Iterable[str], file: Path, schema: Schema, stamp: str, *, replace: bool = False
) -> tuple[int, Path | None]:
    """Create a database from exported lines, all or nothing.

    Returns the number of rows, and where a replaced database is kept, see `replace_database`.
    Raises BadExport, FileExistsError if the file exists and `replace` is false, and
    DatabaseUnusable if a process has it open.
    """
    if file.is_file() and not replace:
        raise FileExistsError(f"{file} exists already: name another with --db, or use --force")
    with replace_database(file, stamp) as (draft, kept):
        count = _fill(draft, lines, schema)
        for finding in find_problems(draft, schema):
            if finding.problem is not None:
                raise BadExport(f"the rows do not match: {finding.problem}")
    return count, kept


def _fill(draft: Path, lines: Iterable[str], schema: Schema) -> int:
    with closing(open_namespace(str(draft), durability="off")) as namespace, namespace.activate():
        migrate(replace(schema, add_first_rows=lambda: None))
        with transaction():
            count = _insert(namespace.connection(), lines, schema)
        namespace.database.run("PRAGMA journal_mode = DELETE")
        return count


def _insert(connection: sqlite3.Connection, lines: Iterable[str], schema: Schema) -> int:
    known = {table.name: (table, table.insert_sql()) for table in map(_Table.of, schema.tables)}
    count, has_header, total = 0, False, None
    for number, line in enumerate(lines, 1):
        try:
            found = _parse_object(line)
            if total is not None:
                raise BadExport("there is more after the last line")
            if not has_header:
                _check_header(found, schema.version)
                has_header = True
            elif "rows" in found:
                total = found["rows"]
            else:
                table, insert = known[_table_name(found, known)]
                connection.execute(insert, _column_values(table, found.get("row")))
                count += 1
        except (BadExport, sqlite3.Error, OverflowError, UnicodeEncodeError) as error:
            why = _REASONS.get(type(error), error)
            raise BadExport(f"line {number}: {why}; nothing was imported") from error
    if total != count:
        raise BadExport(f"it is cut off after {count} rows; nothing was imported")
    return count


def _parse_object(line: str) -> dict[str, Any]:
    with suppress(ValueError, RecursionError):
        found = json.loads(line)
        if isinstance(found, dict):
            return found
    raise BadExport("not a JSON object")


def _check_header(found: dict[str, Any], known: int) -> None:
    if found.get("sessionary") != "export":
        raise BadExport("not an export of Sessionary")
    version = found.get("schema_version")
    if version != known:
        raise BadExport(
            f"it was exported with schema version {version}, this program has {known}: "
            "import it with the program of that version, then upgrade"
        )


def _table_name(found: dict[str, Any], known: Iterable[str]) -> str:
    name = found.get("table")
    if not isinstance(name, str) or name not in known:
        raise BadExport(f"unknown table {name!r}")
    return name


def _column_values(table: _Table, row: Any) -> list[Any]:
    if not isinstance(row, dict) or row.keys() != table.columns.keys():
        raise BadExport(f"a row of {table.name} has the columns {', '.join(table.columns)}")
    for name, types in table.columns.items():
        if type(row[name]) not in types:
            raise BadExport(f"{table.name}.{name} cannot be {row[name]!r}")
    return [row[name] for name in table.columns]
