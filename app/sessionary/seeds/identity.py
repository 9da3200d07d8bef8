"""The seed file's tables of organizations, users and keys."""

from typing import Any

from marshmallow import fields

from sessionary import identity, store
from sessionary.identity import Key, Membership, Organization, User
from sessionary.seeds.schemas import BadRow, Moment, SeedRow
from sessionary.web.fields import OneOf, Text
from sessionary.web.surface import SeedTable


class OrganizationSeed(SeedRow):
    """An organization."""

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
    memberships = fields.List(fields.Nested(MembershipSeed))


class KeySeed(SeedRow):
    """A key and its secret."""

    secret = Text(required=True)
    user = fields.UUID(required=True)
    surface = Text(load_default=None)
    organization = Text(load_default=None)
    expires_at = Moment(load_default=None)


def _apply_organization(row: dict[str, Any], now: int) -> None:
    store.upsert(Organization, "id", id=row["id"], name=row["name"], created_at=now)


def _apply_user(row: dict[str, Any], _: int) -> None:
    """Update a user, who gets exactly the listed memberships; without the key all stay."""
    memberships, user = row.pop("memberships", None), str(row.pop("id"))
    store.upsert(User, "id", id=user, **row)
    if memberships is not None:
        Membership.delete().where(Membership.user == user).execute()
    for membership in memberships or ():
        _ensure_exists(Organization, membership["organization"], "organization")
        store.upsert(Membership, "user", "organization", user=user, **membership)
    default = row["default_organization"]
    if default and default not in identity.organizations_of(user):
        raise BadRow(f"default_organization {default!r} is not among the memberships")


def _apply_key(row: dict[str, Any], now: int) -> None:
    user, digest = str(row["user"]), identity.hash_of(row["secret"])
    _ensure_exists(User, user, "user")
    if row["organization"] is not None:
        _ensure_exists(Organization, row["organization"], "organization")
        if not Membership.get_or_none(user=user, organization=row["organization"]):
            raise BadRow(f"user {user!r} is not a member of organization {row['organization']!r}")
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


def _ensure_exists(model: type[store.Model], id: str, what: str) -> None:
    if model.get_or_none(model.id == id) is None:  # type: ignore[attr-defined]
        raise BadRow(f"{what} {id!r} does not exist")


TABLES = (
    SeedTable("organizations", OrganizationSeed(), _apply_organization),
    SeedTable("users", UserSeed(), _apply_user),
    SeedTable("keys", KeySeed(), _apply_key, key="secret"),
)
