"""Galtea's references and sessions in the seed file."""

from collections.abc import Iterator
from functools import partial
from typing import Any

from sessionary import ids
from sessionary.identity import User
from sessionary.seeds.identity import ensure_organization, find_user
from sessionary.seeds.schemas import Ago, BadRow, SeedRow
from sessionary.store import Batch
from sessionary.surfaces.galtea import rules
from sessionary.surfaces.galtea.errors import GalteaError
from sessionary.surfaces.galtea.models import (
    NONE,
    PARENTS,
    PRODUCT,
    TEST,
    TEST_CASE,
    VERSION,
    Reference,
    ReferenceRow,
    Session,
    SessionRow,
)
from sessionary.surfaces.galtea.queries import sessions
from sessionary.surfaces.galtea.references import assume, make_row, to_json_text
from sessionary.surfaces.galtea.schemas import Context, opaque_id
from sessionary.web import json_codec
from sessionary.web.fields import Boolean, Bounds, Integer, Object, OneOf, Text
from sessionary.web.surface import SeedRows, SeedTable


class ReferenceSeed(SeedRow):
    """A product or a test; without an organization, every organization sees it."""

    id = opaque_id(required=True)
    organization = opaque_id(load_default=None)
    name = Text(load_default=None)
    created_ago = Ago(load_default=0)


class VersionSeed(ReferenceSeed):
    """A version; a product's latest version is the one created last."""

    product = opaque_id(required=True)


class TestCaseSeed(ReferenceSeed):
    """A test case; its sessions copy its context."""

    test = opaque_id(required=True)
    context = Context(load_default=None)


class SessionSeed(SeedRow):
    """A session that exists from the start; `last_active_ago` is when it was last written.

    With `auto_close_minutes` it closes by itself that long after, whatever the setting is.
    """

    id = opaque_id(required=True)
    organization = opaque_id(required=True)
    version = opaque_id(required=True)
    custom_id = opaque_id(load_default=None)
    user = opaque_id(load_default=None)
    test_case = opaque_id(load_default=None)
    run = opaque_id(load_default=None)
    is_production = Boolean(load_default=None)
    context = Context(load_default=None)
    metadata = Object(load_default=None)
    status = Text(load_default=rules.PENDING, validate=OneOf(rules.STATUSES))
    stopping_reason = Text(load_default=None)
    error = Text(load_default=None)
    auto_close_minutes = Integer(load_default=None, validate=Bounds(1, 1_000_000))
    created_ago = Ago(required=True)
    last_active_ago = Ago(load_default=None)
    deleted_ago = Ago(load_default=None)


def _plan_references(kind: str, rows: SeedRows, batch: Batch) -> None:
    """Plan references, and their parents where no row before has declared them."""
    parent_kind = PARENTS.get(kind)
    if parent_kind is not None:
        batch.fetch(Reference, "id", rows.values(parent_kind), kind=parent_kind)
    for row, at in rows:
        if row["organization"] is not None:
            ensure_organization(row["organization"], batch)
        parent = NONE if parent_kind is None else row[parent_kind]
        reference = ReferenceRow(
            kind=kind,
            id=row["id"],
            organization=row["organization"],
            parent=parent,
            name=row["name"] or row["id"],
            context=to_json_text(row.get("context")),
            created_at=at - row["created_ago"],
        )
        if parent_kind is not None and batch.find(Reference, id=parent, kind=parent_kind) is None:
            missing = reference._replace(kind=parent_kind, id=parent, parent=NONE, name=parent)
            missing = missing._replace(context=None, created_at=at)
            batch.upsert(Reference, "id", "kind", **missing._asdict())
        batch.upsert(Reference, "id", "kind", **reference._asdict())


def _plan_sessions(rows: SeedRows, batch: Batch) -> None:
    batch.fetch(Reference, "id", rows.values("version"), kind=VERSION)
    batch.fetch(Reference, "id", rows.values("test_case"), kind=TEST_CASE)
    batch.fetch(User, "id", map(ids.canonical, rows.values("user")))
    batch.fetch(Session, "id", rows.values("id"))
    holders: dict[tuple[str, str, str | None], str] = dict(
        batch.all(
            sessions.custom_id_holders,
            organizations=json_codec.encode(list(rows.values("organization"))),
            custom_ids=json_codec.encode(list(rows.values("custom_id"))),
        )
    )
    planned: dict[str, SessionRow] = {}
    for row, at in rows:
        ensure_organization(row["organization"], batch)
        before = planned.get(row["id"]) or _find_session(row["id"], batch)
        try:
            session = _make_row(row, at, batch)
            if session.user:
                if session.is_production:
                    raise BadRow("a production session has no user")
                find_user(session.user, batch)
            rules.ensure_custom_id_free(session, holders.get(_custom_id(session)))
        except GalteaError as error:
            raise BadRow(str(error)) from None
        if before is not None and rules.is_kept(before):
            holders.pop(_custom_id(before), None)
        if rules.is_kept(session):
            holders[_custom_id(session)] = session.id
        planned[session.id] = session
    # Known ones first, so that a customId that one gives up can be another's.
    for session in planned.values():
        stored = batch.find(Session, id=session.id)
        if stored is not None:
            batch.upsert(Session, "seq", seq=stored["seq"], **session._asdict())
    for session in planned.values():
        if batch.find(Session, id=session.id) is None:
            batch.upsert(Session, "id", "organization", **session._asdict())
        batch.date(Session, session.id, ((at, s._asdict()) for at, s in _states(session)))


def _custom_id(row: SessionRow) -> tuple[str, str, str | None]:
    return row.organization, row.version, row.custom_id


def _find_session(id: str, batch: Batch) -> SessionRow | None:
    stored = batch.find(Session, id=id)
    return None if stored is None else SessionRow(**{n: stored[n] for n in SessionRow._fields})


def _find_reference(kind: str, id: str, organization: str, batch: Batch) -> ReferenceRow:
    found = batch.find(Reference, id=id, kind=kind)
    if found is None or found["organization"] not in (None, organization):
        return assume(kind, id, created_at=0)  # which no session has from it
    return ReferenceRow(**{name: found[name] for name in ReferenceRow._fields})


def _make_row(row: dict[str, Any], now: int, batch: Batch) -> SessionRow:
    """Raise BadRow, or GalteaError for a session that no call could have made."""
    organization, test_case = row["organization"], row["test_case"]
    is_set, has_context = row["is_production"], row["context"] is not None
    rules.ensure_fits_test_case(test_case, is_set, has_context=has_context)
    is_production = rules.is_production(test_case, is_set)
    rules.ensure_can_join_run(row["run"], is_production=is_production)
    created_at, active_at, deleted_at = _instants(row, now)
    return make_row(
        row,
        organization,
        _find_reference(VERSION, row["version"], organization, batch),
        test_case and _find_reference(TEST_CASE, test_case, organization, batch),
        id=row["id"],
        user=None if row["user"] is None else ids.canonical(row["user"]),
        is_production=int(is_production),
        stopping_reason=row["stopping_reason"],
        error=row["error"],
        created_at=created_at,
        written_at=active_at,
        status_since_at=created_at if row["status"] == rules.PENDING else active_at,
        auto_close_minutes=row["auto_close_minutes"],
        deleted_at=deleted_at,
    )


def _instants(row: dict[str, Any], now: int) -> tuple[int, int, int | None]:
    active_ago, deleted_ago = row["last_active_ago"], row["deleted_ago"]
    created_at = now - row["created_ago"]
    active_at = created_at if active_ago is None else now - active_ago
    deleted_at = None if deleted_ago is None else now - deleted_ago
    if not created_at <= active_at <= (now if deleted_at is None else deleted_at):
        raise BadRow("created_ago, last_active_ago and deleted_ago must follow each other")
    return created_at - created_at % 1000, active_at, deleted_at  # createdAt has milliseconds


def _states(session: SessionRow) -> Iterator[tuple[int, SessionRow]]:
    """Yield the session from its creation on, from its last write on, and from its deletion on.

    Until its last write it does not close by itself: it was written again and again.
    """
    kept, created_at = session._replace(deleted_at=None), session.created_at
    created = kept._replace(status=rules.PENDING, stopping_reason=None, error=None)
    created = created._replace(written_at=created_at, status_since_at=created_at, expires_at=None)
    yield created_at, created
    yield session.written_at, kept
    if session.deleted_at is not None:
        yield session.deleted_at, session


TABLES = (
    SeedTable("galtea.products", ReferenceSeed(), partial(_plan_references, PRODUCT)),
    SeedTable("galtea.tests", ReferenceSeed(), partial(_plan_references, TEST)),
    SeedTable("galtea.versions", VersionSeed(), partial(_plan_references, VERSION)),
    SeedTable("galtea.test_cases", TestCaseSeed(), partial(_plan_references, TEST_CASE)),
    SeedTable("galtea.sessions", SessionSeed(), _plan_sessions),
)
