"""A database with rows of every kind, and the command on it."""

from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from sessionary.cli import main
from tests import schema_versions


@pytest.fixture
def db(tmp_path: Path) -> Path:
    """A database with rows of every kind."""
    schema_versions.load(schema_versions.fixtures()[-1], tmp_path / "test.sqlite3")
    return tmp_path / "test.sqlite3"


@pytest.fixture
def sessionary(db: Path) -> Callable[..., Result]:
    """Run the command on a database of this test."""
    return lambda *args: CliRunner().invoke(
        main, [str(each) for each in args], env={"SESSIONARY_DB": str(db)}
    )
