"""Output of the commands: text, or JSON with `--json`."""

import json
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import click

json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON.")


class Output(NamedTuple):
    """What a command prints, as a value for JSON and as text, and its exit code."""

    value: Any
    text: str
    exit_code: int = 0


def print_output(output: Output, as_json: bool) -> None:
    """Print the output of a command; exit if its exit code is not 0."""
    click.echo(json.dumps(output.value, indent=2, default=str) if as_json else output.text)
    if output.exit_code:
        raise click.exceptions.Exit(output.exit_code)


def error_text(error: Exception) -> str:
    """Return an error as a sentence, also one of the operating system."""
    if isinstance(error, OSError) and error.filename and type(error).__str__ is OSError.__str__:
        return f"{error.filename} cannot be used: {error.strerror}"
    return str(error)


def format_table(rows: Sequence[Mapping[str, Any]], empty: str = "") -> str:
    """Format rows in aligned columns under their names. None is a dash, no rows are `empty`."""
    if not rows:
        return empty
    lines = [list(rows[0]), *([_cell(value) for value in row.values()] for row in rows)]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    padded = (
        "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True))
        for line in lines
    )
    return "\n".join(line.rstrip() for line in padded)


def _cell(value: Any) -> str:
    return "-" if value is None else str(value)
