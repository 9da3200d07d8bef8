"""`sessionary env`."""

import shlex

import click

from sessionary.cli.control import namespace_option, url_option
from sessionary.cli.output import Output, json_option, print_output
from sessionary.cli.values import INSTANT
from sessionary.sdk_env import Environment, instant_text

_FORMATS = {
    "sh": "export {name}={quoted}",
    "fish": "set -gx {name} '{escaped}'",
    "dotenv": "{name}={value}",
}


@click.command(epilog='Example: eval "$(sessionary env --ns t42)"')
@namespace_option
@click.option(
    "--shell",
    type=click.Choice(tuple(_FORMATS)),
    default="sh",
    show_default=True,
    help="Syntax of the output: for eval (sh), `| source` (fish) or a .env file (dotenv).",
)
@url_option
@click.option(
    "--at",
    type=INSTANT,
    help="Let the SDKs read as of this instant; a double refuses writes.",
)
@json_option
def env(ns: str, shell: str, url: str, at: str | None, as_json: bool) -> None:
    """Print the variables that point SDKs at a double.

    They point this command at it, too.
    """
    variables = Environment(url, ns, at=at and instant_text(at)).variables()
    lines = [_line(_FORMATS[shell], name, value) for name, value in variables.items()]
    print_output(Output(variables, "\n".join(lines)), as_json)


def _line(pattern: str, name: str, value: str) -> str:
    quoted, escaped = shlex.quote(value), value.replace("\\", r"\\").replace("'", r"\'")
    return pattern.format(name=name, value=value, quoted=quoted, escaped=escaped)
