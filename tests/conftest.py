"""Fixtures for all tests: applications on real databases with a frozen clock."""

import signal
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

from sessionary import clock, create_app, make_settings
from sessionary.embedded import EmbeddedServer
from sessionary.seeds import loader
from sessionary.settings import DOUBLE, Settings
from sessionary.store import Namespace, Statement
from sessionary.surfaces import SURFACES
from sessionary.web import json_codec

pytest_plugins = ["pytester"]

# Other load on the machine must not fail an example; examples replace the rows of their fixtures.
hypothesis_settings.register_profile(
    "suite",
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
hypothesis_settings.load_profile("suite")

# Test the JSON encoder of the standard library in this process; servers that are started as
# processes use orjson.
json_codec._quick_bytes = None

# A process inherits the signals that its parent ignores. Under nohup, or in the background of a
# script, these would be ignored by every process that a test starts and ends by a signal.
for _signal in (signal.SIGHUP, signal.SIGINT, signal.SIGQUIT):
    if signal.getsignal(_signal) is signal.SIG_IGN:
        signal.signal(_signal, lambda *_: None)

NOON = datetime.fromisoformat("2026-03-01T12:00:00+00:00")
EPOCH = datetime.fromisoformat("1970-01-01T00:00:00+00:00")
MICROSECOND = timedelta(microseconds=1)


class App:
    """A Flask application with its own namespace; the clock is frozen at NOON."""

    def __init__(self, flask_app: Flask) -> None:
        self.flask_app = flask_app
        self.settings: Settings = flask_app.config["SESSIONARY"]
        self.namespace: Namespace = flask_app.extensions["sessionary"]
        self.freeze(NOON)

    @property
    def client(self) -> FlaskClient:
        return self.flask_app.test_client()

    def freeze(self, at: datetime) -> None:
        with self.namespace.activate():
            clock.set_mode("frozen", (at - EPOCH) // MICROSECOND)

    def use_real_clock(self) -> None:
        with self.namespace.activate():
            clock.set_mode("real")

    def advance(self, by: timedelta | None = None, **parts: float) -> None:
        """Move the clock by a timedelta or by its parts: `advance(minutes=5)`."""
        with self.namespace.activate():
            clock.advance((by or timedelta(**parts)) // MICROSECOND)

    def seed(self, text: str) -> None:
        """Apply a seed file with this text."""
        import tomllib

        with self.namespace.activate():
            loader.apply(loader.Document("seed.toml", text, tomllib.loads(text)), SURFACES)

    def rows(self, table: str) -> list[tuple[Any, ...]]:
        """Return every row of a table as stored."""
        with self.namespace.activate():
            return list(self.namespace.database.run(f"SELECT * FROM {table} ORDER BY rowid"))  # noqa: S608

    def all_rows(self) -> dict[str, list[tuple[Any, ...]]]:
        """The rows of every table but the clock's."""
        with self.namespace.activate():
            tables = set(self.namespace.database.get_tables()) - {"clock"}
        return {table: self.rows(table) for table in tables}

    def plan(self, statement: Statement[Any], **values: Any) -> list[str]:
        """The steps in which SQLite executes a statement."""
        with self.namespace.activate():
            text, places = statement.query().sql()
            given = [values.get(each, each) for each in places]
            rows = self.namespace.database.run(f"EXPLAIN QUERY PLAN {text}", given)
            return [row[3] for row in rows]

    def dump(self) -> list[str]:
        """The whole namespace as SQL."""
        with self.namespace.activate():
            return list(self.namespace.connection().iterdump())


MakeApp = Callable[..., App]
Serve = Callable[[App], str]


def double_settings(**values: Any) -> Settings:
    """The settings of a double, by their flat names."""
    return make_settings(**{**DOUBLE, **values})


@pytest.fixture
def make_app() -> Iterator[Callable[..., App]]:
    """Make an App with the given settings (default: lenient, in memory)."""
    with ExitStack() as stack:

        def make(**settings: Any) -> App:
            given = {"db": ":memory:", "auth": "lenient", "durability": "off", **settings}
            app = App(create_app(make_settings(**given)))
            stack.callback(app.namespace.close)
            return app

        yield make


@pytest.fixture
def app(make_app: Callable[..., App]) -> App:
    return make_app()


@pytest.fixture
def serve() -> Iterator[Callable[[App], str]]:
    """Serve an App on a loopback port; return its URL."""
    with ExitStack() as stack:
        yield lambda app: stack.enter_context(EmbeddedServer(app.flask_app)).url


@pytest.fixture
def make_file_app(make_app: Callable[..., App], tmp_path: Path) -> Callable[..., App]:
    """Make Apps that share one database file, with a connection per thread."""
    return lambda **settings: make_app(db=str(tmp_path / "test.sqlite3"), **settings)


@pytest.fixture
def db(tmp_path: Path) -> str:
    """The path of a database file of this test."""
    return str(tmp_path / "test.sqlite3")
