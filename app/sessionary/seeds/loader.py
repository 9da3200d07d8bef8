"""The seed file: what a namespace holds before the first request.

Applied whole or not at all. A row whose id exists is brought up to the file, nothing is removed.
"""

import re
import tomllib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import peewee as pw
from marshmallow import ValidationError, fields, validates_schema

from sessionary import clock, identity, store
from sessionary.identity import Key, Membership, Organization, User
from sessionary.seeds.schemas import BadRow, Moment, SeedRow
from sessionary.web.fields import OneOf, Text, problem, problems
from sessionary.web.surface import SeedTable, Surface


class BadSeed(ValueError):
    """A seed that was refused, and nothing of it applied; says file, table, line and reason."""


class Seeded(store.Model):
    """When a row was first applied: `*_ago` counts back from there, however often it is applied."""

    table = pw.TextField()
    key = pw.TextField()
    applied_at = pw.BigIntegerField()

    class Meta:
        table_name = "seeded"
        primary_key = pw.CompositeKey("table", "key")


@dataclass(frozen=True)
class Document:
    """A parsed seed, its name and its text, for messages that say where."""

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


class OrganizationSeed(SeedRow):
    """Scale's account, Mobile Next's and Galtea's organization."""

    id = Text(required=True)
    name = Text(required=True)


class MembershipSeed(SeedRow):
    """A role in an organization."""

    organization = Text(required=True)
    role = Text(required=True, validate=OneOf(identity.ROLES))


class UserSeed(SeedRow):
    """A user or service account."""

    id = fields.UUID(required=True)
    name = Text(required=True)
    email = Text(load_default=None)
    identity_type = Text(load_default="user", validate=OneOf(identity.IDENTITY_TYPES))
    default_organization = Text(load_default=None)
    memberships = fields.List(fields.Nested(MembershipSeed), load_default=list)

    @validates_schema
    def belongs_where_it_acts(self, data: dict[str, Any], **_: Any) -> None:
        default = data["default_organization"]
        if default and default not in {each["organization"] for each in data["memberships"]}:
            raise problem("value", f"default_organization {default!r} is not among the memberships")


class KeySeed(SeedRow):
    """A key, given by its secret."""

    secret = Text(required=True)
    user = fields.UUID(required=True)
    surface = Text(load_default=None)
    organization = Text(load_default=None)
    expires_at = Moment(load_default=None)


def _organization(row: dict[str, Any], now: int) -> None:
    store.upsert(Organization, "id", id=row["id"], name=row["name"], created_at=now)


def _user(row: dict[str, Any], _: int) -> None:
    memberships = row.pop("memberships")
    user = str(row.pop("id"))
    store.upsert(User, "id", id=user, **row)
    for membership in memberships:
        _require(Organization, membership["organization"], "organization")
        store.upsert(Membership, "user", "organization", user=user, **membership)


def _key(row: dict[str, Any], now: int) -> None:
    user, digest = str(row["user"]), identity.hash_of(row["secret"])
    _require(User, user, "user")
    if row["organization"] is not None:
        _require(Organization, row["organization"], "organization")
        if (
            not Membership.select()
            .where(Membership.user == user, Membership.organization == row["organization"])
            .exists()
        ):
            raise BadRow(f"organization {row['organization']!r} is none of the user's memberships")
    found = Key.get_or_none(Key.hash == digest)
    store.upsert(
        Key,
        "hash",
        hash=digest,
        id=found.id if found else identity.make_key_id(),
        user=user,
        surface=row["surface"],
        organization=row["organization"],
        created_at=now,
        expires_at=row["expires_at"],
    )


def _require(model: type[store.Model], id: str, what: str) -> None:
    if model.get_or_none(model.id == id) is None:  # type: ignore[attr-defined]
        raise BadRow(f"{what} {id!r} does not exist")


IDENTITY = (
    SeedTable("organizations", OrganizationSeed(), _organization),
    SeedTable("users", UserSeed(), _user),
    SeedTable("keys", KeySeed(), _key, key="secret"),
)


def apply(document: Document, surfaces: Sequence[Surface]) -> int:
    """Apply a seed to the active namespace, in one transaction. Returns how many rows it has.

    Raises BadSeed, with nothing applied.
    """
    tables = [*IDENTITY, *(table for surface in surfaces for table in surface.seed_tables)]
    names = {surface.name for surface in surfaces}
    rows = list(_rows(document, {table.name: table for table in tables}))
    order = {table.name: place for place, table in enumerate(tables)}
    rows.sort(key=lambda found: order[found[0].name])
    with clock.transaction() as now, store.undo_log.unrecorded():
        for table, number, row in rows:
            try:
                loaded = table.schema.load(row)
                if table.name == "keys" and loaded["surface"] not in (None, *names):
                    raise BadRow(f"surface must be one of {', '.join(sorted(names))}")
                table.apply(loaded, _applied_at(table, loaded, now))
            except ValidationError as error:
                found = sorted(problems(error, "row"), key=lambda each: each.kind != "unknown")
                place = _place(document, table.name, number, str(next(iter(found[0].path), "")))
                said = "; ".join(": ".join([*map(str, each.path), each.text]) for each in found)
                raise BadSeed(f"{place}: {said}") from None
            except BadRow as error:
                place = _place(document, table.name, number)
                raise BadSeed(f"{place}: {error}") from None
    return len(rows)


def _rows(
    document: Document, tables: dict[str, SeedTable]
) -> Iterator[tuple[SeedTable, int, dict[str, Any]]]:
    sections = {name.partition(".")[0] for name in tables if "." in name}
    for name, value in document.content.items():
        inner = value.items() if name in sections and isinstance(value, dict) else ()
        for full, found in [(f"{name}.{key}", rows) for key, rows in inner] or [(name, value)]:
            if full not in tables:
                known = ", ".join(sorted(tables))
                raise BadSeed(f"{document.name}: there is no table [[{full}]], only {known}")
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


def _place(document: Document, table: str, number: int, key: str = "") -> str:
    """File, table and line: tomllib keeps no lines, so the text is read once more."""
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
