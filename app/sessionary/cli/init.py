"""`sessionary init`."""

from importlib.resources import files
from pathlib import Path

import click

from sessionary.cli.database import clean_errors
from sessionary.cli.output import Output, json_option, print_output

_CONFTEST = '''\
"""Fixtures: a test with the argument `sessionary` gets a namespace with the rows of seed.toml.

The marker `@pytest.mark.sessionary(now="2026-03-01T12:00:00Z")` freezes its clock.
"""

from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def sessionary_settings():
    """The settings of the double: see `sessionary double --help`."""
    return {"seed": str(Path(__file__).with_name("seed.toml"))}
'''


@click.command(epilog="Example: sessionary init tests")
@click.argument("folder", type=click.Path(path_type=Path), default=".")
@click.option("--force", is_flag=True, help="Replace files that exist.")
@json_option
@clean_errors
def init(folder: Path, force: bool, as_json: bool) -> None:
    """Write a seed file and a conftest.py to start tests from.

    FOLDER is the current one by default. seed.toml shows every table that a seed may have.
    """
    seed = files("sessionary.seeds").joinpath("example.toml").read_text(encoding="utf-8")
    written = {folder / "seed.toml": seed, folder / "conftest.py": _CONFTEST}
    for file in written:
        if file.exists() and not force:
            raise click.ClickException(
                f"{file} exists already: name another folder, or use --force"
            )
    folder.mkdir(parents=True, exist_ok=True)
    for file, text in written.items():
        file.write_text(text, encoding="utf-8")
    lines = [
        *(f"Wrote {file}" for file in written),
        "Next: write a test with the argument sessionary",
    ]
    print_output(Output({"files": list(written)}, "\n".join(lines)), as_json)
