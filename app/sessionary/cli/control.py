"""What the commands on the control plane share: options, client and error messages.

A flag takes precedence over an environment variable, and a URL over a database file.
"""

import functools
import math
import os
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import click
from click.core import ParameterSource

from sessionary.cli.output import Output, error_text, json_option, print_output
from sessionary.surfaces import SDKS

if TYPE_CHECKING:
    from sessionary.client import Client, ControlError

_JSON_FORM = ', or {"minutes": 5}'  # of a duration
_TOKEN = "SESSIONARY_CONTROL_TOKEN"  # noqa: S105 - the variable's name
DEFAULT_URL = "http://127.0.0.1:8000"
SURFACE = click.Choice([sdk.surface for sdk in SDKS])


def _check(pattern: str, description: str) -> Callable[[click.Context, click.Parameter, str], str]:
    """Return an option's callback that refuses text which does not match."""

    def check(_: click.Context, __: click.Parameter, text: str) -> str:
        if not re.fullmatch(pattern, text):
            raise click.BadParameter(f"{text!r} is not {description}")
        return text

    return check


def check_finite(_: click.Context, __: click.Parameter, value: float | None) -> float | None:
    """Refuse NaN and infinity, which JSON does not have."""
    if value is not None and not math.isfinite(value):
        raise click.BadParameter(f"must be a finite number, not {value}")
    return value


_option = functools.partial(click.option, show_envvar=True, show_default=True)
url_option = _option(
    "--url",
    callback=_check(
        r"https?://(?!.*/~)[^\s'\"\\$`#]+",
        f"a URL such as {DEFAULT_URL}; --ns names a namespace",
    ),
    envvar="SESSIONARY_URL",
    default=DEFAULT_URL,
    help="The server or double to use.",
)
namespace_option = _option(
    "--ns",
    callback=_check(r"[a-z0-9_]{1,40}", "1 to 40 characters of a-z, 0-9 and _"),
    envvar="SESSIONARY_NAMESPACE",
    default="default",
    help="The namespace to use.",
)
_database_option = _option(
    "--db", envvar="SESSIONARY_DB", help="Use a database file instead of a running server."
)


class DefaultCommandGroup(click.Group):
    """A group that runs its command `default` when no command is named."""

    def __init__(self, *args: Any, default: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.default = default

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        has_command = bool(args) and not args[0].startswith("-")
        is_help = bool(args) and args[0] in ctx.help_option_names
        if not (has_command or is_help or ctx.resilient_parsing):
            args = [self.default, *args]
        return super().parse_args(ctx, args)


def control_command(command: Callable[..., Output]) -> Callable[..., None]:
    """Pass a command a `client` of the control plane, print its output, and add the options."""

    @_database_option
    @namespace_option
    @url_option
    @json_option
    @functools.wraps(command)
    def call(url: str, ns: str, db: str | None, as_json: bool, **options: Any) -> None:
        from sessionary.client import ControlError

        try:
            with _open_client(url, ns, db) as client:
                print_output(command(client=client, **options), as_json)
        except ControlError as error:
            raise click.ClickException(_message(error)) from error
        except BrokenPipeError:
            raise  # the reader of a pipe has left: click exits without a message
        except ConnectionError as error:
            hint = "start one with `sessionary double`, or name another with --url"
            raise click.ClickException(f"{error}: {hint}") from error
        except (OSError, ValueError) as error:
            raise click.ClickException(error_text(error)) from error

    return call


@contextmanager
def _open_client(url: str, ns: str, db: str | None) -> "Iterator[Client]":
    source = click.get_current_context().get_parameter_source
    is_db_flag = source("db") == ParameterSource.COMMANDLINE
    if is_db_flag and source("url") == ParameterSource.COMMANDLINE:
        raise click.UsageError("give --url or --db, not both")
    if db is not None and (is_db_flag or source("url") == ParameterSource.DEFAULT):
        from sessionary.cli.database import control_client, error_context

        with error_context(db), control_client(db, ns) as client:
            yield client
        return
    from sessionary.client import Client

    yield Client(url, ns, os.environ.get(_TOKEN) or None)


def _message(error: "ControlError") -> str:
    """Say what is wrong in the names of the command line."""
    if error.status == 401:
        if os.environ.get(_TOKEN):
            return f"{_TOKEN} is not the control plane's token: set it to that of the server"
        return f"the control plane needs its token: set {_TOKEN}"
    places = [
        f"{_flag(each['pointer'].strip('/'))} {each['detail'].removesuffix(_JSON_FORM)}"
        for each in error.errors
    ]
    if places:
        return "; ".join(places)
    name, colon, rest = error.detail.partition(": ")
    return f"{_flag(name)}: {rest}" if colon else error.detail


def _flag(name: str) -> str:
    """Return the option or argument for a field of the control plane, or the field's name."""
    wanted = name.removeprefix("Sessionary-").lower()  # the header of --at
    for each in click.get_current_context().command.params:
        if each.name and each.name.rstrip("_") == wanted:
            is_option = isinstance(each, click.Option)
            return each.opts[0] if is_option else each.human_readable_name.strip("[]")
    return name
