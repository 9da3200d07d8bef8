"""The past of seeded rows: entries of the undo log at the instants that a seed dates."""

# ruff: noqa: S608 - the names in the SQL are those of our own tables

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from sessionary.store.bulk import Batch, State
from sessionary.store.database import Model, current_namespace
from sessionary.store.undo_triggers import deadlines, logged_tables, old_values_sql

_BIRTHS = "FROM history_entries AS born WHERE born.old_values IS NULL AND born.seq > :last"
_OF_ROW = "born.row_id = {0}.row_id AND born.table_name = {0}.table_name"
# Entries of new rows, of rows without a session, and of changes that change nothing.
_FORGET = f"""DELETE FROM history_entries AS entry WHERE seq > :last AND no > 0
AND table_name NOT IN (SELECT value FROM json_each(:counted)) AND (session IS NULL
OR EXISTS (SELECT 1 {_BIRTHS} AND {_OF_ROW.format("entry")}))"""
_FORGET_SAME = """DELETE FROM history_entries WHERE seq > :last AND no > 0 AND table_name = '{0}'
AND old_values = (SELECT {1} FROM "{0}" AS old WHERE old.rowid = row_id)"""
_INSERT = """INSERT INTO history_entries (no, at, shown_at, newest_at, table_name, row_id, session,
old_values, due_at, first_due_at) SELECT 0, dated.at, dated.at, newest_at, born.table_name,
born.row_id, born.session, dated.old_values, dated.due_at, dated.first_due_at FROM history_now,
(SELECT json_extract(value, '$[0]') AS id, json_extract(value, '$[1]') AS at,
json_extract(value, '$[2]') AS old_values, json_extract(value, '$[3]') AS due_at,
json_extract(value, '$[4]') AS first_due_at FROM json_each(:rows)) AS dated
JOIN "{0}" AS seeded ON seeded.id = dated.id JOIN (SELECT born.table_name, born.row_id, born.session
{1} AND born.table_name = '{0}') AS born ON born.row_id = seeded.rowid
WHERE dated.at > (SELECT MIN(first.at) FROM history_entries AS first) ORDER BY dated.at"""
_OF_COUNT = """SELECT seq, at, no, old_values FROM history_entries
WHERE row_id = ? AND table_name = ? AND at >= ? ORDER BY at, no, seq"""
_INSERT_COUNT = """INSERT INTO history_entries (no, at, shown_at, newest_at, table_name, row_id,
old_values) SELECT 0, ?1, ?1, newest_at, ?2, ?3, ?4 FROM history_now
WHERE ?1 > (SELECT MIN(at) FROM history_entries)"""


@contextmanager
def dated(batch: Batch) -> Iterator[None]:
    """Log the rows that the block writes at the instants of their states.

    Rows without states exist at every past instant. A known row changes now. Must run inside a
    transaction.
    """
    namespace = current_namespace()
    if not namespace.has_undo_log:
        yield
        return
    run = namespace.connection().execute
    (last,) = run("SELECT MAX(seq) FROM history_entries").fetchone()
    yield
    for model, states in batch.states.items():
        rows = [entry for id, each in states.items() for entry in _entries(model, id, each)]
        sql = _INSERT.format(model._meta.table_name, _BIRTHS)
        run(sql, {"rows": json.dumps(rows), "last": last})
    counted = json.dumps([model._meta.table_name for model, _ in batch.counts])
    run(_FORGET, {"last": last, "counted": counted})
    for name, model in logged_tables.items():
        run(_FORGET_SAME.format(name, old_values_sql(model)), {"last": last})
    for (model, key), changes in batch.counts.items():
        _add_to_count(model, key, changes)


def _entries(model: type[Model], id: str, states: Sequence[State]) -> Iterator[list[Any]]:
    """Yield the row's entries: its id, an instant, its values before it, deadlines passed then."""
    before: dict[str, Any] = {}
    for at, values in sorted(dict(states).items()):
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
    changes = sorted(changes, key=lambda change: change[0])
    entries = run(_OF_COUNT, (row_id, name, changes[0][0])).fetchall()

    def total(old: str | None, until: int, *, is_included: bool) -> str | None:
        """The old values with all changes before an instant, or at it as well."""
        added = [by for at, by in changes if at < until or (is_included and at == until)]
        if not added:
            return old
        values = json.loads(old) if old else [key, *[0 for _ in fields[1:]]]
        counts = [
            value + sum(by.get(each, 0) for by in added)
            for each, value in zip(fields[1:], values[1:], strict=True)
        ]
        return _encode([key, *counts])

    for at in dict.fromkeys(at for at, _ in changes):
        following = next(old for _, then, no, old in entries if (then, no) > (at, 0))
        old = total(following, at, is_included=False)
        run(_INSERT_COUNT, (at, name, row_id, old))
    for seq, at, no, old in entries:
        run(
            "UPDATE history_entries SET old_values = ? WHERE seq = ?",
            (total(old, at, is_included=no > 0), seq),
        )


def _encode(values: list[Any]) -> str:
    return json.dumps(values, ensure_ascii=False, separators=(",", ":"))
