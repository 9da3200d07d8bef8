"""Worlds for tests: real databases, a clock under the test's control, a server on a real socket."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from hypothesis import HealthCheck
from hypothesis import settings as hypothesis_settings

from sessionary import clock, create_app
from sessionary.embedded import EmbeddedServer
from sessionary.seeds import loader
from sessionary.settings import Settings
from sessionary.store import World
from sessionary.surfaces import SURFACES
from sessionary.web import json_codec

pytest_plugins = ["pytester"]

# How long an example takes depends on what else the machine does: no test may depend on that.
hypothesis_settings.register_profile(
    "suite", deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
hypothesis_settings.load_profile("suite")

# In this process answers are written as they are without the extra `orjson`; the servers that the
# suite starts as processes have it.
json_codec._quick_bytes = None

NOON = datetime.fromisoformat("2026-03-01T12:00:00+00:00")
EPOCH = datetime.fromisoformat("1970-01-01T00:00:00+00:00")
MICROSECOND = timedelta(microseconds=1)


class Sandbox:
    """An application on a world of its own, whose clock stands at NOON until it is moved."""

    def __init__(self, app: Flask) -> None:
        self.app = app
        self.settings: Settings = app.config["SESSIONARY"]
        self.world: World = app.extensions["sessionary"]
        self.freeze(NOON)

    @property
    def client(self) -> FlaskClient:
        return self.app.test_client()

    def freeze(self, at: datetime) -> None:
        with self.world.entered():
            clock.put("frozen", (at - EPOCH) // MICROSECOND)

    def run_on(self) -> None:
        """Let the clock follow the wall."""
        with self.world.entered():
            clock.put("real")

    def advance(self, by: timedelta | None = None, **parts: float) -> None:
        """Move the clock, by a timedelta or by its parts: `advance(minutes=5)`."""
        with self.world.entered():
            clock.advance((by or timedelta(**parts)) // MICROSECOND)

    def seed(self, text: str) -> None:
        """Apply a seed file of this text."""
        import tomllib

        with self.world.entered():
            loader.apply(loader.Document("seed.toml", text, tomllib.loads(text)), SURFACES)

    def rows(self, table: str) -> list[tuple[Any, ...]]:
        """Every row of a table, as it is stored."""
        with self.world.entered():
            return list(self.world.database.run(f"SELECT * FROM {table} ORDER BY rowid"))  # noqa: S608


@pytest.fixture
def make_sandbox() -> Iterator[Callable[..., Sandbox]]:
    """Sandboxes with settings of their own: lenient and in memory unless told otherwise."""
    with ExitStack() as stack:

        def make(**settings: Any) -> Sandbox:
            given = {"db": ":memory:", "auth": "lenient", "durability": "off", **settings}
            sandbox = Sandbox(create_app(Settings(**given)))
            stack.callback(sandbox.world.close)
            return sandbox

        yield make


@pytest.fixture
def sandbox(make_sandbox: Callable[..., Sandbox]) -> Sandbox:
    return make_sandbox()


@pytest.fixture
def serve() -> Iterator[Callable[[Sandbox], str]]:
    """Put a sandbox on a loopback port; gives the address."""
    with ExitStack() as stack:
        yield lambda sandbox: stack.enter_context(EmbeddedServer(sandbox.app)).url


@pytest.fixture
def make_file_sandbox(
    make_sandbox: Callable[..., Sandbox], tmp_path: Path
) -> Callable[..., Sandbox]:
    """Sandboxes on one real file, one connection per thread."""
    return lambda **settings: make_sandbox(db=str(tmp_path / "world.sqlite3"), **settings)
