"""`sessionary seed`."""

from pathlib import Path

import click

from sessionary import store
from sessionary.cli.database import database_command, open_or_create
from sessionary.cli.output import Output
from sessionary.cli.progress import progress_bar, progress_option


@click.command(epilog="Example: sessionary seed fixtures.toml --db sessions.sqlite3")
@click.argument("file", type=click.Path(path_type=Path))
@progress_option
@database_command
def seed(file: Path, progress: bool | None, db: str) -> Output:
    """Apply the seed FILE to the database, all or nothing.

    Doing it again changes nothing.
    """
    from sessionary.seeds.loader import load, read
    from sessionary.surfaces import SURFACES

    store.ensure_can_write(Path(db))
    with progress_bar("loading", progress) as show:
        loaded = load(read(file), SURFACES, show)
    with open_or_create(db):
        count = loaded.apply(store.current_namespace())
    value = {"db": db, "file": file, "rows": count}
    return Output(value, f"Applied {count} rows of {file} to {db}")
