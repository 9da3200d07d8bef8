"""Loads seed files: the contents of a namespace before the first request.

A file is applied in one short transaction. It updates rows with the same id, and removes nothing
but memberships. What takes long happens before: rows are loaded without the database, then checked
and prepared.
"""

import re
import sqlite3
import sys
import tomllib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import peewee as pw
from marshmallow import ValidationError

from sessionary import clock, identity, store
from sessionary.near_names import did_you_mean
from sessionary.seeds.identity import TABLES
from sessionary.seeds.schemas import BadRow, Outdated
from sessionary.store import Batch, Namespace
from sessionary.web.fields import Problem, problems
from sessionary.web.surface import SeedRows, SeedTable, Surface


class BadSeed(ValueError):
    """A refused seed; nothing of it was applied. The message has file, table, line and reason."""


class Seeded(store.Model):
    """The instant at which a row was first applied; `*_ago` counts back from it."""

    table = pw.TextField()
    key = pw.TextField()
    applied_at = pw.BigIntegerField()

    class Meta:
        table_name = "seeded"
        primary_key = pw.CompositeKey("table", "key")


class Document(NamedTuple):
    """A parsed seed, with its name and text for error messages."""

    name: str
    text: str
    content: dict[str, Any]


def toml_problem(error: ValueError) -> str:
    """Say why text is not TOML, or has an integer that Python does not read."""
    if isinstance(error, UnicodeDecodeError):
        return f"byte {error.start} is not UTF-8"
    is_syntax = isinstance(error, tomllib.TOMLDecodeError)
    return str(error) if is_syntax else f"an integer over {sys.get_int_max_str_digits()} digits"


def read(path: Path) -> Document:
    """Parse a seed file. Raises BadSeed."""
    try:
        text = path.read_text(encoding="utf-8-sig")
        return Document(str(path), text, tomllib.loads(text))
    except OSError as error:
        raise BadSeed(f"cannot read the seed {path}: {error.strerror}") from error
    except ValueError as error:
        raise BadSeed(f"{path} is not TOML: {toml_problem(error)}") from error
    except RecursionError as error:
        raise BadSeed(f"{path} is nested too deep to be read") from error


def apply(document: Document, surfaces: Sequence[Surface]) -> int:
    """Apply a seed to the active namespace in one transaction; return the number of its rows.

    Raises BadSeed and then has applied nothing.
    """
    return load(document, surfaces).apply(store.current_namespace())


def load(
    document: Document, surfaces: Sequence[Surface], progress: store.Progress = lambda *_: None
) -> "Seed":
    """Load the rows of a seed, which needs no database. Raises BadSeed."""
    tables = [*TABLES, *(table for surface in surfaces for table in surface.seed_tables)]
    rows = list(_read_rows(document, {table.name: table for table in tables}))
    rows.sort(key=lambda row: tables.index(row[0]))
    seed = Seed(document, {table: [] for table in tables})
    names = {surface.name for surface in surfaces}
    for done, (table, number, row) in enumerate(rows):
        progress(done, len(rows))
        try:
            loaded = table.schema.load(row)
            if table.name == "keys" and loaded["surface"] not in (None, *names):
                raise BadRow(f"surface must be one of {', '.join(sorted(names))}")
        except (BadRow, ValidationError) as error:
            seed.refusal = _refuse(document, table, number, error)
            break
        seed.rows[table].append(loaded)
    return seed


class Seed:
    """A loaded seed. Its `refusal` is that of the row after those it has."""

    def __init__(self, document: Document, rows: dict[SeedTable, list[dict[str, Any]]]) -> None:
        self.document = document
        self.rows = rows
        self.refusal: BadSeed | None = None

    def apply(self, namespace: Namespace, generation: int | None = None) -> int:
        """Apply it to a namespace in one transaction; return the number of its rows.

        A namespace in memory is locked for short times only, unless it is active. Raises BadSeed,
        and NamespaceClosed if the namespace has other contents; then has applied nothing.
        """
        generation = namespace.generation if generation is None else generation
        try:
            _write(self._plan(Batch(namespace, generation)))
        except (Outdated, sqlite3.IntegrityError):  # others have written since it was planned
            with namespace.activate(generation), store.bulk_transaction():
                _write(self._plan(Batch(namespace, generation)))
        return sum(map(len, self.rows.values()))

    def _plan(self, batch: Batch) -> "_Plan":
        with batch.activate():
            state = clock.state()
        plan = _Plan(state, state.at(clock.wall()), batch)
        for table, rows in self.rows.items():
            if rows:
                first_at = _first_applied_at(table, rows, plan)
                dated = SeedRows(list(zip(rows, first_at, strict=True)), plan.now)
                try:
                    table.plan(dated, plan.batch)
                except BadRow as error:
                    raise _refuse(self.document, table, dated.number, error) from None
        if self.refusal is not None:
            raise self.refusal
        return plan


class _Plan(NamedTuple):
    """What is to be written, as of which state of the clock."""

    clock: clock.State
    now: int
    batch: Batch


def _first_applied_at(table: SeedTable, rows: list[dict[str, Any]], plan: _Plan) -> list[int]:
    """Return when each row was first applied: before, or now."""
    keys = [str(row[table.key]) for row in rows]
    if table.key == "secret":
        keys = [identity.hash_of(key) for key in keys]
    plan.batch.fetch(Seeded, "key", keys, table=table.name)
    found = {key: plan.batch.find(Seeded, key=key, table=table.name) for key in keys}
    for key in (key for key, row in found.items() if row is None):
        plan.batch.insert(Seeded, table=table.name, key=key, applied_at=plan.now)
    first_at = {key: row["applied_at"] if row else plan.now for key, row in found.items()}
    return [first_at[key] for key in keys]


def _write(plan: _Plan) -> None:
    batch = plan.batch
    with batch.staged(), store.bulk_transaction(), clock.transaction():
        if clock.state() != plan.clock:
            raise Outdated
        with store.dated(batch):
            batch.write_all()


def _read_rows(
    document: Document, tables: dict[str, SeedTable]
) -> Iterator[tuple[SeedTable, int, dict[str, Any]]]:
    sections = {name.partition(".")[0] for name in tables if "." in name}
    for name, value in document.content.items():
        inner = value.items() if name in sections and isinstance(value, dict) else ()
        for full, found in [(f"{name}.{key}", rows) for key, rows in inner] or [(name, value)]:
            if full not in tables:
                known = ", ".join(sorted(tables))
                raise BadSeed(
                    f"{_place(document, full)}: unknown table [[{full}]], known are {known}"
                )
            if not isinstance(found, list) or not all(isinstance(row, dict) for row in found):
                raise BadSeed(
                    f"{_place(document, full)}: write {full} as [[{full}]], one for each row"
                )
            yield from ((tables[full], number, row) for number, row in enumerate(found, 1))


def _place(document: Document, name: str) -> str:
    """File and line of the first use of a table's name."""
    found = re.search(rf"^\s*(\[\[?\s*)?{re.escape(name)}\s*[]=]", document.text, re.MULTILINE)
    line = document.text.count("\n", 0, found.end()) + 1 if found else 0
    return document.name + (f", line {line}" if line else "")


def _refuse(document: Document, table: SeedTable, number: int, error: Exception) -> BadSeed:
    if not isinstance(error, ValidationError):
        return BadSeed(f"{_locate(document, table.name, number)}: {error}")
    found = sorted(problems(error, "row"), key=lambda each: each.kind != "unknown")
    place = _locate(document, table.name, number, str(next(iter(found[0].path), "")))
    near = [_near(table, each) for each in found]
    texts = [
        ": ".join([*map(str, each.path), each.text]) + end
        for each, end in zip(found, near, strict=True)
    ]
    return BadSeed(f"{place}: {'; '.join(texts)}")


def _near(table: SeedTable, problem: Problem) -> str:
    """Return the end of a sentence about an unknown name of a row: a known one that is similar."""
    is_of_row = problem.kind == "unknown" and len(problem.path) == 1
    return did_you_mean(str(problem.path[0]), table.schema.fields) if is_of_row else ""


def _locate(document: Document, table: str, number: int, key: str = "") -> str:
    """File, table and line of a row; tomllib keeps no lines, so this searches the text."""
    header = re.compile(rf"\s*\[\[\s*{re.escape(table)}\s*\]\]")
    line, seen = 0, 0
    for at, text in enumerate(document.text.splitlines(), 1):
        if header.match(text):
            seen += 1
            line = at if seen == number else line
        elif seen == number and key and re.match(rf"\s*\"?{re.escape(key)}\"?\s*=", text):
            line = at
            break
    return f"{document.name}, [[{table}]] number {number}" + (f", line {line}" if line else "")
