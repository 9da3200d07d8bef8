"""Organizations, users, memberships and keys; who is asking.

A key's secret is stored as its SHA-256 (it is long and random, so no slow hash is needed) and
shown once. Key, memberships and clock are read in one select per request and never cached: a
revocation holds at once in every worker.
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
