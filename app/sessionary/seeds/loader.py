"""Loads seed files: the contents of a namespace before the first request.

A file is applied in one transaction. It updates rows with the same id, and removes nothing but
the memberships that a user's list no longer has.
"""

import re
import tomllib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import peewee as pw
from marshmallow import ValidationError

from sessionary import clock, identity, store
from sessionary.seeds.identity import TABLES
from sessionary.seeds.schemas import BadRow
from sessionary.web.fields import problems
from sessionary.web.surface import SeedTable, Surface


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


def read(path: Path) -> Document:
    """Parse a seed file. Raises BadSeed."""
    try:
        text = path.read_text(encoding="utf-8")
        return Document(str(path), text, tomllib.loads(text))
    except OSError as error:
        raise BadSeed(f"cannot read the seed {path}: {error.strerror}") from error
    except ValueError as error:
        raise BadSeed(f"{path} is not TOML: {error}") from error
    except RecursionError as error:
        raise BadSeed(f"{path} is nested too deep to be read") from error


def apply(document: Document, surfaces: Sequence[Surface]) -> int:
    """Apply a seed to the active namespace in one transaction; return the number of its rows.

    Raises BadSeed and then has applied nothing.
    """
    tables = [*TABLES, *(table for surface in surfaces for table in surface.seed_tables)]
    names = {surface.name for surface in surfaces}
    rows = list(_read_rows(document, {table.name: table for table in tables}))
    rows.sort(key=lambda row: tables.index(row[0]))
    with clock.transaction() as now, store.undo_log.unrecorded():
        for table, number, row in rows:
            try:
                loaded = table.schema.load(row)
                if table.name == "keys" and loaded["surface"] not in (None, *names):
                    raise BadRow(f"surface must be one of {', '.join(sorted(names))}")
                table.apply(loaded, _applied_at(table, loaded, now))
            except ValidationError as error:
                found = sorted(problems(error, "row"), key=lambda each: each.kind != "unknown")
                place = _locate(document, table.name, number, str(next(iter(found[0].path), "")))
                texts = [": ".join([*map(str, each.path), each.text]) for each in found]
                raise BadSeed(f"{place}: {'; '.join(texts)}") from None
            except BadRow as error:
                place = _locate(document, table.name, number)
                raise BadSeed(f"{place}: {error}") from None
    return len(rows)


def _read_rows(
    document: Document, tables: dict[str, SeedTable]
) -> Iterator[tuple[SeedTable, int, dict[str, Any]]]:
    sections = {name.partition(".")[0] for name in tables if "." in name}
    for name, value in document.content.items():
        inner = value.items() if name in sections and isinstance(value, dict) else ()
        for full, found in [(f"{name}.{key}", rows) for key, rows in inner] or [(name, value)]:
            if full not in tables:
                known = ", ".join(sorted(tables))
                raise BadSeed(f"{document.name}: unknown table [[{full}]], known are {known}")
            if not isinstance(found, list) or not all(isinstance(row, dict) for row in found):
                raise BadSeed(f"{document.name}: write {full} as [[{full}]], one for each row")
            yield from ((tables[full], number, row) for number, row in enumerate(found, 1))


def _applied_at(table: SeedTable, row: dict[str, Any], now: int) -> int:
    key = str(row[table.key])
    key = identity.hash_of(key) if table.key == "secret" else key
    found = Seeded.get_or_none(Seeded.table == table.name, Seeded.key == key)
    if found is not None:
        return int(found.applied_at)
    Seeded.create(table=table.name, key=key, applied_at=now)
    return now


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
