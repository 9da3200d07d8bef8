"""The SQL of the undo log: its triggers, and tables as they were at a position of the log."""

# ruff: noqa: S608 - the names in the SQL are those of our own tables

import sqlite3
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cache
from typing import Any, NamedTuple

from sessionary.store.database import Model

# The tables of each surface, and the column of the session id in each.
SessionColumns = Mapping[str, Mapping[type[Model], str | None]]
# The tables with triggers, by name: those of every double of this process.
logged_tables: dict[str, type[Model]] = {}
_LATEST = 2**63 - 1
# So many rows may all have changed, which is not looked up; more, where many entries follow.
_FEW, _ENTRIES_EACH = 1000, 16
# For the query of keys of `past_sql`: the last key that existed, and the number of changed rows.
LAST_KEY, CHANGED_COUNT = "(SELECT key FROM last)", "(SELECT COUNT(*) FROM changed)"


class Trigger(NamedTuple):
    """A trigger of the undo log."""

    name: str
    table: str
    sql: str


def read_columns(execute: Callable[[str], sqlite3.Cursor], table: str) -> list[str]:
    """Return the columns of a stored table."""
    return [row[1] for row in execute(f'PRAGMA table_info("{table}")').fetchall()]


def triggers(
    table: type[Model], session: str | None, columns: Sequence[str] | None = None
) -> list[Trigger]:
    """Return the triggers of a table, if it has these columns.

    `session` is the one of its session's id. What is deleted is gone from the past as well. No
    column may be a float: JSON would round it.
    """
    name = table._meta.table_name
    delete = f"DELETE FROM history_entries WHERE row_id = old.rowid AND table_name = '{name}'"
    old_values = old_values_sql(table, columns)
    bodies = {
        "insert": _insert_sql(table, "new", session, "NULL", ()),
        "update": _insert_sql(table, "old", session, old_values, _option(table, "deadlines")),
        "delete": delete,
    }
    return [_make_trigger(name, event, body) for event, body in bodies.items()]


def old_values_sql(table: type[Model], columns: Sequence[str] | None = None) -> str:
    """Return SQL for the values of a row that is called `old`."""
    columns = columns or [each.column_name for each in table._meta.sorted_fields]
    return f"json_array({', '.join(_quoted(columns, 'old.'))})"


def deadlines(table: type[Model]) -> list[str]:
    """Return the fields that are deadlines."""
    return [table._meta.columns[each].name for each in _option(table, "deadlines")]


def _make_trigger(table: str, event: str, body: str) -> Trigger:
    name = f"history_{table}_{event}"
    sql = f'CREATE TRIGGER "{name}" AFTER {event.upper()} ON "{table}" BEGIN {body}; END'
    return Trigger(name, table, sql)


def _insert_sql(
    table: type[Model], row: str, session: str | None, old_values: str, deadlines: Sequence[str]
) -> str:
    """Return the INSERT of an entry, with the instants of the write that is under way."""
    session_sql = "NULL" if session is None else f'{row}."{session}"'
    values = (
        *("NULL", "no", "at", "shown_at", "call", "newest_at", f"'{table._meta.table_name}'"),
        *(f"{row}.rowid", session_sql, old_values, *_passed_sql(deadlines)),
    )
    return f"INSERT INTO history_entries SELECT {', '.join(values)} FROM history_now"


def _passed_sql(deadlines: Sequence[str]) -> tuple[str, str]:
    """Return the last and the first deadline of the old row that have passed, or NULL."""
    passed = [f"iif({each} <= at, {each}, NULL)" for each in _quoted(deadlines, "old.")]
    if len(passed) < 2:
        return tuple([*passed, "NULL"][:1] * 2)  # type: ignore[return-value]
    either = f"COALESCE({', '.join(passed)})", f"COALESCE({', '.join(reversed(passed))})"
    return f"MAX({', '.join(either)})", f"MIN({', '.join(either)})"


def _few_sql() -> str:
    """Return SQL for the number of rows that are few, next to the entries after the position."""
    first = "SELECT seq FROM history_entries WHERE (at, no) > (?2, ?3) ORDER BY at, no LIMIT 1"
    count = f"(SELECT MAX(seq) FROM history_entries) - ({first})"
    return f"MAX({_FEW}, COALESCE({count}, 0) / {_ENTRIES_EACH})"


@cache
def past_sql(table: type[Model], keys: str | None = None) -> str:
    """Return a subquery: the rows of a table at the position `?2` (instant) and `?3` (write).

    A row is as in the first entry after the position, else as it is now. Rows beyond those that
    existed are left out first: their keys follow those of all others, but for seeded ones. With a
    query of keys it has only their rows, and those that have changed since.
    """
    name = table._meta.table_name
    immutable = {*_option(table, "immutable"), *_primary_key(table)}
    columns = []
    for place, field in enumerate(table._meta.sorted_fields):
        column = f'"{field.column_name}"'
        now, then = f"k.{column}", f"json_extract(h.old_values, '$[{place}]')"
        value = now if field.column_name in immutable else f"iif(h.seq IS NULL, {now}, {then})"
        columns.append(f"{value} AS {column}")
    if "rowid" not in _primary_key(table):
        columns.append("k.rowid AS rowid")
    after = f"table_name = '{name}' AND (at, no) > (?2, ?3)"
    entry = f"SELECT seq FROM history_entries WHERE row_id = k.rowid AND {after}"
    last = _last_row_sql(name, after)
    before, rows = "", f'"{name}" AS k'
    if keys is not None:
        # The cross joins keep SQLite from reading what a size leaves out.
        all_rows = f'FROM last CROSS JOIN "{name}" WHERE last.key <= last.few AND rowid <= last.key'
        entries = f"FROM last CROSS JOIN history_entries WHERE last.key > last.few AND {after}"
        before = (
            f"WITH last(key, few) AS (SELECT {last}, {_few_sql()}), "
            f"changed(key) AS (SELECT rowid {all_rows} UNION ALL "
            f"SELECT DISTINCT row_id {entries} AND old_values IS NOT NULL AND row_id <= last.key), "
            f"found(key) AS (SELECT * FROM {keys} UNION SELECT key FROM changed) "
        )
        rows, last = f"found CROSS JOIN {rows} ON k.rowid = found.key", LAST_KEY
    return (
        f"({before}SELECT {', '.join(columns)} FROM {rows} LEFT JOIN history_entries AS h "
        f"ON h.seq = ({entry} ORDER BY at, no, seq LIMIT 1) "
        f"WHERE k.rowid <= {last} AND (h.seq IS NULL OR h.old_values IS NOT NULL))"
    )


def _last_row_sql(name: str, after: str) -> str:
    of_table = f"FROM history_entries WHERE old_values IS NULL AND table_name = '{name}'"
    first = f"SELECT row_id - 1 {of_table} AND no > 0 AND {after} ORDER BY at, no, seq LIMIT 1"
    seeded = f"SELECT MAX(row_id) {of_table} AND no = 0"
    return f"MAX(COALESCE(({first}), {_LATEST}), COALESCE(({seeded}), 0))"


def _primary_key(table: type[Model]) -> list[str]:
    return [each.column_name for each in table._meta.get_primary_keys()]  # type: ignore[no-untyped-call]


def _option(table: type[Model], name: str) -> tuple[str, ...]:
    """Return columns that the model's `Meta` names, if it does."""
    found: Any = getattr(table._meta, name, ())
    return tuple(found)


def _quoted(names: Iterable[str], before: str = "") -> list[str]:
    return [f'{before}"{name}"' for name in names]
