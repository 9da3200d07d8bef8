"""A sample database with rows in every table, and the `sessionary` command on it."""

from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import Result

from tests.store.database_files import command_on, load_sample


@pytest.fixture
def db(tmp_path: Path) -> Path:
    """A database with rows in every table."""
    return load_sample(tmp_path)


@pytest.fixture
def sessionary(db: Path) -> Callable[..., Result]:
    """Run the command on this database."""
    return command_on(db)
