"""The applications that the tests of all surfaces share: making one takes longer than a test."""

import sqlite3
from collections.abc import Iterator
from contextlib import ExitStack, closing

import pytest

from sessionary import create_app
from sessionary.settings import Settings
from tests.conftest import NOON, App, MakeApp

SharedApp = MakeApp


@pytest.fixture(scope="session")
def shared_app() -> Iterator[SharedApp]:
    """Give the application of an auth mode and a seed, with its database as it was when new."""
    with ExitStack() as stack:
        made: dict[tuple[str, str], tuple[App, sqlite3.Connection]] = {}

        def of(auth: str, seed: str = "") -> App:
            if (auth, seed) not in made:
                app = App(create_app(Settings(db=":memory:", auth=auth, durability="off")))
                stack.callback(app.namespace.close)
                app.seed(seed)
                fresh = stack.enter_context(closing(sqlite3.connect(":memory:")))
                app.namespace.database.connection().backup(fresh)
                made[auth, seed] = app, fresh
            app, fresh = made[auth, seed]
            fresh.backup(app.namespace.database.connection())
            app.freeze(NOON)
            return app

        yield of


@pytest.fixture
def app(shared_app: SharedApp) -> App:
    """A lenient namespace without a seed."""
    return shared_app("lenient")


@pytest.fixture
def workers(make_file_app: MakeApp) -> list[App]:
    """Two applications on one file with a real clock."""
    both = [make_file_app(), make_file_app()]
    both[0].use_real_clock()
    return both
