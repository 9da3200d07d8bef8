"""`sessionary env`."""

import shlex

import click

from sessionary.cli.control import namespace_option, url_option
from sessionary.sdk_env import Environment, instant_text

_FORMATS = {
    "sh": "export {name}={quoted}",
    "fish": "set -gx {name} '{escaped}'",
    "dotenv": "{name}={value}",
}


def _instant(_: click.Context, __: click.Parameter, text: str | None) -> str | None:
    try:
        return text and instant_text(text)
    except ValueError as error:
        raise click.BadParameter(str(error)) from None


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
    callback=_instant,
    help="Let the SDKs read as of an instant, or from now such as +15m; a double refuses writes.",
)
def env(ns: str, shell: str, url: str, at: str | None) -> None:
    """Print the variables that point each vendor's SDK, and this command, at a double."""
    for name, value in Environment(url, ns, at=at).variables().items():
        quoted, escaped = shlex.quote(value), value.replace("\\", r"\\").replace("'", r"\'")
        click.echo(_FORMATS[shell].format(name=name, value=value, quoted=quoted, escaped=escaped))
