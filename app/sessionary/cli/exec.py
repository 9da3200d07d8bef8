"""sessionary exec."""

import os
import signal
import subprocess
from collections.abc import Callable, Mapping
from typing import Any

import click

from sessionary.cli.control import namespace_option
from sessionary.cli.database import clean_errors
from sessionary.cli.settings_options import SERVER_SETTINGS, settings_options
from sessionary.settings import DOUBLE, Settings

_PLACE: dict[str, Any] = {"host": "127.0.0.1", "port": 0}
_OF_LISTENERS = ("host", "port", "ready_file", "log_format", "log_requests", "metrics")
_FORWARDED = (
    signal.SIGTERM,
    signal.SIGINT,
    signal.SIGHUP,
    signal.SIGQUIT,
    signal.SIGUSR1,
    signal.SIGUSR2,
)


class NoSuchCommand(click.ClickException):
    """As a shell would say it."""

    exit_code = 127


class CannotRun(click.ClickException):
    """The command is there, but cannot be executed."""

    exit_code = 126


@click.command("exec", context_settings={"allow_interspersed_args": False})
@click.argument("command", nargs=-1, required=True, type=click.UNPROCESSED)
@namespace_option
@settings_options(
    defaults=DOUBLE,
    without=(*SERVER_SETTINGS, *_OF_LISTENERS),
)
@clean_errors
def exec_(command: tuple[str, ...], ns: str, **flags: Any) -> None:
    """Run COMMAND beside a double of its own.

    The vendors' clients in COMMAND find the double by their variables. It listens on a free port,
    and ends when COMMAND does. Signals are passed on to COMMAND. Exits with COMMAND's code, with
    128 and the number of the signal that killed it, with 127 if there is no such command, and with
    126 if it cannot be run.

    \b
    Example:
      sessionary exec --seed fixtures.toml -- npm test
    """
    from sessionary import control
    from sessionary.embedded import EmbeddedServer
    from sessionary.factory import create_double
    from sessionary.sdk_env import Environment

    settings = Settings.load({**flags, **_PLACE}, defaults=DOUBLE)
    app = create_double(settings)
    # The server's threads take no signal: of two that come at once this one could miss the second.
    signal.pthread_sigmask(signal.SIG_BLOCK, _FORWARDED)
    try:
        with EmbeddedServer(app, threads=settings.threads) as server:
            variables = Environment(server.url, ns).variables()
            code = _run(command, {**os.environ, **variables})
    finally:
        control.close_namespaces(app)
    click.get_current_context().exit(code)


def _run(command: tuple[str, ...], environ: Mapping[str, str]) -> int:
    """Run a command to its end, with the signals that come meanwhile; gives its exit code."""
    early: list[int] = []
    _handle(early.append)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, _FORWARDED)
    try:
        child = subprocess.Popen(command, env=environ)  # noqa: S603 - it is what we are here for
    except FileNotFoundError:
        raise NoSuchCommand(f"there is no command {command[0]}") from None
    except OSError as error:
        raise CannotRun(f"cannot run {command[0]}: {error.strerror}") from error

    def forward(number: int) -> None:
        if not _came_from_the_terminal(number):
            child.send_signal(number)

    _handle(forward)
    for each in early:
        forward(each)
    code = child.wait()
    return 128 - code if code < 0 else code


def _handle(act: Callable[[int], None]) -> None:
    for each in _FORWARDED:
        signal.signal(each, lambda number, _: act(number))


def _came_from_the_terminal(number: int) -> bool:
    """Whether the command has got this signal already: Ctrl-C goes to all that is in front."""
    if number not in (signal.SIGINT, signal.SIGQUIT):
        return False
    try:
        with open("/dev/tty", "rb", buffering=0) as terminal:  # noqa: PTH123 - needs no buffer
            return os.tcgetpgrp(terminal.fileno()) == os.getpgrp()
    except OSError:
        return False
