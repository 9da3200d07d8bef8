"""sessionary seed."""

from pathlib import Path

import click

from sessionary.cli.database import clean_errors, database_option, open_or_create


@click.command()
@click.argument("file", type=click.Path(path_type=Path))
@database_option
@clean_errors
def seed(file: Path, db: str) -> None:
    """Bring the database up to a seed file: whole, or not at all.

    \b
    Example:
      sessionary seed fixtures.toml --db sessions.sqlite3
    """
    from sessionary.seeds.loader import apply, read
    from sessionary.surfaces import SURFACES

    document = read(file)
    with open_or_create(db):
        count = apply(document, SURFACES)
    click.echo(f"{count} rows of {file} are in {db}")
