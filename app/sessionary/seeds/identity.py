"""The seed file's tables of organizations, users and keys."""

from collections.abc import Collection
from functools import partial
from typing import Any

from marshmallow import fields

from sessionary import identity
from sessionary.identity import Key, Membership, Organization, User
from sessionary.seeds.schemas import BadRow, Moment, SeedRow
from sessionary.store import Batch, Statement, param_list
from sessionary.web import json_codec
from sessionary.web.fields import OneOf, Text
from sessionary.web.surface import SeedRows, SeedTable


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


_memberships = Statement(
    lambda row: (str(row[0]), str(row[1])),
    lambda: Membership.select(Membership.user, Membership.organization).where(
        Membership.user.in_(param_list("users"))
    ),
)


def ensure_organization(id: str, batch: Batch) -> None:
    """Raise BadRow unless this organization is stored or in the batch."""
    if batch.find(Organization, id=id) is None:
        raise BadRow(f"organization {id!r} does not exist")


def find_user(id: str, batch: Batch) -> dict[str, Any]:
    """Return the row of a user that is stored or in the batch. Raises BadRow."""
    user = batch.find(User, id=id)
    if user is None:
        raise BadRow(f"user {id!r} does not exist")
    return user


def _plan_organizations(rows: SeedRows, batch: Batch) -> None:
    for row, at in rows:
        batch.upsert(Organization, "id", **row, created_at=at)


def _plan_users(rows: SeedRows, batch: Batch) -> None:
    """Update users, who get exactly the listed memberships; without the key all stay."""
    members: dict[str, set[str]] = {str(row["id"]): set() for row, _ in rows}
    for user, organization in batch.all(_memberships, users=json_codec.encode(list(members))):
        members[user].add(organization)
    for row, _ in rows:
        user, listed = str(row["id"]), row.get("memberships")
        facts = {name: row[name] for name in ("name", "email", "identity_type")}
        default = row["default_organization"]
        batch.upsert(User, "id", id=user, **facts, default_organization=default)
        if listed is not None:
            for organization in members[user]:
                batch.delete(Membership, user=user, organization=organization)
            members[user] = {each["organization"] for each in listed}
        for each in listed or ():
            ensure_organization(each["organization"], batch)
            batch.upsert(Membership, "user", "organization", user=user, **each)
        if default and default not in members[user]:
            raise BadRow(f"default_organization {default!r} is not among the memberships")


def _plan_keys(rows: SeedRows, batch: Batch) -> None:
    batch.fetch(Key, "hash", [identity.hash_of(row["secret"]) for row, _ in rows])
    new: dict[str, dict[str, Any]] = {}
    for row, at in rows:
        user, organization = str(row["user"]), row["organization"]
        find_user(user, batch)
        if organization is not None:
            ensure_organization(organization, batch)
            if batch.find(Membership, user=user, organization=organization) is None:
                raise BadRow(f"user {user!r} is not a member of organization {organization!r}")
        values = {name: row[name] for name in ("surface", "organization", "expires_at")}
        values |= {"hash": identity.hash_of(row["secret"]), "user": user, "created_at": at}
        known = batch.find(Key, hash=values["hash"])
        if known is None:
            new[values["hash"]] = values
        else:
            batch.upsert(Key, "hash", id=known["id"], **values)
    batch.before_write(partial(_insert_keys, batch, new.values()))


def _insert_keys(batch: Batch, new: Collection[dict[str, Any]]) -> None:
    """Insert new keys. Their ids are made in the transaction, since a seeded namespace counts."""
    for values, id in zip(new, identity.make_key_ids(len(new)), strict=True):
        batch.insert(Key, id=id, **values)


TABLES = (
    SeedTable("organizations", OrganizationSeed(), _plan_organizations),
    SeedTable("users", UserSeed(), _plan_users),
    SeedTable("keys", KeySeed(), _plan_keys, key="secret"),
)
