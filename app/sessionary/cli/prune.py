"""`sessionary prune`."""

from collections.abc import Iterable
from typing import Any

import click

from sessionary import clock, store
from sessionary.cli.database import (
    database_command,
    open_existing,
    open_read_only,
)
from sessionary.cli.output import Output
from sessionary.cli.progress import progress_bar, progress_option
from sessionary.cli.tables import format_table
from sessionary.cli.values import DURATION
from sessionary.durations import parse_duration
from sessionary.surfaces import SURFACES
from sessionary.web.instants import to_text
from sessionary.web.surface import Retention

_PAGE_ROWS = 10_000
_LAST_KEY = 2**63 - 1
_RETENTIONS = {each.name: each.retention for each in SURFACES if each.retention is not None}


@click.command(epilog="Example: sessionary prune --ended-before 90d --dry-run")
@click.option(
    "--ended-before",
    type=DURATION,
    required=True,
    help="Minimum time since a session ended, e.g. 90d or 36h.",
)
@click.option(
    "--surface",
    "surfaces",
    multiple=True,
    type=click.Choice(list(_RETENTIONS)),
    help="Only sessions of this surface; may be repeated (default: all).",
)
@click.option("--dry-run", is_flag=True, help="Count the sessions, but remove none.")
@progress_option
@database_command
def prune(
    ended_before: str, surfaces: tuple[str, ...], dry_run: bool, progress: bool | None, db: str
) -> Output:
    """Remove sessions that ended long ago.

    They ended by a call or by a timeout; archived sessions count as ended. The clock of the
    database decides. A server may use the database at the same time: sessions are removed in
    small batches. To remove them continuously, use `sessionary serve --prune-ended-days`.
    """
    with open_read_only(db) if dry_run else open_existing(db):
        before_at = clock.now() - parse_duration(ended_before)
        rows: list[dict[str, Any]] = []
        for name in dict.fromkeys(surfaces or _RETENTIONS):
            with progress_bar(f"pruning {name}", progress) as show:
                count = sum(_counts(_RETENTIONS[name], before_at, dry_run, show))
            facts = {"surface": name, "ended_before": to_text(before_at)}
            rows.append({**facts, "sessions": count, "removed": not dry_run})
    return Output(rows, format_table(rows))


def _counts(
    retention: Retention, before_at: int, dry_run: bool, progress: store.Progress
) -> Iterable[int]:
    """Yield the number of sessions in each batch, and remove them unless it is a dry run."""
    last_key = retention.last.one() or 1

    def find(after: int, limit: int) -> list[int]:
        progress(after, max(after, last_key))
        return retention.ended.all(before_at=before_at, after=after, until=_LAST_KEY, limit=limit)

    if not dry_run:
        yield from store.run_in_batches(find, lambda keys: retention.remove(keys, before_at))
        return
    last = 0
    while keys := find(last, _PAGE_ROWS):
        yield len(keys)
        last = keys[-1]
