"""sessionary prune."""

from collections.abc import Iterable
from typing import Any

import click

from sessionary import clock, store
from sessionary.cli.database import (
    clean_errors,
    database_option,
    open_existing,
    open_without_upgrade,
)
from sessionary.cli.output import json_option, print_rows
from sessionary.durations import BadDuration, parse_duration
from sessionary.surfaces import SURFACES
from sessionary.web.instants import to_text
from sessionary.web.surface import Retention

_MANY = 10_000
_LAST = 2**63 - 1
_RETENTIONS = {each.name: each.retention for each in SURFACES if each.retention is not None}


@click.command()
@click.option("--ended-before", required=True, help="How long ago, such as 90d or 36h.")
@click.option(
    "--surface",
    "surfaces",
    multiple=True,
    type=click.Choice(list(_RETENTIONS)),
    help="Of this API only; may be given more than once.",
)
@click.option("--dry-run", is_flag=True, help="Count them, and remove nothing.")
@database_option
@json_option
@clean_errors
def prune(
    ended_before: str, surfaces: tuple[str, ...], dry_run: bool, db: str, as_json: bool
) -> None:
    """Remove the sessions that ended, by a call or by time, more than so long ago.

    Judged by the clock of the database, as a reader would be told. Scale's archived sessions count
    as ended. It may be served meanwhile: others never wait long. Nothing else removes them, but a
    server that is told to by its `--prune-ended-days`.

    \b
    Example:
      sessionary prune --ended-before 90d --dry-run
    """
    try:
        ago = parse_duration(ended_before)
    except BadDuration as error:
        raise click.ClickException(f"--ended-before {error}") from error
    with open_without_upgrade(db) if dry_run else open_existing(db):
        before_at = clock.now() - ago
        rows: list[dict[str, Any]] = [
            {
                "surface": name,
                "ended_before": to_text(before_at),
                "sessions": sum(_counts(_RETENTIONS[name], before_at, dry_run)),
                "removed": not dry_run,
            }
            for name in dict.fromkeys(surfaces or _RETENTIONS)
        ]
    print_rows(rows, as_json=as_json, empty="")


def _counts(retention: Retention, before_at: int, dry_run: bool) -> Iterable[int]:
    def find(after: int, limit: int) -> list[int]:
        return retention.ended.all(before_at=before_at, after=after, until=_LAST, limit=limit)

    if not dry_run:
        yield from store.run_in_batches(find, lambda keys: retention.remove(keys, before_at))
        return
    last = 0
    while keys := find(last, _MANY):
        yield len(keys)
        last = keys[-1]
