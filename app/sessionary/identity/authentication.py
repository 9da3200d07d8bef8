"""Who is asking."""

import hashlib
import uuid
from typing import NamedTuple, cast

import peewee as pw

from sessionary import clock
from sessionary.clock import Clock
from sessionary.identity.models import Key, Membership, Organization, User
from sessionary.store import Statement, param

# What a lenient caller is a member of where no organization has been made.
DEFAULT_ORGANIZATION = "000000000000000000000001"
_DERIVED_USERS = uuid.UUID("5c3a7e0a-4d0b-4c55-9d1e-7f0f7a1c2b10")


class InvalidKey(Exception):
    """Nobody is known by this credential: absent, malformed, unknown, expired or revoked."""


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
        .join(Key, pw.JOIN.LEFT_OUTER, on=(Key.hash == param("hash")))
        .join(User, pw.JOIN.LEFT_OUTER, on=(User.id == Key.user))
        .join(Membership, pw.JOIN.LEFT_OUTER, on=(Membership.user == User.id))
    ),
)
_is_declared = Statement(
    tuple, lambda: Organization.select(Organization.seq).where(Organization.id == param("id"))
)


def authenticate_key(secret: str, surface: str, *, derive: bool) -> tuple[Caller, int]:
    """Who brings this secret to this surface, and the instant of asking.

    With `derive`, a secret that no key has belongs to a user derived from it: the same text is
    always the same user, an admin of the default organization. Raises InvalidKey.
    """
    digest = hash_of(secret)
    rows = _by_secret.all(hash=digest)
    found = _Found._make(rows[0][_FOUND])
    now = clock.State._make(rows[0][_CLOCK]).at(clock.wall())
    if found.key is None:
        if not derive:
            raise InvalidKey
        return _derived(secret, digest, found.first_organization), now
    expired = found.expires_at is not None and now >= found.expires_at
    if expired or found.revoked_at is not None or found.surface not in (None, surface):
        raise InvalidKey
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
