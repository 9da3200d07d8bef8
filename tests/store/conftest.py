"""A sample database with rows in every table, and the `sessionary` command on it."""

from pathlib import Path

import pytest

from tests.store.database_files import Command, load_sample


@pytest.fixture
def db(tmp_path: Path) -> Path:
    """A database with rows in every table."""
    return load_sample(tmp_path)


@pytest.fixture
def sessionary(db: Path) -> Command:
    """Run the command on this database."""
    return Command(db)
