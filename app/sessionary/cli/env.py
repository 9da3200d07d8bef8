"""`sessionary env`."""

import shlex

import click

from sessionary.cli.control import namespace_option, url_option
from sessionary.sdk_env import Environment

_FORMATS = {
    "sh": "export {name}={quoted}",
    "fish": "set -gx {name} '{value}'",  # no value contains a quote or a backslash
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
def env(ns: str, shell: str, url: str) -> None:
    """Print the variables that point each vendor's SDK, and this command, at a double."""
    for name, value in Environment(url, ns).variables().items():
        click.echo(_FORMATS[shell].format(name=name, value=value, quoted=shlex.quote(value)))
