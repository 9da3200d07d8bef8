"""`sessionary seed`."""

from pathlib import Path

import click

from sessionary.cli.database import database_command, open_or_create
from sessionary.cli.output import Output


@click.command(epilog="Example: sessionary seed fixtures.toml --db sessions.sqlite3")
@click.argument("file", type=click.Path(path_type=Path))
@database_command
def seed(file: Path, db: str) -> Output:
    """Apply the seed FILE to the database, all or nothing; doing it again changes nothing."""
    from sessionary.seeds.loader import apply, read
    from sessionary.surfaces import SURFACES

    document = read(file)
    with open_or_create(db):
        count = apply(document, SURFACES)
    value = {"db": db, "file": file, "rows": count}
    return Output(value, f"Applied {count} rows of {file} to {db}")
