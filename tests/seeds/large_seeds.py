"""Texts of seeds with any number of rows."""

import uuid

from tests.identities import ANA

_USER = f'[[users]]\nid = "{ANA}"\nname = "Ana"\nmemberships = [{{ organization = "acme", '
ACME = f'[[organizations]]\nid = "acme"\nname = "Acme"\n{_USER}role = "admin" }}]\n'
_FACTS = {
    "organizations": 'id = "o{n}"\nname = "O"',
    "users": 'id = "{id}"\nname = "U"\nmemberships = [{{ organization = "acme", role = "admin" }}]',
    "keys": f'secret = "k{{n}}"\nuser = "{ANA}"\norganization = "acme"',
    "devices": 'serial = "D{n}"\nplatform = "ios"\ntype = "real"\nname = "D"\nversion = "1"',
    "notte.sessions": 'id = "{id}"\norganization = "acme"\ncreated_ago = "2m"',
    "scale.sessions": f'id = "{{id}}"\naccount_id = "acme"\nuser = "{ANA}"\ncreated_ago = "2d"',
    "mobilenext.sessions": f'id = "{{id}}"\norganization = "acme"\nuser = "{ANA}"\n'
    'device = "emulator-5554"\ncreated_ago = "3h"\nreleased_ago = "2h"',
    "galtea.versions": 'id = "v{n}"\nproduct = "p{n}"',
    "galtea.sessions": 'id = "s{n}"\norganization = "acme"\nversion = "v{n}"\n'
    'custom_id = "c{n}"\ncreated_ago = "1h"',
}
TABLES = tuple(_FACTS)


def make_rows(table: str, count: int) -> str:
    """Return a seed of an organization, a user and `count` rows of a table."""
    rows = (_FACTS[table].format(n=n, id=uuid.UUID(int=n + 1)) for n in range(count))
    return ACME + "".join(f"[[{table}]]\n{row}\n" for row in rows)
