"""Galtea's parents and sessions in the seed file."""

from typing import Any

from sessionary import identity, ids, store
from sessionary.seeds.schemas import Ago, BadRow, SeedRow
from sessionary.surfaces.galtea import models, rules
from sessionary.surfaces.galtea.errors import Refusal, Taken
from sessionary.surfaces.galtea.models import PRODUCT, TEST, TEST_CASE, VERSION, SessionRow
from sessionary.surfaces.galtea.references import Parents
from sessionary.surfaces.galtea.schemas import Context, opaque_id
from sessionary.web import json_codec
from sessionary.web.fields import Boolean, Bounds, Integer, Object, OneOf, Text
from sessionary.web.surface import SeedTable


class ParentSeed(SeedRow):
    """A product or a test; without an organization it is everyone's."""

    id = opaque_id(required=True)
    organization = opaque_id(load_default=None)
    name = Text(load_default=None)
    created_ago = Ago(load_default=0)


class VersionSeed(ParentSeed):
    """A version; the one created last is its product's latest."""

    product = opaque_id(required=True)


class TestCaseSeed(ParentSeed):
    """A test case, whose context its sessions take over."""

    test = opaque_id(required=True)
    context = Context(load_default=None)


class SessionSeed(SeedRow):
    """A session that exists from the start; `last_active_ago` is when it was last written.

    With `auto_close_minutes` it closes by itself that long after, whatever the installation does.
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


def _parent(kind: str, row: dict[str, Any], now: int, parent: str = models.NONE) -> None:
    if row["organization"] is not None:
        _must_exist(row["organization"])
    store.upsert(
        models.Parent,
        "kind",
        "id",
        kind=kind,
        id=row["id"],
        organization=row["organization"],
        parent=parent,
        name=row["name"] or row["id"],
        context=_text(row.get("context")),
        created_at=now - row["created_ago"],
    )


def _product(row: dict[str, Any], now: int) -> None:
    _parent(PRODUCT, row, now)


def _test(row: dict[str, Any], now: int) -> None:
    _parent(TEST, row, now)


def _version(row: dict[str, Any], now: int) -> None:
    _bring_along(PRODUCT, row["product"], row, now)
    _parent(VERSION, row, now, row["product"])


def _test_case(row: dict[str, Any], now: int) -> None:
    _bring_along(TEST, row["test"], row, now)
    _parent(TEST_CASE, row, now, row["test"])


def _bring_along(kind: str, id: str, child: dict[str, Any], now: int) -> None:
    """A parent that the file only names, by a child, exists as well."""
    if (
        not models.Parent.select()
        .where(models.Parent.kind == kind, models.Parent.id == id)
        .exists()
    ):
        row = {"id": id, "organization": child["organization"], "name": None, "created_ago": 0}
        _parent(kind, row, now)


def _session(row: dict[str, Any], now: int) -> None:
    _must_exist(row["organization"])
    try:
        session = _facts(row, now)
    except Refusal as refusal:
        raise BadRow(refusal.message) from None
    _check_user(session)
    _check_custom_id(session)
    store.upsert(models.Session, "id", **session._asdict())


def _facts(row: dict[str, Any], now: int) -> SessionRow:
    """Raises Refusal for what no call could have made, and BadRow."""
    parents = Parents(row["organization"], is_strict=False)
    version = parents.one(VERSION, row["version"])
    test_case = None if row["test_case"] is None else parents.one(TEST_CASE, row["test_case"])
    is_production = rules.is_production(
        row["test_case"], row["is_production"], has_context=row["context"] is not None
    )
    rules.may_join(row["run"], is_production=is_production)
    created_at, active_at, deleted_at = _instants(row, now)
    return SessionRow(
        id=row["id"],
        organization=row["organization"],
        custom_id=row["custom_id"],
        version=version.id,
        product=version.parent,
        user=None if row["user"] is None else ids.canonical(row["user"]),
        test_case=row["test_case"],
        test=models.NONE if test_case is None else test_case.parent,
        run=row["run"],
        is_production=int(is_production),
        context=_text(row["context"]) if test_case is None else test_case.context,
        metadata=_text(row["metadata"]),
        status=row["status"],
        stopping_reason=row["stopping_reason"],
        error=row["error"],
        created_at=created_at - created_at % 1000,
        written_at=active_at,
        auto_close_minutes=row["auto_close_minutes"],
        expires_at=rules.deadline(row["status"], active_at, row["auto_close_minutes"]),
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


def _check_user(session: SessionRow) -> None:
    if session.user is None:
        return
    if session.is_production:
        raise BadRow("a production session has no user")
    if identity.User.get_or_none(identity.User.id == session.user) is None:
        raise BadRow(f"user {session.user!r} does not exist")


def _check_custom_id(session: SessionRow) -> None:
    """As a call is refused a customId that another session of the version has."""
    if session.custom_id is None or session.deleted_at is not None:
        return
    holder = models.holder.one(
        organization=session.organization, version=session.version, custom_id=session.custom_id
    )
    if holder not in (None, session.id):
        raise BadRow(str(Taken(session.custom_id, session.version)))


def _must_exist(organization: str) -> None:
    if not identity.is_declared(organization):
        raise BadRow(f"organization {organization!r} does not exist")


def _text(value: dict[str, Any] | None) -> str | None:
    return None if value is None else json_codec.encode(value)


TABLES = (
    SeedTable("galtea.products", ParentSeed(), _product),
    SeedTable("galtea.tests", ParentSeed(), _test),
    SeedTable("galtea.versions", VersionSeed(), _version),
    SeedTable("galtea.test_cases", TestCaseSeed(), _test_case),
    SeedTable("galtea.sessions", SessionSeed(), _session),
)
