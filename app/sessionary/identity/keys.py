"""API-key management: create, list and revoke keys; the owner of the first ones."""

from typing import NamedTuple

from sessionary import clock, ids
from sessionary.identity.authentication import hash_of
from sessionary.identity.models import Key, Membership, Organization, User
from sessionary.store import Statement


class NewKey(NamedTuple):
    """A created key with its secret, which is not stored."""

    id: str
    secret: str
    surface: str | None


def has_keys() -> bool:
    """Return whether a key was ever created."""
    return bool(Key.select().exists())


def owner() -> str:
    """Return the id of the first user; create an admin, and an organization, if there is none."""
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
    """Create a key; only the result has its secret. Call inside a transaction."""
    (id,) = make_key_ids(1)
    key = NewKey(id, prefix + ids.secret(), surface)
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


OPEN, EXPIRED, REVOKED = KEY_STATES = ("open", "expired", "revoked")


class KeyRow(NamedTuple):
    """A key without its hash."""

    id: str
    surface: str | None
    user: str
    organization: str | None
    created_at: int
    expires_at: int | None
    revoked_at: int | None

    def state(self, now: int) -> str:
        """Return one of KEY_STATES."""
        if self.revoked_at is not None:
            return REVOKED
        return EXPIRED if self.expires_at is not None and now >= self.expires_at else OPEN


def list_keys() -> list[KeyRow]:
    """Return every key, oldest first."""
    columns = [getattr(Key, name) for name in KeyRow._fields]
    return Statement(KeyRow._make, lambda: Key.select(*columns).order_by(Key.seq)).all()


def organizations_of(user: str) -> list[str]:
    """Return the organizations that a user is a member of."""
    rows = Membership.select(Membership.organization).where(Membership.user == user)
    return Statement(lambda row: str(row[0]), lambda: rows).all()


def make_key_ids(count: int) -> list[str]:
    """Return new key ids, by which keys are listed and revoked."""
    return [f"key_{word}" for word in ids.words(count, 12, "0123456789abcdef")]


def revoke_key(id: str) -> bool:
    """Revoke a key in every worker at once; return False if it is unknown or revoked already."""
    with clock.transaction() as now:
        revoked = Key.update(revoked_at=now).where(Key.id == id, Key.revoked_at.is_null())
        return bool(revoked.execute())
