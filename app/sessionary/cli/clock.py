"""sessionary clock."""

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import click

from sessionary.cli.control import DefaultCommandGroup, control_command
from sessionary.cli.output import json_option, print_json, print_rows

if TYPE_CHECKING:
    from sessionary.client import Client


@click.group(cls=DefaultCommandGroup, default="show")
def clock() -> None:
    """Show and move the clock.

    Every state is judged by it. It is that of a running double or server (--url, else
    SESSIONARY_URL), or of a database file, served or not (--db, else SESSIONARY_DB). A flag beats
    a variable, and of the two variables SESSIONARY_URL counts. With none of them it is that of
    what listens on port 8000.
    """


def _tell(state: Mapping[str, Any], as_json: bool) -> None:
    if as_json:
        print_json(state)
    else:
        print_rows([state], as_json=False, empty="")


@clock.command("show")
@json_option
@control_command
def show_clock(client: "Client", as_json: bool) -> None:
    """Show the clock's mode, what it shows, what the wall shows, and its rate."""
    _tell(client.clock.get(), as_json)


@clock.command()
@json_option
@control_command
def real(client: "Client", as_json: bool) -> None:
    """Follow the wall clock again."""
    _tell(client.clock.real(), as_json)


@clock.command()
@click.argument("at", required=False)
@json_option
@control_command
def freeze(at: str | None, client: "Client", as_json: bool) -> None:
    """Stop the clock: at AT, or where it is.

    \b
    Example:
      sessionary clock freeze 2026-03-01T12:00:00Z
    """
    _tell(client.clock.freeze(at), as_json)


@clock.command("set")
@click.argument("at")
@json_option
@control_command
def set_clock(at: str, client: "Client", as_json: bool) -> None:
    """Show AT and go on as before; a real clock becomes offset.

    \b
    Example:
      sessionary clock set 2026-03-01T12:00:00Z
    """
    _tell(client.clock.set(at), as_json)


@clock.command(context_settings={"ignore_unknown_options": True})
@click.argument("rate", type=float)
@json_option
@control_command
def scale(rate: float, client: "Client", as_json: bool) -> None:
    """Run RATE times as fast as the wall clock, from where it is.

    \b
    Example:
      sessionary clock scale 40
    """
    if not math.isfinite(rate):
        raise click.BadParameter(f"must be a number above 0, not {rate}", param_hint="RATE")
    _tell(client.clock.scale(rate), as_json)


@clock.command(context_settings={"ignore_unknown_options": True})
@click.argument("duration", required=False)
@click.option("--to-next", is_flag=True, help="To the next thing that happens by itself.")
@click.option(
    "--until", nargs=2, metavar="SESSION STATUS", help="To when time gives a session a status."
)
@json_option
@control_command
def advance(
    duration: str | None,
    to_next: bool,
    until: tuple[str, str] | None,
    client: "Client",
    as_json: bool,
) -> None:
    """Move the clock by DURATION, such as 90s, 5m, 25h or -2d; a real clock becomes offset.

    \b
    Example:
      sessionary clock advance 25h
      sessionary clock advance --to-next
    """
    if (duration is not None) + to_next + (until is not None) != 1:
        raise click.UsageError("give one of DURATION, --to-next and --until")
    if duration is not None:
        state = client.clock.advance(duration)
    elif until is not None:
        state = client.clock.advance_until(*until)
    else:
        state = client.clock.advance_to_next()
    _tell(state, as_json)
