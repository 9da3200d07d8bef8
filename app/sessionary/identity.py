"""Organizations, users, memberships and keys; who is asking.

A key's secret is stored as its SHA-256 (it is long and random, so no slow hash is needed) and
shown once. Key, memberships and clock are read in one select per request and never cached: a
revocation holds at once in every worker.
"""

import hashlib
import uuid
from typing import NamedTuple, cast

import peewee as pw

from sessionary import clock, ids, store
from sessionary.clock import Clock
from sessionary.store import Statement, given

ROLES = ("admin", "readwrite", "readonly")
IDENTITY_TYPES = ("user", "service_account")
# What a lenient caller is a member of where no organization has been made.
DEFAULT_ORGANIZATION = "000000000000000000000001"
_DERIVED_USERS = uuid.UUID("5c3a7e0a-4d0b-4c55-9d1e-7f0f7a1c2b10")


class Unknown(Exception):
    """Nobody is known by this credential: absent, malformed, unknown, expired or revoked."""


class Organization(store.Model):
    """A tenant: Scale's account, Mobile Next's and Galtea's organization."""

    seq = pw.AutoField()
    id = pw.TextField(unique=True)
    name = pw.TextField()
    created_at = pw.BigIntegerField()


class User(store.Model):
    """A person or a service account."""

    seq = pw.AutoField()
    id = pw.TextField(unique=True)
    name = pw.TextField()
    email = pw.TextField(null=True)
    identity_type = pw.TextField()
    default_organization = pw.TextField(null=True)


class Membership(store.Model):
    """A user's role in an organization."""

    user = pw.ForeignKeyField(User, User.id, column_name="user")
    organization = pw.ForeignKeyField(Organization, Organization.id, column_name="organization")
    role = pw.TextField()

    class Meta:
        primary_key = pw.CompositeKey("user", "organization")


class Key(store.Model):
    """A credential of a user; for one surface or all, bound to one organization or none."""

    seq = pw.AutoField()
    id = pw.TextField(unique=True)
    hash = pw.TextField(unique=True)
    user = pw.ForeignKeyField(User, User.id, column_name="user")
    surface = pw.TextField(null=True)
    organization = pw.ForeignKeyField(
        Organization, Organization.id, column_name="organization", null=True
    )
    created_at = pw.BigIntegerField()
    expires_at = pw.BigIntegerField(null=True)
    revoked_at = pw.BigIntegerField(null=True)


TABLES = (Organization, User, Membership, Key)


class Caller(NamedTuple):
    """Who is asking, and where they may go."""

    user: str
    name: str
    email: str | None
    identity_type: str
    key_hash: str
    bound: str | None  # the organization that the key is bound to
    default: str | None  # the user's own
    roles: dict[str, str]  # by organization
    anywhere: bool  # lenient: also admitted wherever no organization has been declared

    @property
    def organization(self) -> str | None:
        """Where a call acts that names no organization."""
        return self.bound or self.default


class _Found(NamedTuple):
    """What is found of a secret, beside the clock and the user's memberships."""

    first_organization: str | None
    key: str | None
    surface: str | None
    bound: str | None
    expires_at: int | None
    revoked_at: int | None
    user: str
    name: str
    email: str | None
    identity_type: str
    default: str | None


_first_organization = Organization.select(Organization.id).order_by(Organization.seq).limit(1)

# A row for each membership, or one if there is none, all with the same key, user and clock.
_MEMBERSHIP = slice(0, 2)
_FOUND = slice(2, 2 + len(_Found._fields))
_CLOCK = slice(_FOUND.stop, None)
_by_secret = Statement(
    tuple,
    lambda: (
        Clock.select(
            Membership.organization,
            Membership.role,
            _first_organization,
            Key.id,
            Key.surface,
            Key.organization,
            Key.expires_at,
            Key.revoked_at,
            User.id,
            User.name,
            User.email,
            User.identity_type,
            User.default_organization,
            *clock.COLUMNS,
        )
        .join(Key, pw.JOIN.LEFT_OUTER, on=(Key.hash == given("hash")))
        .join(User, pw.JOIN.LEFT_OUTER, on=(User.id == Key.user))
        .join(Membership, pw.JOIN.LEFT_OUTER, on=(Membership.user == User.id))
    ),
)
_is_declared = Statement(
    tuple, lambda: Organization.select(Organization.seq).where(Organization.id == given("id"))
)
_any_key = Statement(tuple, lambda: Key.select(Key.seq).limit(1))


def identify(secret: str, surface: str, *, derive: bool) -> tuple[Caller, int]:
    """Who brings this secret to this surface, and the instant of asking.

    With `derive`, a secret that no key has belongs to a user derived from it: the same text is
    always the same user, an admin of the default organization. Raises Unknown.
    """
    digest = hash_of(secret)
    rows = _by_secret.all(hash=digest)
    found = _Found._make(rows[0][_FOUND])
    now = clock.State._make(rows[0][_CLOCK]).at(clock.wall())
    if found.key is None:
        if not derive:
            raise Unknown
        return _derived(secret, digest, found.first_organization), now
    expired = found.expires_at is not None and now >= found.expires_at
    if expired or found.revoked_at is not None or found.surface not in (None, surface):
        raise Unknown
    return _known(digest, found, dict(row[_MEMBERSHIP] for row in rows)), now


def _known(digest: str, found: _Found, roles: dict[str | None, str]) -> Caller:
    roles.pop(None, None)
    return Caller(
        user=found.user,
        name=found.name,
        email=found.email,
        identity_type=found.identity_type,
        key_hash=digest,
        bound=found.bound,
        default=found.default,
        roles=cast(dict[str, str], roles),
        anywhere=False,
    )


def _derived(secret: str, digest: str, organization: str | None) -> Caller:
    home = organization or DEFAULT_ORGANIZATION
    return Caller(
        user=str(uuid.uuid5(_DERIVED_USERS, secret)),
        name="Anyone",
        email=None,
        identity_type="user",
        key_hash=digest,
        bound=None,
        default=home,
        roles={home: "admin"},
        anywhere=True,
    )


def is_declared(organization: str) -> bool:
    """Whether this organization has a row, made by a seed or at the first start."""
    return _is_declared.one(id=organization) is not None


def hash_of(secret: str) -> str:
    """What is stored of a secret: SHA-256 in hex."""
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()


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
    key = NewKey(key_id(), prefix + ids.secret(), surface)
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
    lambda: Membership.select(Membership.organization).where(Membership.user == given("user")),
)


def listed_keys() -> list[KeyRow]:
    """Every key, oldest first."""
    return _listed_keys.all()


def organizations_of(user: str) -> list[str]:
    """Where a user is a member."""
    return _organizations_of.all(user=user)


def key_id() -> str:
    """A new id of a key, by which it is listed and revoked."""
    return "key_" + ids.word(12, "0123456789abcdef")


def revoke_key(id: str) -> bool:
    """Refuse a key from now on, in every worker; False where no open key has this id."""
    with clock.writing() as now:
        revoked = Key.update(revoked_at=now).where(Key.id == id, Key.revoked_at.is_null())
        return bool(revoked.execute())
