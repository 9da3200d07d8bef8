"""Organizations, users, memberships and keys; authentication and rate limits.

The secret of a key is shown once and stored as its SHA-256; it is long and random, so a slow hash
is not needed. Key, memberships and clock are read in one select per request and not cached, so a
revocation takes effect at once in every worker.
"""

from sessionary.identity import rate_limits as rate_limits
from sessionary.identity.authentication import DEFAULT_ORGANIZATION as DEFAULT_ORGANIZATION
from sessionary.identity.authentication import Caller as Caller
from sessionary.identity.authentication import InvalidKey as InvalidKey
from sessionary.identity.authentication import authenticate_key as authenticate_key
from sessionary.identity.authentication import hash_of as hash_of
from sessionary.identity.authentication import is_declared as is_declared
from sessionary.identity.keys import KEY_STATES as KEY_STATES
from sessionary.identity.keys import KeyRow as KeyRow
from sessionary.identity.keys import NewKey as NewKey
from sessionary.identity.keys import create_key as create_key
from sessionary.identity.keys import has_keys as has_keys
from sessionary.identity.keys import list_keys as list_keys
from sessionary.identity.keys import make_key_ids as make_key_ids
from sessionary.identity.keys import organizations_of as organizations_of
from sessionary.identity.keys import owner as owner
from sessionary.identity.keys import revoke_key as revoke_key
from sessionary.identity.members import UnknownMember as UnknownMember
from sessionary.identity.members import add_member as add_member
from sessionary.identity.members import list_members as list_members
from sessionary.identity.members import remove_member as remove_member
from sessionary.identity.models import IDENTITY_TYPES as IDENTITY_TYPES
from sessionary.identity.models import ROLES as ROLES
from sessionary.identity.models import TABLES as TABLES
from sessionary.identity.models import Key as Key
from sessionary.identity.models import Membership as Membership
from sessionary.identity.models import Organization as Organization
from sessionary.identity.models import User as User
