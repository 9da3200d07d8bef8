"""Callers of Mobile Next in a lenient namespace and in a strict one with two organizations."""

from __future__ import annotations

import sqlite3
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING

import pytest

from sessionary import create_app
from sessionary.settings import Settings
from tests.conftest import App
from tests.surfaces.mobilenext.api_client import Calls

if TYPE_CHECKING:
    from collections.abc import Iterator

ANA = "5b0d3b0e-4c39-4a5e-9d53-0f6f5b6c0a01"
ROB = "5b0d3b0e-4c39-4a5e-9d53-0f6f5b6c0a02"
BOT = "5b0d3b0e-4c39-4a5e-9d53-0f6f5b6c0a03"
CLEO = "5b0d3b0e-4c39-4a5e-9d53-0f6f5b6c0a04"
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
id = "{CLEO}"
name = "Cleo"

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
secret = "mob_cleo"
user = "{CLEO}"

[[keys]]
secret = "mob_elsewhere"
user = "{ANA}"
surface = "notte"

[[keys]]
secret = "mob_expiring"
user = "{ANA}"
expires_at = 2026-03-01T12:01:00Z
"""


Stage = tuple[App, sqlite3.Connection]


@contextmanager
def open_stage(auth: str, seed: str = "") -> Iterator[Stage]:
    """Yield an application that many tests share, and a copy of its fresh database."""
    app = App(create_app(Settings(db=":memory:", auth=auth, durability="off")))
    app.seed(seed)
    with closing(app.namespace), closing(sqlite3.connect(":memory:")) as fresh:
        app.namespace.database.connection().backup(fresh)
        yield app, fresh


@pytest.fixture(scope="session")
def lenient_stage() -> Iterator[Stage]:
    with open_stage("lenient") as stage:
        yield stage


@pytest.fixture(scope="session")
def tenants_stage() -> Iterator[Stage]:
    with open_stage("strict", TENANTS) as stage:
        yield stage


@pytest.fixture
def app(lenient_stage: Stage) -> App:
    """The usual fixture, on a shared application: it starts faster."""
    app, fresh = lenient_stage
    fresh.backup(app.namespace.database.connection())
    return app


@pytest.fixture
def tenants(tenants_stage: Stage) -> App:
    """A strict namespace: Ana in acme and zeta, Rob who reads, a bot, and Cleo who is in none."""
    app, fresh = tenants_stage
    fresh.backup(app.namespace.database.connection())
    return app


@pytest.fixture
def calls(app: App) -> Calls:
    return Calls(app)
