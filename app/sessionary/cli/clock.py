"""`sessionary clock`."""

from collections.abc import Mapping
from typing import Any

import click

from sessionary.cli.control import DefaultCommandGroup, control_command
from sessionary.cli.output import Output
from sessionary.cli.tables import format_table
from sessionary.cli.values import INSTANT, SIGNED_DURATION, Number, SignedCommand
from sessionary.client import Client

_RATE = Number(0, 1_000_000, min_open=True)


@click.group(cls=DefaultCommandGroup, default="show", epilog="Example: sessionary clock advance 2h")
def clock() -> None:
    """Show, freeze, move or scale the clock of a namespace.

    Timeouts and statuses follow it.
    """


def _output(state: Mapping[str, Any]) -> Output:
    return Output(state, format_table([state]))


@clock.command("show", epilog="Example: sessionary clock show --json")
@control_command
def show_clock(client: Client) -> Output:
    """Show the clock's mode, time and rate, and the wall clock."""
    return _output(client.clock.get())


@clock.command(epilog="Example: sessionary clock real")
@control_command
def real(client: Client) -> Output:
    """Follow the wall clock again."""
    return _output(client.clock.real())


@clock.command(cls=SignedCommand, epilog="Example: sessionary clock freeze 2026-03-01T12:00:00Z")
@click.argument("now", metavar="[AT]", required=False, type=INSTANT)
@control_command
def freeze(now: str | None, client: Client) -> Output:
    """Stop the clock at AT (default: at its current time)."""
    return _output(client.clock.freeze(now))


@clock.command("set", cls=SignedCommand, epilog="Example: sessionary clock set +1d")
@click.argument("now", metavar="AT", type=INSTANT)
@control_command
def set_clock(now: str, client: Client) -> Output:
    """Set the clock to AT and keep it running.

    A real clock becomes an offset clock.
    """
    return _output(client.clock.set(now))


@clock.command(cls=SignedCommand, epilog="Example: sessionary clock scale 40")
@click.argument("rate", type=_RATE)
@control_command
def scale(rate: float, client: Client) -> Output:
    """Run the clock RATE times as fast as the wall clock."""
    return _output(client.clock.scale(rate))


@clock.command(cls=SignedCommand, epilog="Example: sessionary clock advance -1h")
@click.argument("by", metavar="[DURATION]", required=False, type=SIGNED_DURATION)
@click.option("--to-next", is_flag=True, help="Move to the next transition of any session.")
@click.option(
    "--until",
    nargs=2,
    metavar="SESSION STATUS",
    help="Move to the transition that gives a session this status.",
)
@control_command
def advance(by: str | None, to_next: bool, until: tuple[str, str] | None, client: Client) -> Output:
    """Move the clock by DURATION: 90s, 25h or -5m.

    A real clock becomes an offset clock.
    """
    if (by is not None) + to_next + (until is not None) != 1:
        raise click.UsageError("give one of DURATION, --to-next and --until")
    if by is not None:
        return _output(client.clock.advance(by))
    if until is not None:
        return _output(client.clock.advance_until(*until))
    return _output(client.clock.advance_to_next())
