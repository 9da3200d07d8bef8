"""API-key authentication."""

import hashlib
import re
import uuid
from typing import NamedTuple

import peewee as pw

from sessionary import clock
from sessionary.clock import Clock
from sessionary.identity.models import Key, Membership, Organization, User
from sessionary.store import Statement, keep, param

# The organization of a lenient caller in a database without one.
DEFAULT_ORGANIZATION = "000000000000000000000001"
# The end of a lenient key that names its user.
_NAMED_USER = re.compile("user-([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})\\Z")
_DERIVED_USERS = uuid.UUID("5c3a7e0a-4d0b-4c55-9d1e-7f0f7a1c2b10")


class InvalidKey(Exception):
    """The credential is missing, malformed, unknown, expired, revoked or of another surface."""


class Caller(NamedTuple):
    """An authenticated user and their access."""

    user: str
    name: str
    email: str | None
    identity_type: str
    key_hash: str
    bound: str | None  # the organization that the key is bound to
    default: str | None  # the user's own
    roles: dict[str, str]  # by organization
    anywhere: bool  # lenient: has access to every organization that was not created

    @property
    def organization(self) -> str | None:
        """The organization of a call that names none, if the user is still a member of it."""
        chosen = self.bound or self.default
        return chosen if chosen in self.roles else None


class _KeyLookup(NamedTuple):
    """A row of the key lookup: a membership, and what all rows share: key, user and clock.

    The columns of a key and its user are None if the key is unknown.
    """

    organization: str | None
    role: str | None
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
    clock_state: clock.State

    def is_valid(self, surface: str, now: int) -> bool:
        """Return whether the key may be used on this surface at this instant."""
        is_expired = self.expires_at is not None and now >= self.expires_at
        return not is_expired and self.revoked_at is None and self.surface in (None, surface)


_CLOCK = _KeyLookup._fields.index("clock_state")
_first_organization = Organization.select(Organization.id).order_by(Organization.seq).limit(1)
_key_lookup = Statement(
    lambda row: _KeyLookup._make((*row[:_CLOCK], clock.State._make(row[_CLOCK:]))),
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
    """Return the caller who has this secret on this surface, and the time of the namespace.

    With `derive`, an unknown secret belongs to a user derived from its text, or to the one that it
    names, an admin of the default organization. Raises InvalidKey.
    """
    digest = hash_of(secret)
    first, caller = keep(("key", digest, derive), lambda: _look_up(secret, digest, derive))
    now = first.clock_state.at(clock.wall())
    if caller is None or (first.key is not None and not first.is_valid(surface, now)):
        raise InvalidKey
    return caller, now


def _look_up(secret: str, digest: str, derive: bool) -> tuple[_KeyLookup, Caller | None]:
    rows = _key_lookup.all(hash=digest)
    if rows[0].key is not None:
        return rows[0], _make_caller(digest, rows)
    caller = _derive_caller(secret, digest, rows[0].first_organization) if derive else None
    return rows[0], caller


def _make_caller(digest: str, rows: list[_KeyLookup]) -> Caller:
    first = rows[0]
    return Caller(
        user=first.user,
        name=first.name,
        email=first.email,
        identity_type=first.identity_type,
        key_hash=digest,
        bound=first.bound,
        default=first.default,
        roles={row.organization: row.role for row in rows if row.organization and row.role},
        anywhere=False,
    )


def _derive_caller(secret: str, digest: str, organization: str | None) -> Caller:
    home, named = organization or DEFAULT_ORGANIZATION, _NAMED_USER.search(secret)
    return Caller(
        user=named[1] if named else str(uuid.uuid5(_DERIVED_USERS, secret)),
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
    """Return whether this organization was created, by a seed or at the first start."""
    return _is_declared.one(id=organization) is not None


def hash_of(secret: str) -> str:
    """Return the stored form of a secret: SHA-256 in hex."""
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()
