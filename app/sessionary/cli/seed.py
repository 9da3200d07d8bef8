"""`sessionary seed`."""

from pathlib import Path

import click

from sessionary import store
from sessionary.cli.database import database_command, open_or_create, progress_bar
from sessionary.cli.output import Output


@click.command(epilog="Example: sessionary seed fixtures.toml --db sessions.sqlite3")
@click.argument("file", type=click.Path(path_type=Path))
@database_command
def seed(file: Path, db: str) -> Output:
    """Apply the seed FILE to the database, all or nothing; doing it again changes nothing."""
    from sessionary.seeds.loader import load, read
    from sessionary.surfaces import SURFACES

    store.ensure_can_write(Path(db))
    with progress_bar("loading") as progress:
        loaded = load(read(file), SURFACES, progress)
    with open_or_create(db):
        count = loaded.apply(store.current_namespace())
    value = {"db": db, "file": file, "rows": count}
    return Output(value, f"Applied {count} rows of {file} to {db}")
