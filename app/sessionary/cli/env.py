"""sessionary env."""

import shlex

import click

from sessionary.cli.control import control_url, namespace_option, url_option
from sessionary.sdk_env import Environment


@click.command()
@namespace_option
@click.option(
    "--shell",
    type=click.Choice(("sh", "fish", "dotenv")),
    default="sh",
    show_default=True,
    help="Whose syntax; dotenv is for files of NAME=value lines.",
)
@url_option
def env(ns: str, shell: str, url: str | None) -> None:
    """Print variables that lead SDKs to a double.

    They are those of each vendor's own client, and those of the commands that ask a double.

    \b
    Example:
      eval "$(sessionary env --ns t42)"
      sessionary env --shell fish | source
      sessionary env --shell dotenv > .env
    """
    for name, value in Environment(control_url(url), ns).variables().items():
        click.echo(_LINES[shell](name, value))


def _sh(name: str, value: str) -> str:
    return f"export {name}={shlex.quote(value)}"


def _fish(name: str, value: str) -> str:
    return f"set -gx {name} '{value}'"  # no value has a quote or a backslash


def _dotenv(name: str, value: str) -> str:
    return f"{name}={value}"


_LINES = {"sh": _sh, "fish": _fish, "dotenv": _dotenv}
