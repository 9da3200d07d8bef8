"""The past of seeded rows: entries of the undo log at the instants that a seed dates."""

# ruff: noqa: S608 - the names in the SQL are those of our own tables

import json
from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import accumulate
from operator import add
from typing import Any

from sessionary.store.bulk import Batch, State
from sessionary.store.database import Model, current_namespace
from sessionary.store.undo_triggers import deadlines, logged_tables, old_values_sql

_BIRTHS = "FROM history_entries AS born WHERE born.old_values IS NULL AND born.seq > :last"
# The `+` leaves the index on row_id, which finds one row.
_OF_ROW = "born.row_id = {0}.row_id AND +born.table_name = {0}.table_name"
# Entries of new rows, of rows without a session, and of changes that change nothing.
_FORGET = f"""DELETE FROM history_entries AS entry WHERE seq > :last AND no > 0
AND table_name NOT IN (SELECT value FROM json_each(:counted)) AND (session IS NULL
OR EXISTS (SELECT 1 {_BIRTHS} AND {_OF_ROW.format("entry")}))"""
_FORGET_SAME = """DELETE FROM history_entries AS entry WHERE seq > :last AND no > 0
AND table_name = '{0}' AND (SELECT first.old_values FROM history_entries AS first
WHERE first.row_id = entry.row_id AND +first.table_name = '{0}' AND +first.seq > :last
ORDER BY +first.seq LIMIT 1) = (SELECT {1} FROM "{0}" AS old WHERE old.rowid = row_id)"""
# Known rows that have changed, each with its first new entry, which becomes the birth of the row.
_CHANGED = """SELECT json_group_array(json_array(row_id, seq)) FROM (SELECT each.row_id,
MIN(each.seq) AS seq, each.old_values FROM json_each(:ids) CROSS JOIN "{0}" AS seeded
ON seeded.id = value CROSS JOIN history_entries AS each ON each.row_id = seeded.rowid
AND +each.table_name = '{0}' AND each.seq > :last GROUP BY each.row_id)
WHERE old_values IS NOT NULL"""
_REPLACE = (
    """DELETE FROM history_entries WHERE seq IN (SELECT each.seq FROM json_each(:rows)
CROSS JOIN history_entries AS each ON each.row_id = json_extract(value, '$[0]')
AND each.table_name = '{0}' AND each.seq <> json_extract(value, '$[1]'))""",
    """UPDATE history_entries SET old_values = NULL, due_at = NULL, first_due_at = NULL
WHERE seq IN (SELECT json_extract(value, '$[1]') FROM json_each(:rows))""",
)
_INSERT = """INSERT INTO history_entries (no, at, shown_at, newest_at, table_name, row_id, session,
old_values, due_at, first_due_at) SELECT 0, dated.at, dated.at, history_now.newest_at,
born.table_name, born.row_id, born.session, dated.old_values, dated.due_at, dated.first_due_at
FROM history_now, (SELECT json_extract(value, '$[0]') AS id, json_extract(value, '$[1]') AS at,
json_extract(value, '$[2]') AS old_values, json_extract(value, '$[3]') AS due_at,
json_extract(value, '$[4]') AS first_due_at FROM json_each(:rows)) AS dated
CROSS JOIN "{0}" AS seeded ON seeded.id = dated.id CROSS JOIN history_entries AS born
ON born.row_id = seeded.rowid AND +born.table_name = '{0}' AND born.old_values IS NULL
AND born.seq > :last WHERE dated.at > (SELECT MIN(first.at) FROM history_entries AS first)
ORDER BY dated.at"""
_OF_ROWS = """SELECT seeded.id, each.at, each.old_values FROM json_each(?)
CROSS JOIN "{0}" AS seeded ON seeded.id = value CROSS JOIN history_entries AS each
ON each.row_id = seeded.rowid AND +each.table_name = '{0}'
ORDER BY each.row_id, each.at, each.no, each.seq"""
_OF_COUNT = """SELECT seq, at, no, old_values FROM history_entries
WHERE row_id = ? AND table_name = ? AND at >= ? ORDER BY at, no, seq"""
_INSERT_COUNT = """INSERT INTO history_entries (no, at, shown_at, newest_at, table_name, row_id,
old_values) SELECT 0, ?1, ?1, newest_at, ?2, ?3, ?4 FROM history_now
WHERE ?1 > (SELECT MIN(at) FROM history_entries)"""
_BEGINNING = -(2**62)  # before all instants
PastState = tuple[int, dict[str, Any] | None]


@contextmanager
def dated(batch: Batch) -> Iterator[None]:
    """Log the rows that the block writes at the instants of their states.

    Rows without states exist at every past instant. The states of a known row replace its past, if
    the block changes it; a known row without states changes now. Must run inside a transaction.
    """
    namespace = current_namespace()
    if not namespace.has_undo_log:
        yield
        return
    run = namespace.connection().execute
    (last,) = run("SELECT MAX(seq) FROM history_entries").fetchone()
    yield
    (now,) = run("SELECT shown_at FROM history_now").fetchone()
    counted = [model._meta.table_name for model, _ in batch.counts]
    written = run("SELECT DISTINCT table_name FROM history_entries WHERE seq > ?", (last,))
    for name in {name for (name,) in written.fetchall()} - {*counted}:
        run(_FORGET_SAME.format(name, old_values_sql(logged_tables[name])), {"last": last})
    for model, states in batch.states.items():
        name = model._meta.table_name
        _replace_past(name, list(states), last)
        rows = [entry for id, each in states.items() for entry in _entries(model, id, each, now)]
        run(_INSERT.format(name), {"rows": json.dumps(rows), "last": last})
    run(_FORGET, {"last": last, "counted": json.dumps(counted)})
    for (model, key), changes in batch.counts.items():
        _add_to_count(model, key, [(min(at, now), each) for at, each in changes])


def past_states(model: type[Model], ids: Sequence[str]) -> dict[str, list[PastState]]:
    """Return the past states of stored rows, each from its instant on; None before the insert.

    The last one is the row as it is stored: its values are left empty.
    """
    found: dict[str, list[PastState]] = {id: [(_BEGINNING, {})] for id in ids}
    if current_namespace().has_undo_log:
        names = [each.name for each in model._meta.sorted_fields]
        sql = _OF_ROWS.format(model._meta.table_name)
        for id, at, old in current_namespace().connection().execute(sql, (json.dumps(ids),)):
            values = old and dict(zip(names, json.loads(old), strict=True))
            found[id][-1:] = [(found[id][-1][0], values), (at, {})]
    return found


def _replace_past(table: str, ids: list[str], last: int) -> None:
    """Forget the entries of known rows which have changed; they are born by the last write."""
    run = current_namespace().connection().execute
    values = {"ids": json.dumps(ids), "last": last}
    (rows,) = run(_CHANGED.format(table), values).fetchone()
    for sql in _REPLACE:
        run(sql.format(table), {"rows": rows})


def _entries(model: type[Model], id: str, states: Sequence[State], now: int) -> Iterator[list[Any]]:
    """Yield the row's entries: its id, an instant, its values before it, deadlines passed then.

    A state that is dated after `now`, such as by a `createdAt` that must be unique, begins now.
    """
    before: dict[str, Any] = {}
    for at, values in sorted({min(at, now): values for at, values in states}.items()):
        dues = [before.get(name) for name in deadlines(model)]
        passed = [due for due in dues if due is not None and due <= at]
        old = [before.get(each.name) for each in model._meta.sorted_fields]
        text = _encode(old) if before else None
        yield [id, at, text, max(passed, default=None), min(passed, default=None)]
        before = values


def _add_to_count(model: type[Model], key: str, changes: Sequence[State]) -> None:
    """Add changes at past instants to the entries of a row of counts."""
    run = current_namespace().connection().execute
    fields, name = [each.name for each in model._meta.sorted_fields], model._meta.table_name
    (column,) = (each.column_name for each in model._meta.get_primary_keys())  # type: ignore[no-untyped-call]
    (row_id,) = run(f'SELECT rowid FROM "{name}" WHERE "{column}" = ?', (key,)).fetchone()
    instants = sorted({at for at, _ in changes})
    sums = _running_sums(fields[1:], changes)

    def total(old: str | None, change_count: int) -> str | None:
        """The old values with the changes at this many instants."""
        if not change_count:
            return old
        before = json.loads(old)[1:] if old else [0] * len(fields[1:])
        return _encode([key, *map(sum, zip(before, sums[change_count - 1], strict=True))])

    entries = run(_OF_COUNT, (row_id, name, instants[0])).fetchall()
    places = [(at, no) for _, at, no, _ in entries]
    for count, at in enumerate(instants):
        *_, following = entries[bisect_right(places, (at, 0))]
        run(_INSERT_COUNT, (at, name, row_id, total(following, count)))
    for seq, at, no, old in entries:
        count = (bisect_right if no else bisect_left)(instants, at)
        run("UPDATE history_entries SET old_values = ? WHERE seq = ?", (total(old, count), seq))


def _running_sums(names: Sequence[str], changes: Sequence[State]) -> list[list[int]]:
    """Return the sum of the changes up to each instant, in order."""
    by_instant: dict[int, list[int]] = {}
    for at, each in changes:
        sums = by_instant.setdefault(at, [0] * len(names))
        by_instant[at] = [
            count + each.get(name, 0) for name, count in zip(names, sums, strict=True)
        ]
    ordered = (by_instant[at] for at in sorted(by_instant))
    return list(accumulate(ordered, lambda some, more: list(map(add, some, more))))


def _encode(values: list[Any]) -> str:
    return json.dumps(values, ensure_ascii=False, separators=(",", ":"))
