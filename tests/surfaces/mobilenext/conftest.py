"""Callers of Mobile Next: one of a lenient world, and those of a strict world with two tenants."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from .calls import Calls

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.conftest import Sandbox

ANA = "5b0d3b0e-4c39-4a5e-9d53-0f6f5b6c0a01"
ROB = "5b0d3b0e-4c39-4a5e-9d53-0f6f5b6c0a02"
BOT = "5b0d3b0e-4c39-4a5e-9d53-0f6f5b6c0a03"
DRIFTER = "5b0d3b0e-4c39-4a5e-9d53-0f6f5b6c0a04"
TENANTS = f"""
[[organizations]]
id = "acme"
name = "Acme"

[[organizations]]
id = "zeta"
name = "Zeta"

[[organizations]]
id = "closed"
name = "Closed"

[[users]]
id = "{ANA}"
name = "Ana"
default_organization = "acme"
memberships = [
    {{ organization = "acme", role = "admin" }}, {{ organization = "zeta", role = "readwrite" }}
]

[[users]]
id = "{ROB}"
name = "Rob"
default_organization = "acme"
memberships = [{{ organization = "acme", role = "readonly" }}]

[[users]]
id = "{BOT}"
name = "deploy-bot"
identity_type = "service_account"
default_organization = "acme"
memberships = [{{ organization = "acme", role = "readwrite" }}]

[[users]]
id = "{DRIFTER}"
name = "Drifter"

[[keys]]
secret = "mob_ana"
user = "{ANA}"
surface = "mobilenext"

[[keys]]
secret = "mob_ana_zeta"
user = "{ANA}"
organization = "zeta"

[[keys]]
secret = "mob_rob"
user = "{ROB}"

[[keys]]
secret = "mob_bot"
user = "{BOT}"

[[keys]]
secret = "mob_drifter"
user = "{DRIFTER}"

[[keys]]
secret = "mob_elsewhere"
user = "{ANA}"
surface = "notte"

[[keys]]
secret = "mob_expiring"
user = "{ANA}"
expires_at = 2026-03-01T12:01:00Z
"""


@pytest.fixture
def calls(sandbox: Sandbox) -> Calls:
    return Calls(sandbox)


@pytest.fixture
def tenants(make_sandbox: Callable[..., Sandbox]) -> Sandbox:
    """A strict world: Ana in acme and zeta, Rob who only looks, a bot, and one with no home."""
    sandbox = make_sandbox(auth="strict")
    sandbox.seed(TENANTS)
    return sandbox
