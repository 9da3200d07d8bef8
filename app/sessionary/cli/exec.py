"""`sessionary exec`."""

import os
import signal
import subprocess
from collections.abc import Callable, Mapping
from typing import Any

import click

from sessionary.cli.control import namespace_option
from sessionary.cli.database import clean_errors
from sessionary.cli.double import CONTROL
from sessionary.cli.settings_options import ServingCommand, settings_options
from sessionary.factory import load_settings
from sessionary.sdk_env import DEFAULT
from sessionary.settings import DOUBLE, LISTENER, SERVER, BadSetting, Settings

_ENDING = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGQUIT)
_FORWARDED = (*_ENDING, signal.SIGUSR1, signal.SIGUSR2)


class CommandNotFound(click.ClickException):
    exit_code = 127  # as shells do


class CommandNotExecutable(click.ClickException):
    exit_code = 126  # as shells do


@click.command(
    "exec",
    cls=ServingCommand,
    context_settings={"allow_interspersed_args": False},
    epilog="Example: sessionary exec --seed fixtures.toml -- npm test",
)
@click.argument("command", nargs=-1, required=True, type=click.UNPROCESSED)
@namespace_option
@settings_options(defaults=DOUBLE, without=[SERVER, LISTENER])
@clean_errors
def exec_(command: tuple[str, ...], ns: str, **flags: Any) -> None:
    """Run COMMAND with a new double, which its SDKs find.

    They find it by environment variables. The double listens on a free port of 127.0.0.1, unless
    SESSIONARY_HOST and SESSIONARY_PORT say otherwise, and stops when COMMAND ends. Signals are
    forwarded to COMMAND.

    Exits with COMMAND's exit code, 128 plus the number of a signal that killed it, 127 if it does
    not exist, or 126 if it cannot be executed.
    """
    settings = load_settings(flags | CONTROL, defaults=DOUBLE)
    if settings.record is not None and ns != DEFAULT:
        raise BadSetting("record must go without --ns: it keeps the run of the namespace default")
    run_with_double(settings, ns, command)


def run_with_double(settings: Settings, ns: str, command: tuple[str, ...]) -> None:
    """Run a command with a new double, and exit with its exit code."""
    from sessionary import control
    from sessionary.embedded import EmbeddedServer
    from sessionary.factory import create_double
    from sessionary.sdk_env import Environment
    from sessionary.server.ready_notice import check_port_free

    check_port_free(settings.host, settings.port)
    app = create_double(settings)
    control.ensure_namespace(app, ns)
    # Threads of the server must not take signals: of two at once, this thread could miss one.
    signal.pthread_sigmask(signal.SIG_BLOCK, _FORWARDED)
    try:
        with EmbeddedServer(
            app,
            host=settings.host,
            port=settings.port,
            threads=settings.threads,
            max_body_bytes=settings.max_body_bytes,
            max_restore_bytes=settings.max_restore_bytes,
        ) as server:
            variables = Environment(server.url, ns).variables()
            code = _run(command, {**os.environ, **variables})
    finally:
        control.close_namespaces(app)
    click.get_current_context().exit(code)


def _run(command: tuple[str, ...], environ: Mapping[str, str]) -> int:
    """Run a command, forward signals to it, and return its exit code."""
    early: list[int] = []
    _handle(early.append)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, _FORWARDED)
    try:
        child = subprocess.Popen(command, env=environ)  # noqa: S603 - the user's command
    except FileNotFoundError:
        raise CommandNotFound(f"command not found: {command[0]}") from None
    except OSError as error:
        raise CommandNotExecutable(f"cannot run {command[0]}: {error.strerror}") from error

    def forward(number: int) -> None:
        if not _is_from_terminal(number):
            child.send_signal(number)

    _handle(forward)
    for each in early:
        forward(each)
    code = child.wait()
    return 128 - code if code < 0 else code


def _handle(act: Callable[[int], None]) -> None:
    for each in _FORWARDED:
        signal.signal(each, lambda number, _: act(number))


def _is_from_terminal(number: int) -> bool:
    """Return whether the terminal sent this signal to the command as well, as for Ctrl-C."""
    if number not in (signal.SIGINT, signal.SIGQUIT):
        return False
    try:
        with open("/dev/tty", "rb", buffering=0) as terminal:  # noqa: PTH123 - Path.open would buffer
            return os.tcgetpgrp(terminal.fileno()) == os.getpgrp()
    except OSError:
        return False
