"""`sessionary double`."""

import gc
import signal
from typing import Any

import click

from sessionary.cli.database import clean_errors
from sessionary.cli.settings_options import ServingCommand, settings_options
from sessionary.factory import load_settings
from sessionary.settings import DOUBLE, SERVER, Settings

DEFAULTS = DOUBLE | {"port": Settings.port}
CONTROL = {"control": True}  # no variable turns it off


@click.command(
    cls=ServingCommand,
    epilog="Example: sessionary double --port 0 --ready-file x.json --seed x.toml",
)
@settings_options(defaults=DEFAULTS, without=[SERVER])
@clean_errors
def double(**flags: Any) -> None:
    """Serve all APIs as a test double until stopped.

    It accepts any key, keeps its data in memory and serves the control plane to this machine. To
    listen on another address, set a secret in SESSIONARY_CONTROL_TOKEN. Settings are read as by
    `sessionary serve`.
    """
    serve(load_settings(flags | CONTROL, defaults=DEFAULTS))


def serve(settings: Settings) -> None:
    """Serve a double until a signal stops it. Raises the errors of server.serve."""
    signals = _block_signals()
    try:
        _serve_until(signals, settings)
    except BaseException:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, signals)
        gc.enable()
        raise


def _serve_until(stop_signals: list[signal.Signals], settings: Settings) -> None:
    from sessionary import control, logs, metrics
    from sessionary.embedded import EmbeddedServer
    from sessionary.factory import create_double
    from sessionary.http_server.limits import raise_open_files
    from sessionary.server import metrics_lines, observers, serve_metrics
    from sessionary.server.ready_notice import (
        ReadyNotice,
        check_port_free,
        check_ready_file_writable,
    )

    check_port_free(settings.host, settings.port)
    check_ready_file_writable(settings.ready_file)
    logs.configure(settings.log_format)
    gc.disable()
    with metrics.open_metrics(settings.metrics) as opened:
        app = create_double(settings, *observers(settings, opened))
        serve_metrics(opened, app)
        gc.freeze()  # all of this lives until the end: do not collect it once more then
        gc.enable()
        notice = ReadyNotice(
            settings, click.echo, lambda url: "\n".join([*metrics_lines(opened), how_to_use(url)])
        )
        raise_open_files()
        with EmbeddedServer(
            app,
            host=settings.host,
            port=settings.port,
            threads=settings.threads,
            max_body_bytes=settings.max_body_bytes,
            max_restore_bytes=settings.max_restore_bytes,
        ) as server:
            notice.announce(server.listener)
            signal.sigwait(stop_signals)
        control.close_namespaces(app)
        notice.withdraw()


def _block_signals() -> list[signal.Signals]:
    """Block the signals that stop a double, in all threads to come, and return them for sigwait.

    SIGHUP stays ignored if it was ignored at the start, as under nohup.
    """
    signals = [signal.SIGTERM, signal.SIGINT, signal.SIGQUIT]
    if signal.getsignal(signal.SIGHUP) != signal.SIG_IGN:
        signals.append(signal.SIGHUP)
    signal.pthread_sigmask(signal.SIG_BLOCK, signals)
    return signals


def how_to_use(url: str) -> str:
    """Return the lines of the banner that say how to use the double at this URL."""
    option = "" if url == f"http://{Settings.host}:{Settings.port}" else f" --url {url}"
    return (
        f'To point SDKs at it: eval "$(sessionary env{option})"\n'
        f"Console: {url}/_control/console/\n"
        f"Control plane (clock, faults, journal, namespaces): {url}/_control/v1/openapi.json"
    )
