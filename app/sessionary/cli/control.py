"""What the commands on the control plane share: options, client and error messages.

A flag takes precedence over an environment variable, and a URL over a database file.
"""

import functools
import os
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import click
from click.core import ParameterSource

from sessionary.cli.output import Output, error_text, json_option, print_output
from sessionary.cli.values import INSTANT, check_url, is_relative
from sessionary.near_names import did_you_mean
from sessionary.surfaces import SDKS

if TYPE_CHECKING:
    from sessionary.client import Client, ControlError

_JSON_FORM = ', or {"minutes": 5}'  # of a duration
TOKEN = "SESSIONARY_CONTROL_TOKEN"  # noqa: S105 - the variable's name
DEFAULT_URL = "http://127.0.0.1:8000"
SURFACE = click.Choice([sdk.surface for sdk in SDKS])


def _check(pattern: str, description: str) -> Callable[[click.Context, click.Parameter, str], str]:
    """Return an option's callback that refuses text which does not match."""

    def check(_: click.Context, __: click.Parameter, text: str) -> str:
        if not re.fullmatch(pattern, text):
            raise click.BadParameter(f"{text!r} is not {description}")
        return text

    return check


_check_pattern = _check(
    r"https?://(?!.*/~)[^\s'\"\\$`#]+",
    f"a URL such as {DEFAULT_URL}; --ns names a namespace",
)


def _check_url(context: click.Context, parameter: click.Parameter, url: str) -> str:
    check_url(_check_pattern(context, parameter, url))
    return url


_option = functools.partial(click.option, show_envvar=True, show_default=True)
url_option = _option(
    "--url",
    callback=_check_url,
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
database_option = _option(
    "--db", envvar="SESSIONARY_DB", help="Use a database file instead of a running server."
)


class DefaultCommandGroup(click.Group):
    """A group that runs its command `default` when no command is named."""

    def __init__(self, *args: Any, default: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.default = default

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        has_command = bool(args) and not args[0].startswith("-")
        if has_command and args[0] not in self.commands and not ctx.resilient_parsing:
            ctx.fail(f"no command {args[0]!r}{did_you_mean(args[0], self.commands)}")
        is_help = bool(args) and args[0] in ctx.help_option_names
        if not (has_command or is_help or ctx.resilient_parsing):
            args = [self.default, *args]
        return super().parse_args(ctx, args)


def control_command(command: Callable[..., Output]) -> Callable[..., None]:
    """Pass a command a `client` of the control plane, print its output, and add the options."""

    @database_option
    @namespace_option
    @url_option
    @json_option
    @functools.wraps(command)
    def call(url: str, ns: str, db: str | None, as_json: bool, **options: Any) -> None:
        with control_errors(), open_client(url, ns, db) as client:
            print_output(command(client=client, **_absolute(client, options)), as_json)

    return call


@contextmanager
def control_errors() -> "Iterator[None]":
    """Turn expected errors into a ClickException."""
    from sessionary.client import ControlError

    try:
        yield
    except ControlError as error:
        raise click.ClickException(_message(error)) from error
    except BrokenPipeError:
        raise  # the reader of a pipe has left: click exits without a message
    except ConnectionError as error:
        hint = "start one with `sessionary double`, or name another with --url"
        raise click.ClickException(f"{error}: {hint}") from error
    except (OSError, ValueError) as error:
        raise click.ClickException(error_text(error)) from error


def _absolute(client: "Client", options: dict[str, Any]) -> dict[str, Any]:
    """Return the options with relative instants made absolute, by the clock of the namespace.

    `--at` stays as it is: the server reads it by the same clock.
    """
    from datetime import timedelta

    from sessionary.client.times import to_text
    from sessionary.durations import parse_signed_duration

    parameters = click.get_current_context().command.params
    found = {
        name: value
        for name in (each.name for each in parameters if each.type is INSTANT)
        if name and name != "at" and is_relative(value := options.get(name) or "")
    }
    if not found:
        return options
    now = client.clock.now()
    return options | {
        name: to_text(now + timedelta(microseconds=parse_signed_duration(value)))
        for name, value in found.items()
    }


def is_file_used() -> bool:
    """Return whether a database file that is named is used rather than the URL."""
    source = click.get_current_context().get_parameter_source
    is_db_flag = source("db") == ParameterSource.COMMANDLINE
    if is_db_flag and source("url") == ParameterSource.COMMANDLINE:
        raise click.UsageError("give --url or --db, not both")
    return is_db_flag or source("url") == ParameterSource.DEFAULT


@contextmanager
def open_client(url: str, ns: str, db: str | None) -> "Iterator[Client]":
    if db is not None and is_file_used():
        from sessionary.cli.database import control_client, error_context

        with error_context(db), control_client(db, ns) as client:
            yield client
        return
    from sessionary.client import Client

    yield Client(url, ns, os.environ.get(TOKEN) or None)


def _message(error: "ControlError") -> str:
    """Say what is wrong in the names of the command line."""
    if error.status == 401:
        if os.environ.get(TOKEN):
            return f"{TOKEN} is not the control plane's token: set it to that of the server"
        return f"the control plane needs its token: set {TOKEN}"
    namespace = click.get_current_context().params.get("ns")
    if error.detail == f"there is no namespace {namespace!r}":
        return f"{error.detail}: its first vendor call or `sessionary namespaces create` makes it"
    places = [
        f"{_flag(each['pointer'].strip('/'))} {each['detail'].removesuffix(_JSON_FORM)}"
        for each in error.errors
    ]
    if places:
        return "; ".join(places)
    name, colon, rest = error.detail.partition(": ")
    return f"{_flag(name)}: {_with_flags(rest)}" if colon else error.detail


def _with_flags(text: str) -> str:
    """Return a sentence with flags for the fields of the control plane that it quotes."""
    return re.sub("`([a-z_]+)`", lambda found: _flag(found[1]), text)


def _flag(name: str) -> str:
    """Return the option or argument for a field of the control plane, or the field's name."""
    wanted = name.removeprefix("Sessionary-").lower()  # the header of --at
    for each in click.get_current_context().command.params:
        if each.name and each.name.rstrip("_") == wanted:
            is_option = isinstance(each, click.Option)
            return each.opts[0] if is_option else each.human_readable_name.strip("[]")
    return name
