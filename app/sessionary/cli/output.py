"""Output of the commands: text, or JSON with `--json`."""

import json
from typing import Any, NamedTuple

import click

json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON.")


class Output(NamedTuple):
    """What a command prints, as a value for JSON and as text, and its exit code."""

    value: Any
    text: str
    exit_code: int = 0


NOTHING = Output(None, "")  # of a command whose standard output is a file


def print_output(output: Output, as_json: bool) -> None:
    """Print the output of a command; exit if its exit code is not 0."""
    if output is NOTHING:
        return
    click.echo(json.dumps(output.value, indent=2, default=str) if as_json else output.text)
    if output.exit_code:
        raise click.exceptions.Exit(output.exit_code)


def error_text(error: Exception) -> str:
    """Return an error as a sentence, also one of the operating system."""
    if isinstance(error, OSError) and error.filename and type(error).__str__ is OSError.__str__:
        return f"{error.filename} cannot be used: {error.strerror}"
    return str(error)
