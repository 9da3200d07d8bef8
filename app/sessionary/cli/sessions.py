"""sessionary sessions, timeline, explain and diff."""

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import click

from sessionary.cli.control import control_command
from sessionary.cli.output import format_table, json_option, print_json, print_rows

if TYPE_CHECKING:
    from sessionary.client import Client

_OF_A_CHANGE = ("at", "surface", "session", "part", "from_status", "to_status", "cause")
_OF_A_TRANSITION = ("at", "surface", "session", "part", "from_status", "to_status", "rule")

at_option = click.option(
    "--at", metavar="WHEN", help="As of an instant, or of +15m or -2h from now."
)


@click.command()
@click.option("--surface", help="Of one vendor only.")
@at_option
@json_option
@control_command
def sessions(surface: str | None, at: str | None, client: "Client", as_json: bool) -> None:
    """List sessions, whichever the vendor.

    With each one's status, since when it has that, and what comes next.

    \b
    Example:
      sessionary sessions --surface notte --at +10m
    """
    rows: Iterable[Mapping[str, Any]] = client.sessions(surface, at=at)
    if not as_json:
        rows = [{**each, "next": _next(each["next_transition"])} for each in rows]
    print_rows(list(rows), as_json=as_json, empty="There are no sessions.")


def _next(transition: Mapping[str, Any] | None) -> str | None:
    return None if transition is None else f"{transition['to_status']} at {transition['at']}"


@click.command()
@click.option("--from", "from_", metavar="INSTANT", help="What lies behind it; now unless given.")
@click.option("--to", metavar="INSTANT", help="What does not lie behind it.")
@click.option("--limit", type=click.IntRange(1, 1000), help="How much at most; 100 unless given.")
@at_option
@json_option
@control_command
def timeline(
    from_: str | None,
    to: str | None,
    limit: int | None,
    at: str | None,
    client: "Client",
    as_json: bool,
) -> None:
    """Show what happens by itself, and when.

    \b
    Example:
      sessionary timeline --to 2026-03-02T00:00:00Z
    """
    found = client.timeline(from_, to, limit, at=at)
    if as_json:
        print_json(found)
        return
    print_rows(
        _columns(_OF_A_TRANSITION, found["transitions"]),
        as_json=False,
        empty="Nothing is to happen.",
    )
    _tell_a_cut(found["truncated"])


@click.command()
@click.argument("session")
@click.option("--surface", help="Its vendor; each is asked unless given.")
@at_option
@json_option
@control_command
def explain(
    session: str, surface: str | None, at: str | None, client: "Client", as_json: bool
) -> None:
    """Say why SESSION is in its state.

    And what would have kept it from that, what comes next, and what all this rests on.

    \b
    Example:
      sessionary explain 0b8f7a52-6f0e-4f0a-9d5c-0f6f5b6c0b02 --at +1d
    """
    found = client.explain(session, surface, at)
    if as_json:
        print_json(found)
    else:
        click.echo("\n".join(_explanation(found)))


def _explanation(found: Mapping[str, Any]) -> Iterable[str]:
    yield f"{found['surface']} {found['id']}, as of {found['at']}"
    status = f"{found['status']} since {found['since']}"
    yield f"{status}, by the rule {found['rule']}: {found['reason']}"
    if found["unless"]:
        yield f"unless     {found['unless']}"
    yield f"rests on   {found['source']}"
    for each in found["next_transitions"]:
        part = f" ({each['part']})" if each["part"] else ""
        yield f"next       {each['to_status']}{part} at {each['at']}, by the rule {each['rule']}"
    yield ""
    yield format_table([{"fact": name, "value": value} for name, value in found["inputs"].items()])


@click.command()
@click.option("--from", "from_", metavar="INSTANT", required=True, help="What lies behind it.")
@click.option("--to", metavar="INSTANT", help="What does not lie behind it; now unless given.")
@click.option("--limit", type=click.IntRange(1, 10_000), help="How much; 1000 unless given.")
@json_option
@control_command
def diff(from_: str, to: str | None, limit: int | None, client: "Client", as_json: bool) -> None:
    """Show what changed between two instants.

    Of every session that did: by which call, or by which rule of time.

    \b
    Example:
      sessionary diff --from 2026-03-01T12:00:00Z
    """
    found = client.diff(from_, to, limit)
    if as_json:
        print_json(found)
        return
    rows = [{**each, "cause": each["call"] or each["rule"]} for each in found["changes"]]
    print_rows(_columns(_OF_A_CHANGE, rows), as_json=False, empty="Nothing changed.")
    _tell_a_cut(found["truncated"])


def _columns(names: Sequence[str], rows: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    return [{name: row[name] for name in names} for row in rows]


def _tell_a_cut(truncated: bool) -> None:
    if truncated:
        click.echo("There is more: give a larger --limit, or begin --from the last instant.")
