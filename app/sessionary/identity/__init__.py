"""Organizations, users, memberships and keys; authentication and rate limits.

The secret of a key is shown once and stored as its SHA-256; it is long and random, so a slow hash
is not needed. Key, memberships and clock are read in one select per request and not cached, so a
revocation takes effect at once in every worker.
"""

from sessionary.identity import rate_limits
from sessionary.identity.authentication import (
    DEFAULT_ORGANIZATION,
    Caller,
    InvalidKey,
    authenticate_key,
    hash_of,
    is_declared,
)
from sessionary.identity.keys import (
    KeyRow,
    NewKey,
    create_key,
    has_keys,
    list_keys,
    make_key_id,
    organizations_of,
    owner,
    revoke_key,
)
from sessionary.identity.models import (
    IDENTITY_TYPES,
    ROLES,
    TABLES,
    Key,
    Membership,
    Organization,
    User,
)

__all__ = [
    "DEFAULT_ORGANIZATION",
    "IDENTITY_TYPES",
    "ROLES",
    "TABLES",
    "Caller",
    "InvalidKey",
    "Key",
    "KeyRow",
    "Membership",
    "NewKey",
    "Organization",
    "User",
    "authenticate_key",
    "create_key",
    "has_keys",
    "hash_of",
    "is_declared",
    "list_keys",
    "make_key_id",
    "organizations_of",
    "owner",
    "rate_limits",
    "revoke_key",
]
