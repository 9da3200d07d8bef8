"""Galtea's references and sessions in the seed file."""

from functools import partial
from typing import Any

from sessionary import identity, ids, store
from sessionary.seeds.schemas import Ago, BadRow, SeedRow
from sessionary.surfaces.galtea import models, rules
from sessionary.surfaces.galtea.errors import GalteaError
from sessionary.surfaces.galtea.models import NONE, PARENTS, ReferenceRow, SessionRow
from sessionary.surfaces.galtea.queries import references, sessions
from sessionary.surfaces.galtea.references import References, to_json_text
from sessionary.surfaces.galtea.schemas import Context, opaque_id
from sessionary.web.fields import Boolean, Bounds, Integer, Object, OneOf, Text
from sessionary.web.surface import SeedTable


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


def _apply_reference(kind: str, row: dict[str, Any], now: int) -> None:
    """Store a reference, and its parent where no row of the file has declared it."""
    if row["organization"] is not None:
        _ensure_organization(row["organization"])
    parent_kind = PARENTS.get(kind)
    parent = NONE if parent_kind is None else row[parent_kind]
    reference = ReferenceRow(
        kind=kind,
        id=row["id"],
        organization=row["organization"],
        parent=parent,
        name=row["name"] or row["id"],
        context=to_json_text(row.get("context")),
        created_at=now - row["created_ago"],
    )
    if parent_kind is not None and not references.exists.one(kind=parent_kind, id=parent):
        missing = reference._replace(kind=parent_kind, id=parent, parent=NONE, name=parent)
        missing = missing._replace(context=None, created_at=now)
        store.upsert(models.Reference, "kind", "id", **missing._asdict())
    store.upsert(models.Reference, "kind", "id", **reference._asdict())


def _apply_session(row: dict[str, Any], now: int) -> None:
    _ensure_organization(row["organization"])
    try:
        session = _make_row(row, now)
        if session.user and session.is_production:
            raise BadRow("a production session has no user")
        if session.user and not identity.User.get_or_none(identity.User.id == session.user):
            raise BadRow(f"user {session.user!r} does not exist")
        rules.ensure_custom_id_free(session, sessions.custom_id_holder(session))
    except GalteaError as error:
        raise BadRow(str(error)) from None
    store.upsert(models.Session, "id", **session._asdict())


def _make_row(row: dict[str, Any], now: int) -> SessionRow:
    """Raise BadRow, or GalteaError for a session that no call could have made."""
    known = References(row["organization"], is_strict=False)
    version = known.one(models.VERSION, row["version"])
    is_set, has_context = row["is_production"], row["context"] is not None
    rules.ensure_fits_test_case(row["test_case"], is_set, has_context=has_context)
    is_production = rules.is_production(row["test_case"], is_set)
    rules.ensure_can_join_run(row["run"], is_production=is_production)
    created_at, active_at, deleted_at = _instants(row, now)
    return known.make_row(
        row,
        version,
        id=row["id"],
        user=None if row["user"] is None else ids.canonical(row["user"]),
        is_production=int(is_production),
        stopping_reason=row["stopping_reason"],
        error=row["error"],
        created_at=created_at - created_at % 1000,
        written_at=active_at,
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
    return created_at, active_at, deleted_at


def _ensure_organization(organization: str) -> None:
    if not identity.is_declared(organization):
        raise BadRow(f"organization {organization!r} does not exist")


TABLES = (
    SeedTable("galtea.products", ReferenceSeed(), partial(_apply_reference, models.PRODUCT)),
    SeedTable("galtea.tests", ReferenceSeed(), partial(_apply_reference, models.TEST)),
    SeedTable("galtea.versions", VersionSeed(), partial(_apply_reference, models.VERSION)),
    SeedTable("galtea.test_cases", TestCaseSeed(), partial(_apply_reference, models.TEST_CASE)),
    SeedTable("galtea.sessions", SessionSeed(), _apply_session),
)
