"""sessionary clock."""

from typing import Any

import click

from sessionary import clock as clocks
from sessionary.cli.world import db_option, json_option, opened, show, told
from sessionary.wire.durations import BadDuration, parse_duration
from sessionary.wire.instants import BadInstant, parse, to_text


@click.group()
def clock() -> None:
    """Show and move the clock by which every state is judged."""


def _tell(as_json: bool = False) -> None:
    state = clocks.state()
    row: dict[str, Any] = {
        "mode": state.mode,
        "now": to_text(state.at(clocks.wall())),
        "rate": state.rate,
    }
    show([row], as_json=as_json, empty="")


@clock.command("show")
@db_option
@json_option
@told
def show_clock(db: str, as_json: bool) -> None:
    """Show the clock's mode, time and rate."""
    with opened(db):
        _tell(as_json)


@clock.command()
@db_option
@told
def real(db: str) -> None:
    """Follow the wall clock again."""
    with opened(db):
        clocks.put("real")
        _tell()


@clock.command()
@click.argument("at", required=False)
@db_option
@told
def freeze(at: str | None, db: str) -> None:
    """Stop the clock: at AT, or where it is.

    \b
    Example:
      sessionary clock freeze 2026-03-01T12:00:00Z
    """
    try:
        instant = None if at is None else parse(at) // 1000
    except BadInstant as error:
        raise click.ClickException(f"AT {error}") from error
    with opened(db):
        clocks.put("frozen", instant)
        _tell()


@clock.command()
@click.argument("rate", type=float)
@db_option
@told
def scale(rate: float, db: str) -> None:
    """Run RATE times as fast as the wall clock, from where it is.

    \b
    Example:
      sessionary clock scale 40
    """
    with opened(db):
        clocks.put("scaled", rate=rate)
        _tell()


@clock.command(context_settings={"ignore_unknown_options": True})
@click.argument("duration")
@db_option
@told
def advance(duration: str, db: str) -> None:
    """Move the clock by DURATION, such as 90s, 5m, 25h or -2d; a real clock becomes offset.

    \b
    Example:
      sessionary clock advance 25h
    """
    try:
        by = parse_duration(duration.removeprefix("-"))
    except BadDuration as error:
        raise click.ClickException(f"DURATION {error}") from error
    with opened(db):
        clocks.advance(-by if duration.startswith("-") else by)
        _tell()
