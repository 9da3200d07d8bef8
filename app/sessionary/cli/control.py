"""What the commands over the control plane share: where it is, which namespace, how a mishap is
told.

A flag beats a variable, and the address of a server beats a database file.
"""

import functools
import os
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from sessionary.client import Client, ControlError

DEFAULT_URL = "http://127.0.0.1:8000"
_URL = re.compile(r"https?://[^\s'\"\\$`#]+")
_NAME = re.compile(r"[a-z0-9_]{1,40}")


def _check_url(_: click.Context, __: click.Parameter, url: str | None) -> str | None:
    if url is not None and not _URL.fullmatch(url):
        raise click.BadParameter(f"an address looks like {DEFAULT_URL}, not {url!r}")
    return url


def _check_name(_: click.Context, __: click.Parameter, name: str) -> str:
    if not _NAME.fullmatch(name):
        raise click.BadParameter(f"a namespace's name is 1 to 40 of a-z, 0-9 and _, not {name!r}")
    return name


url_option = click.option(
    "--url",
    callback=_check_url,
    help=f"Where the control plane is.  [env: SESSIONARY_URL; default: {DEFAULT_URL}]",
)
namespace_option = click.option(
    "--ns",
    callback=_check_name,
    default=lambda: os.environ.get("SESSIONARY_NAMESPACE") or "default",
    help="The namespace.  [env: SESSIONARY_NAMESPACE; default: default]",
)
db_option = click.option(
    "--db", help="A database file to work on, instead of a running server.  [env: SESSIONARY_DB]"
)


class DefaultCommandGroup(click.Group):
    """A group whose command `default` is meant where none is named."""

    def __init__(self, *args: Any, default: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.default = default

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Name it, unless a command is named or help is wanted."""
        is_named = bool(args) and (not args[0].startswith("-") or args[0] in ctx.help_option_names)
        is_completed = ctx.resilient_parsing
        return super().parse_args(ctx, args if is_named or is_completed else [self.default, *args])


def control_url(url: str | None) -> str:
    """Where the control plane is: as the flag says, else the variable, else the usual place."""
    return url or os.environ.get("SESSIONARY_URL") or DEFAULT_URL


def control_command(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command its `client`, and the options that say of which namespace.

    What is refused or does not answer is told in one sentence.
    """

    @db_option
    @namespace_option
    @url_option
    @functools.wraps(command)
    def call(*args: Any, url: str | None, ns: str, db: str | None, **given: Any) -> None:
        from sessionary.client import ControlError

        try:
            with _client(url, ns, db) as client:
                command(*args, client=client, **given)
        except ControlError as problem:
            raise click.ClickException(_refusal(problem)) from problem
        except BrokenPipeError:
            raise  # who reads has read enough: click leaves without a word
        except ConnectionError as error:
            said = f"{error}: start one with `sessionary double`, or say with --url where it is"
            raise click.ClickException(said) from error
        except (OSError, ValueError) as error:
            raise click.ClickException(str(error)) from error

    return call


@contextmanager
def _client(url: str | None, ns: str, db: str | None) -> "Iterator[Client]":
    if url is not None and db is not None:
        raise click.UsageError("give --url or --db, not both")
    file = None if url or os.environ.get("SESSIONARY_URL") else _file()
    file = file if db is None else db
    if file is not None:
        from sessionary.cli.database import control_client, error_context

        with error_context(file), control_client(file, ns) as client:
            yield client
        return
    from sessionary.client import Client

    yield Client(control_url(url), ns, os.environ.get("SESSIONARY_CONTROL_TOKEN") or None)


def _file() -> str | None:
    return os.environ.get("SESSIONARY_DB") or None


def _refusal(problem: "ControlError") -> str:
    """What is wrong, by the names of what was given rather than by the call that was made."""
    if problem.status == 401:
        return "the control plane wants its token: set SESSIONARY_CONTROL_TOKEN"
    places = [f"{each['pointer'].strip('/')} {each['detail']}" for each in problem.errors]
    return "; ".join(places) or problem.detail
