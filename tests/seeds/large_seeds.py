"""Texts of seeds with any number of rows."""

import uuid

from tests.identities import ANA
from tests.seed_rows import row

ACME = row("organizations") + row("users")
_FACTS = {
    "organizations": 'id = "o{n}"',
    "users": 'id = "{id}"; default_organization =',
    "keys": 'secret = "k{n}"; organization = "acme"',
    "devices": 'serial = "D{n}"',
    "notte.sessions": 'id = "{id}"; created_ago = "2m"',
    "scale.sessions": f'id = "{{id}}"; user = "{ANA}"',
    "mobilenext.sessions": 'id = "{id}"; created_ago = "3h"; released_ago = "3h"',
    "galtea.versions": 'id = "v{n}"; product = "p{n}"',
    "galtea.sessions": 'id = "s{n}"; version = "v{n}"; custom_id = "c{n}"',
}
TABLES = tuple(_FACTS)


def make_rows(table: str, count: int) -> str:
    """Return a seed of an organization, a user and `count` rows of a table."""
    facts = (_FACTS[table].format(n=n, id=uuid.UUID(int=n + 1)) for n in range(count))
    return ACME + "".join(row(table, each) for each in facts)
