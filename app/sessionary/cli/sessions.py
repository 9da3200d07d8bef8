"""`sessionary sessions`, `timeline`, `explain` and `diff`."""

from collections.abc import Iterable, Mapping
from typing import Any

import click

from sessionary.cli.control import SURFACE, control_command
from sessionary.cli.output import Output
from sessionary.cli.tables import format_table
from sessionary.cli.values import INSTANT
from sessionary.client import Client

_COLUMNS = ("at", "surface", "session", "part", "from_status", "to_status")

at_option = click.option("--at", type=INSTANT, help="Answer as of this instant (default: now).")


@click.command(epilog="Example: sessionary sessions --surface notte --at +10m")
@click.option("--surface", type=SURFACE, help="Only sessions of this surface.")
@at_option
@control_command
def sessions(surface: str | None, at: str | None, client: Client) -> Output:
    """List sessions with their status and next transition."""
    found = client.sessions(surface, at=at)
    rows = [{**each, "next_transition": _next(each["next_transition"])} for each in found]
    table = format_table(
        rows, "No sessions found", now=client.clock.now, colours={"status": status_colour}
    )
    return Output(found, table)


def status_colour(session: Mapping[str, Any]) -> str:
    """Return the colour of a status: of a session that is open, or that has ended."""
    return "green" if session["open"] else "bright_black"


def _next(transition: Mapping[str, Any] | None) -> str | None:
    return None if transition is None else f"{transition['to_status']} at {transition['at']}"


@click.command(epilog="Example: sessionary timeline --to +1d")
@click.option("--from", "from_", type=INSTANT, help="Transitions after it (default: now).")
@click.option("--to", type=INSTANT, help="Transitions up to this instant (default: no end).")
@click.option(
    "--limit",
    type=click.IntRange(1, 1000),
    default=100,
    show_default=True,
    help="Maximum number of transitions.",
)
@at_option
@control_command
def timeline(client: Client, from_: str | None, to: str | None, **options: Any) -> Output:
    """List coming transitions: when sessions change by themselves."""
    found = client.timeline(from_, to, **options)
    rows = [_select(each, "rule") for each in found["transitions"]]
    table = format_table(rows, "No transitions found", now=client.clock.now)
    return Output(found, table + _hint(found["truncated"]))


@click.command(epilog="Example: sessionary explain 0b8f7a52 --at +1d")
@click.argument("session")
@click.option("--surface", type=SURFACE, help="Surface of the session (default: search all).")
@at_option
@control_command
def explain(session: str, surface: str | None, at: str | None, client: Client) -> Output:
    """Explain the status of SESSION: rule, reason, inputs, next."""
    found = client.explain(session, surface, at)
    return Output(found, "\n".join(_explanation(found)))


def _explanation(found: Mapping[str, Any]) -> Iterable[str]:
    yield f"{found['surface']} {found['id']}, as of {found['at']}"
    yield f"status     {found['status']} since {found['since']}"
    yield f"rule       {found['rule']}"
    yield f"reason     {found['reason']}"
    if found["unless"]:
        yield f"unless     {found['unless']}"
    yield f"source     {found['source'].removeprefix('Source: ')}"
    for each in found["next_transitions"]:
        part = f" ({each['part']})" if each["part"] else ""
        yield f"next       {each['to_status']}{part} at {each['at']}, by rule {each['rule']}"
    yield ""
    yield format_table([{"input": name, "value": value} for name, value in found["inputs"].items()])


@click.command(epilog="Example: sessionary diff --from -1h")
@click.option("--from", "from_", type=INSTANT, required=True, help="Changes after it.")
@click.option("--to", type=INSTANT, help="Changes up to this instant (default: now).")
@click.option(
    "--limit",
    type=click.IntRange(1, 10_000),
    default=1000,
    show_default=True,
    help="Maximum number of changes.",
)
@control_command
def diff(from_: str, to: str | None, limit: int, client: Client) -> Output:
    """List what changed between two instants, and why."""
    found = client.diff(from_, to, limit)
    changes = ({**each, "cause": each["call"] or each["rule"]} for each in found["changes"])
    rows = [_select(each, "cause") for each in changes]
    table = format_table(rows, "Nothing changed", now=client.clock.now)
    return Output(found, table + _hint(found["truncated"]))


def _select(row: Mapping[str, Any], last: str) -> dict[str, Any]:
    return {name: row[name] for name in (*_COLUMNS, last)}


def _hint(truncated: bool) -> str:
    more = "\nThere is more: raise --limit, or set --from to the last instant shown."
    return more if truncated else ""
