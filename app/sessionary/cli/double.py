"""sessionary double."""

import gc
import signal
from typing import Any

import click

from sessionary.cli.database import told
from sessionary.cli.settings_options import OF_SERVERS, settings_as_flags
from sessionary.settings import DOUBLE, Settings

_ENDING = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGQUIT)
DEFAULTS = DOUBLE | {"port": Settings.port}


@click.command()
@settings_as_flags(defaults=DEFAULTS, without=OF_SERVERS)
@told
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
    from sessionary.server.ready_notice import Notice, prove_free, prove_tellable
    from sessionary.server.telling import serve_metrics, tells, whereabouts

    ending = _held_back()
    prove_free(settings.host, settings.port)
    prove_tellable(settings.ready_file)
    logs.configure(settings.log_format)
    gc.disable()
    with metrics.opened(settings.metrics) as numbers:
        app = create_double(settings, *tells(settings, numbers))
        serve_metrics(numbers, app)
        gc.freeze()  # all of this stays: the collector would go through it once more at the end
        gc.enable()
        notice = Notice(
            settings, click.echo, lambda url: "\n".join([*whereabouts(numbers), how_to_use(url)])
        )
        with EmbeddedServer(
            app, host=settings.host, port=settings.port, threads=settings.threads
        ) as server:
            notice.put_up(server.listener)
            signal.sigwait(ending)
        control.close_namespaces(app)
        notice.take_down()


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
