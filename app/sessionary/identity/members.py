"""Memberships: add, remove and list them; they hold at the next request of every worker."""

from difflib import get_close_matches
from typing import NamedTuple

from sessionary import store
from sessionary.identity.models import Membership, Organization, User
from sessionary.store import Statement


class UnknownMember(ValueError):
    """A user, organization or membership that does not exist; the message names a near one."""


class MemberRow(NamedTuple):
    """The role of a user in an organization."""

    user: str
    name: str
    organization: str
    role: str


def list_members(user: str | None = None, organization: str | None = None) -> list[MemberRow]:
    """Return the memberships of a user and of an organization, or all, oldest users first.

    Raises UnknownMember.
    """
    _ensure_exist(user, organization)
    query = (
        Membership.select(User.id, User.name, Membership.organization, Membership.role)
        .join(User)
        .where(user is None or User.id == user)
        .where(organization is None or Membership.organization == organization)
        .order_by(User.seq, Membership.organization)
    )
    return Statement(MemberRow._make, lambda: query).all()


def add_member(user: str, organization: str, role: str) -> None:
    """Give a user this role in an organization. Raises UnknownMember."""
    with store.transaction():
        _ensure_exist(user, organization)
        store.upsert(
            Membership, "user", "organization", user=user, organization=organization, role=role
        )


def remove_member(user: str, organization: str) -> None:
    """Withdraw a membership. Raises UnknownMember."""
    with store.transaction():
        _ensure_exist(user, organization)
        chosen = (Membership.user == user) & (Membership.organization == organization)
        if not Membership.delete().where(chosen).execute():
            raise UnknownMember(f"user {user} is not a member of organization {organization}")


def _ensure_exist(user: str | None, organization: str | None) -> None:
    _ensure_exists(User, "user", user)
    _ensure_exists(Organization, "organization", organization)


def _ensure_exists(model: type[User] | type[Organization], what: str, id: str | None) -> None:
    if id is None or model.get_or_none(model.id == id):
        return
    rows = Statement(tuple, lambda: model.select(model.id, model.name)).all()
    ids = {text: row[0] for row in rows for text in row}
    near = [ids[text] for text in get_close_matches(id, ids, 1, 0.6)]
    hint = f"did you mean {near[0]}?" if near else "add it with a seed file"
    raise UnknownMember(f"{what} {id} does not exist: {hint}")
