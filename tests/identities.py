"""The people, organizations and keys that the tests of all surfaces seed."""

ANA = "5b0d3b0e-4c39-4a5e-9d53-0f6f5b6c0a01"
ROB = "5b0d3b0e-4c39-4a5e-9d53-0f6f5b6c0a02"
BOT = "5b0d3b0e-4c39-4a5e-9d53-0f6f5b6c0a03"
CLEO = "5b0d3b0e-4c39-4a5e-9d53-0f6f5b6c0a04"
ZOE = "5b0d3b0e-4c39-4a5e-9d53-0f6f5b6c0a05"

# Ana writes in two organizations, Rob reads in one, Cleo is in none.
_PEOPLE = f"""
organizations = [
  {{ id = "acme", name = "Acme" }},
  {{ id = "zeta", name = "Zeta" }},
  {{ id = "mars", name = "Mars" }},
]

[[users]]
id = "{ANA}"
name = "Ana"
email = "ana@example.com"
default_organization = "ANA_DEFAULT"
memberships = [
  {{ organization = "acme", role = "admin" }}, {{ organization = "zeta", role = "readwrite" }}
]
[[users]]
id = "{ROB}"
name = "Rob"
default_organization = "acme"
memberships = [
  {{ organization = "acme", role = "readonly" }}, {{ organization = "mars", role = "readwrite" }}
]
[[users]]
id = "{BOT}"
name = "deploy-bot"
identity_type = "service_account"
default_organization = "acme"
memberships = [{{ organization = "acme", role = "readwrite" }}]
[[users]]
id = "{CLEO}"
name = "Cleo"
memberships = []
[[users]]
id = "{ZOE}"
name = "Zoe"
default_organization = "zeta"
memberships = [{{ organization = "zeta", role = "admin" }}]
"""
_PREFIXES = {"galtea": "gsk_", "mobilenext": "mob_", "notte": "sk-notte-", "scale": ""}
_KEYS = {
    "ana": f'user = "{ANA}"\nsurface = "VENDOR"',
    "ana-in-zeta": f'user = "{ANA}"\norganization = "zeta"',
    "rob": f'user = "{ROB}"',
    "bot": f'user = "{BOT}"',
    "cleo": f'user = "{CLEO}"',
    "zoe": f'user = "{ZOE}"',
    "elsewhere": f'user = "{ANA}"\nsurface = "OTHER"',
    "expired": f'user = "{ANA}"\nexpires_at = 2026-03-01T12:00:00Z',
    "expiring": f'user = "{ANA}"\nexpires_at = 2026-03-01T12:01:00Z',
}


def key(vendor: str, who: str) -> str:
    """The key of `who` on this surface: a first name, or another name of `_KEYS`."""
    return _PREFIXES[vendor] + who


def seed(vendor: str, ana_default: str = "acme") -> str:
    """A seed with the people and their keys on this surface, and one key of another surface."""
    other = "galtea" if vendor == "notte" else "notte"
    keys = [f'[[keys]]\nsecret = "{key(vendor, who)}"\n{facts}\n' for who, facts in _KEYS.items()]
    text = _PEOPLE.replace("ANA_DEFAULT", ana_default) + "".join(keys)
    return text.replace("VENDOR", vendor).replace("OTHER", other)
