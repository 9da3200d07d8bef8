"""What the commands on a database file share: option, opening, error messages."""

import functools
import secrets
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, closing, contextmanager, nullcontext
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar

import click
from click.core import ParameterSource

from sessionary import store
from sessionary.cli import ids
from sessionary.cli.output import Output, error_text, json_option, print_output
from sessionary.client import Client
from sessionary.client.transport import Response, Transport
from sessionary.client.wsgi_transport import wsgi_send
from sessionary.clock import BadClock, wall
from sessionary.factory import create_app, find_version, load_settings, open_to_read, prepare
from sessionary.identity import UnknownMember
from sessionary.seeds.loader import BadSeed
from sessionary.settings import BadSetting, Settings
from sessionary.store import BadExport, DatabaseUnavailable, DatabaseUnusable
from sessionary.web.instants import to_stamp

Command = TypeVar("Command", bound=Callable[..., Any])
Id = TypeVar("Id", str, str | None)

_ERRORS = (
    BadExport,
    BadSeed,
    DatabaseUnavailable,
    DatabaseUnusable,
    OSError,
    UnknownMember,
)

database_option = click.option(
    "--db",
    envvar="SESSIONARY_DB",
    show_envvar=True,
    default=Settings.db,
    show_default=True,
    help="The database file to use.",
)


class BadSettingGiven(click.ClickException):
    """A setting that cannot be used, in one sentence."""

    exit_code = 2  # as for wrong usage


def clean_errors(command: Command) -> Command:
    """Turn expected errors of a command into one sentence and exit code 1."""

    @functools.wraps(command)
    def call(*args: Any, **kwargs: Any) -> Any:
        with error_context(kwargs.get("db")):
            return command(*args, **kwargs)

    return call  # type: ignore[return-value]


def database_command(command: Callable[..., Output]) -> Callable[..., None]:
    """Give a command the options `--db` and `--json`, print its output, and clean its errors."""

    @database_option
    @json_option
    @clean_errors
    @functools.wraps(command)
    def call(as_json: bool, **options: Any) -> None:
        print_output(command(**options), as_json)

    return call


@contextmanager
def error_context(db: str | None) -> Iterator[None]:
    """Turn expected errors into a ClickException; those of SQLite name the file `db`."""
    try:
        with nullcontext() if db is None else store.with_file_name(db):
            yield
    except BrokenPipeError:
        raise  # the reader of a pipe has left: click exits without a message
    except (BadClock, BadSetting) as error:
        raise BadSettingGiven(_with_flag(str(error))) from error
    except _ERRORS as error:
        raise click.ClickException(error_text(error)) from error


def _with_flag(message: str) -> str:
    """Begin the message with the flag, if the setting that it begins with came from one."""
    name, _, rest = message.partition(" ")
    source = click.get_current_context().get_parameter_source(name)
    is_flag = source is ParameterSource.COMMANDLINE and rest.startswith(("must ", "is for "))
    return f"--{name.replace('_', '-')} {rest}" if is_flag else message


@contextmanager
def open_or_create(db: str) -> Iterator[None]:
    """Activate the database at `db`; create or upgrade it first if necessary."""
    with closing(prepare(_settings(db)).namespace) as namespace, namespace.activate():
        yield


@contextmanager
def open_existing(db: str) -> Iterator[None]:
    """Activate the database at `db`. Raises DatabaseUnusable if it is missing or not ours."""
    with closing(_open_existing(_settings(db))) as namespace, namespace.activate():
        yield


@contextmanager
def open_read_only(db: str) -> Iterator[None]:
    """Activate the database at `db`, which others may write. Raises DatabaseUnusable."""
    with closing(open_to_read(_settings(db))) as namespace, namespace.activate():
        yield


def full_id(kind: str, text: Id, model: type[Any]) -> Id:
    """Return the only id of a table that begins with the text; see ids.full_id."""
    return text and ids.full_id(kind, text, (id for (id,) in model.select(model.id).tuples()))


def timestamp() -> str:
    """Return the current time as text for file names."""
    return to_stamp(wall())


def kept_note(kept: Path | None) -> str:
    """Say where a replaced database was kept, as the end of a sentence."""
    return "" if kept is None else f"; the previous database is now {kept}"


@contextmanager
def control_client(db: str, namespace: str) -> Iterator[Client]:
    """Open a control-plane client for the existing database at `db`, without a server."""
    token = secrets.token_urlsafe()
    settings = replace(_settings(db), control=True, journal=True, control_token=token)
    find_version(settings)
    with ExitStack() as stack:

        @functools.cache
        def transport(is_read: bool) -> Transport:
            opened = (open_to_read if is_read else _open_existing)(settings)
            return wsgi_send(create_app(settings, stack.enter_context(closing(opened))))

        def send(
            method: str, path: str, headers: Mapping[str, str], body: bytes | None
        ) -> Response:
            return transport(method == "GET")(method, path, headers, body)

        yield Client("http://localhost", namespace, token, transport=send)


def _open_existing(settings: Settings) -> store.Namespace:
    find_version(settings)
    return prepare(settings).namespace


def _settings(db: str) -> Settings:
    """Load the settings without those that apply to the start of a server."""
    return replace(load_settings({"db": db}), seed=None, clock_rate=None, auth="lenient")
