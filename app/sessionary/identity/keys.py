"""Keys: made, listed, revoked; and the user to whom the first ones belong."""

from typing import NamedTuple

from sessionary import clock, ids
from sessionary.identity.authentication import hash_of
from sessionary.identity.models import Key, Membership, Organization, User
from sessionary.store import Statement, param

_any_key = Statement(tuple, lambda: Key.select(Key.seq).limit(1))


class NewKey(NamedTuple):
    """A key at the only moment at which its secret is known."""

    id: str
    secret: str
    surface: str | None


def has_keys() -> bool:
    """Whether anyone could be admitted in strict mode."""
    return _any_key.one() is not None


def owner() -> str:
    """The first user's id; on an empty database, an admin of a new organization."""
    user = User.select(User.id).order_by(User.seq).first()
    if user is not None:
        return str(user.id)
    organization = Organization.select(Organization.id).order_by(Organization.seq).first()
    home = organization.id if organization else ids.word(24, "0123456789abcdef")
    if organization is None:
        Organization.create(id=home, name="Default", created_at=clock.now())
    user_id = ids.uuid()
    User.create(
        id=user_id, name="Admin", identity_type="user", default_organization=home, email=None
    )
    Membership.create(user=user_id, organization=home, role="admin")
    return user_id


def create_key(
    prefix: str,
    *,
    user: str,
    surface: str | None,
    organization: str | None = None,
    expires_at: int | None = None,
) -> NewKey:
    """Make a key; its secret is in the answer and nowhere else. Call inside a transaction."""
    key = NewKey(make_key_id(), prefix + ids.secret(), surface)
    Key.create(
        id=key.id,
        hash=hash_of(key.secret),
        user=user,
        surface=surface,
        organization=organization,
        created_at=clock.now(),
        expires_at=expires_at,
        revoked_at=None,
    )
    return key


class KeyRow(NamedTuple):
    """What may be shown of a key."""

    id: str
    surface: str | None
    user: str
    organization: str | None
    created_at: int
    expires_at: int | None
    revoked_at: int | None


_listed_keys = Statement(
    KeyRow._make,
    lambda: Key.select(*(getattr(Key, name) for name in KeyRow._fields)).order_by(Key.seq),
)
_organizations_of = Statement(
    lambda row: str(row[0]),
    lambda: Membership.select(Membership.organization).where(Membership.user == param("user")),
)


def list_keys() -> list[KeyRow]:
    """Every key, oldest first."""
    return _listed_keys.all()


def organizations_of(user: str) -> list[str]:
    """Where a user is a member."""
    return _organizations_of.all(user=user)


def make_key_id() -> str:
    """A new id of a key, by which it is listed and revoked."""
    return "key_" + ids.word(12, "0123456789abcdef")


def revoke_key(id: str) -> bool:
    """Refuse a key from now on, in every worker; False where no open key has this id."""
    with clock.writing() as now:
        revoked = Key.update(revoked_at=now).where(Key.id == id, Key.revoked_at.is_null())
        return bool(revoked.execute())
