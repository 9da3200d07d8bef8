"""What the commands on a database share: the option that names it, and how a mishap is told."""

import functools
import secrets
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, nullcontext
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar

import click

from sessionary import store
from sessionary.client import Client, Response
from sessionary.clock import BadClock, wall
from sessionary.factory import create_app, prepare
from sessionary.seeds.loader import BadSeed
from sessionary.settings import BadSetting, Settings
from sessionary.store import BadExport, DatabaseUnavailable, DatabaseUnusable
from sessionary.surfaces.mobilenext.devices import BadDevice
from sessionary.web.instants import to_stamp

Command = TypeVar("Command", bound=Callable[..., Any])

_ERRORS = (
    BadClock,
    BadDevice,
    BadExport,
    BadSeed,
    BadSetting,
    DatabaseUnavailable,
    DatabaseUnusable,
    OSError,
)

database_option = click.option(
    "--db",
    envvar="SESSIONARY_DB",
    show_envvar=True,
    default=Settings.db,
    show_default=True,
    help="The database file.",
)


def clean_errors(command: Command) -> Command:
    """End a command with one sentence where something that may happen has happened."""

    @functools.wraps(command)
    def call(*args: Any, **kwargs: Any) -> Any:
        with error_context(kwargs.get("db")):
            return command(*args, **kwargs)

    return call  # type: ignore[return-value]


@contextmanager
def error_context(db: str | None) -> Iterator[None]:
    """End the command with one sentence where something happens to it or to the database."""
    try:
        with nullcontext() if db is None else store.with_file_name(db):
            yield
    except BrokenPipeError:
        raise  # who reads has read enough: click leaves without a word
    except _ERRORS as error:
        raise click.ClickException(str(error)) from error


@contextmanager
def open_or_create(db: str, seed: str | None = None) -> Iterator[None]:
    """Work on the database at `db`, made if it is not there yet."""
    namespace = prepare(replace(_settings(db), seed=seed)).namespace
    try:
        with namespace.activate():
            yield
    finally:
        namespace.close()


@contextmanager
def open_existing(db: str) -> Iterator[None]:
    """Work on the database at `db`. Raises DatabaseUnusable unless it is one of ours."""
    store.file_version(Path(db))
    with open_or_create(db):
        yield


@contextmanager
def open_without_upgrade(db: str) -> Iterator[None]:
    """Look at the database at `db`. Raises DatabaseUnusable where it would be upgraded for that."""
    found, known = store.file_version(Path(db)), store.schema_version()
    if found < known:
        raise DatabaseUnusable(
            f"{db} has schema version {found}, this program has {known}: "
            "run `sessionary migrate` first."
        )
    with open_or_create(db):
        yield


def timestamp() -> str:
    """The instant outside, as a part of a file's name."""
    return to_stamp(wall())


@contextmanager
def progress_bar(label: str) -> Iterator[store.Progress]:
    """Shows at a terminal how far long work is."""
    with click.progressbar(
        length=1, label=label, file=sys.stderr, hidden=not sys.stderr.isatty()
    ) as bar:

        def show(done: int, count: int) -> None:
            bar.length = count
            bar.update(done - bar.pos)

        yield show


@contextmanager
def control_client(db: str, namespace: str) -> Iterator[Client]:
    """The control plane of the database at `db`, answered within this process."""
    token = secrets.token_urlsafe()
    settings = replace(_settings(db), control=True, journal=True, control_token=token)
    default = prepare(settings).namespace
    from werkzeug.test import Client as Caller  # Flask's own wants what only tests need

    caller = Caller(create_app(settings, default))

    def send(method: str, path: str, headers: Mapping[str, str], body: bytes | None) -> Response:
        answer = caller.open(path, method=method, headers=dict(headers), data=body)
        return Response(answer.status_code, answer.data)

    try:
        yield Client("http://localhost", namespace, token, transport=send)
    finally:
        default.close()


def _settings(db: str) -> Settings:
    """The installation's, without what belongs to the start of a server."""
    return replace(Settings.load({"db": db}), seed=None, clock_rate=None, auth="lenient")
