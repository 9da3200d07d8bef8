"""sessionary double."""

import gc
import signal
from typing import Any

import click

from sessionary.cli.database import clean_errors
from sessionary.cli.settings_options import SERVER_SETTINGS, settings_options
from sessionary.settings import DOUBLE, Settings

_ENDING = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGQUIT)
DEFAULTS = DOUBLE | {"port": Settings.port}


@click.command()
@settings_options(defaults=DEFAULTS, without=SERVER_SETTINGS)
@clean_errors
def double(**flags: Any) -> None:
    """Serve as a test double until stopped.

    Any key is admitted, the data is in memory, and the control plane is open to this machine.
    Listening anywhere but on it needs the secret SESSIONARY_CONTROL_TOKEN, which has no flag.
    Settings come from where `sessionary serve` takes them.

    \b
    Example:
      sessionary double --port 0 --ready-file ready.json --seed fixtures.toml
    """
    serve(Settings.load(flags, defaults=DEFAULTS))


def serve(settings: Settings) -> None:
    """Serve a double until it is told to end. Raises as `sessionary serve` does."""
    from sessionary import control, logs, metrics
    from sessionary.embedded import EmbeddedServer
    from sessionary.factory import create_double
    from sessionary.server import metrics_lines, observers, serve_metrics
    from sessionary.server.ready_notice import (
        ReadyNotice,
        check_port_free,
        check_ready_file_writable,
    )

    ending = _held_back()
    check_port_free(settings.host, settings.port)
    check_ready_file_writable(settings.ready_file)
    logs.configure(settings.log_format)
    gc.disable()
    with metrics.open_metrics(settings.metrics) as opened:
        app = create_double(settings, *observers(settings, opened))
        serve_metrics(opened, app)
        gc.freeze()  # all of this stays: the collector would go through it once more at the end
        gc.enable()
        notice = ReadyNotice(
            settings, click.echo, lambda url: "\n".join([*metrics_lines(opened), how_to_use(url)])
        )
        with EmbeddedServer(
            app, host=settings.host, port=settings.port, threads=settings.threads
        ) as server:
            notice.announce(server.listener)
            signal.sigwait(ending)
        control.close_namespaces(app)
        notice.withdraw()


def _held_back() -> list[signal.Signals]:
    """Hold back what ends it, in every thread from now on, so that it cannot be missed.

    What is ignored from the start, as by nohup, does not end it.
    """
    found = [
        each
        for each in _ENDING
        if each != signal.SIGHUP or signal.getsignal(each) != signal.SIG_IGN
    ]
    signal.pthread_sigmask(signal.SIG_BLOCK, found)
    return found


def how_to_use(url: str) -> str:
    """What to do with a double at this address."""
    given = "" if url == f"http://{Settings.host}:{Settings.port}" else f" --url {url}"
    return (
        f'Point the SDKs of a shell at it: eval "$(sessionary env{given})"\n'
        f"Its clock, faults, journal and namespaces: {url}/_control/v1/openapi.json"
    )
