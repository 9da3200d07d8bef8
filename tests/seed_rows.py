"""Rows of seed files."""

from tests.identities import ANA

ID = "0b8f7a52-6f0e-4f0a-9d5c-0f6f5b6c0b01"
OTHER = "0b8f7a52-6f0e-4f0a-9d5c-0f6f5b6c0b02"
# The facts of a row unless a test gives others.
FACTS = {
    "organizations": 'id = "acme"; name = "Acme"',
    "users": f'id = "{ANA}"; name = "Ana"; default_organization = "acme"; '
    'memberships = [{ organization = "acme", role = "admin" }]',
    "keys": f'user = "{ANA}"',
    "devices": 'serial = "A-1"; platform = "ios"; type = "real"; name = "iPhone"; version = "18"',
    "galtea.products": 'id = "p"',
    "galtea.tests": 'id = "t"',
    "galtea.versions": 'id = "v"; product = "p"',
    "galtea.test_cases": 'id = "t"; test = "s"',
    "galtea.sessions": 'organization = "acme"; version = "version_v1"; created_ago = "1h"',
    "mobilenext.sessions": f'organization = "acme"; user = "{ANA}"; device = "emulator-5554"; '
    'created_ago = "1h"',
    "notte.sessions": 'organization = "acme"; created_ago = "4m"',
    "scale.sessions": 'account_id = "acme"; created_ago = "2d"',
}


def row(table: str, facts: str = "") -> str:
    """A row of a seed file with these facts; `name =` alone leaves one out."""
    id = f'id = "{ID}"; ' if table.endswith("sessions") else ""
    lines = (line.split(" =", 1) for line in f"{id}{FACTS[table]}; {facts}".split("; ") if line)
    given = "".join(f"{name} ={value}\n" for name, value in dict(lines).items() if value)
    return f"[[{table}]]\n{given}"
