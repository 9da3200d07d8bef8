"""How the commands print what they found: tables for people, JSON for programs."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

import click

json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON.")


def print_rows(rows: Sequence[Mapping[str, Any]], *, as_json: bool, empty: str) -> None:
    """Print rows as a table for people, or as JSON."""
    if as_json:
        print_json(rows)
    elif rows:
        click.echo(format_table(rows))
    else:
        click.echo(empty)


def print_result(said: str, as_json: bool, **facts: Any) -> None:
    """Print what was done as a sentence, or as JSON."""
    if as_json:
        print_json(facts)
    else:
        click.echo(said)


def print_json(value: Any) -> None:
    """Print a value as JSON."""
    click.echo(json.dumps(value, indent=2))


def format_table(rows: Sequence[Mapping[str, Any]]) -> str:
    """Rows under their names, in columns; what is not there is a dash."""
    lines = [list(rows[0]), *([_cell(value) for value in row.values()] for row in rows)]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    padded = (
        "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True))
        for line in lines
    )
    return "\n".join(line.rstrip() for line in padded)


def _cell(value: Any) -> str:
    return "-" if value is None else str(value)
