"""`sessionary serve`: gunicorn, embedded in this process. Also what a double shares with it."""

import threading
from collections.abc import Callable
from functools import partial

from flask import Flask

from sessionary import logs, metrics
from sessionary.factory import create_app, prepare, welcome
from sessionary.http_server import HttpServer, Limits
from sessionary.metrics import Metrics
from sessionary.server import tls
from sessionary.server.ready_notice import ReadyNotice, check_port_free, check_ready_file_writable
from sessionary.settings import DOUBLE_ONLY, BadSetting, Settings
from sessionary.store import Namespace
from sessionary.surfaces import SURFACES
from sessionary.web.events import Observer

_KEYS_LOST = "the first keys are lost; create new ones with `sessionary keys create`"


def serve(settings: Settings, echo: Callable[[str], None] = print) -> None:
    """Serve until SIGTERM, finish the requests in flight, and exit with 0.

    Raises BadSetting, CannotListen, CannotWriteReadyFile, store.DatabaseUnusable and BadSeed before
    anything listens.
    """
    settings.ensure_used_by("a server", DOUBLE_ONLY)
    if settings.db == ":memory:":
        raise BadSetting("db :memory: cannot be shared with worker processes: name a file")
    if settings.control:
        from sessionary import control

        control.check_server(settings)
    from sessionary.server import gunicorn  # a double imports this package without gunicorn

    tls.make_context(settings)
    check_port_free(settings.host, settings.port)
    check_ready_file_writable(settings.ready_file)  # before keys are made: they are shown once
    logs.configure(settings.log_format)
    with metrics.open_metrics(settings.metrics) as opened:
        prepared = prepare(settings)
        prepared.namespace.disconnect()  # workers must not inherit its connections
        keys = prepared.first_keys

        def details(url: str) -> str:
            return "\n".join([*metrics_lines(opened), *([welcome(keys, url)] if keys else [])])

        notice = ReadyNotice(settings, echo, details, _KEYS_LOST if keys else None)
        gunicorn.run(settings, partial(_load, settings, prepared.namespace, opened), notice)


def _load(settings: Settings, namespace: Namespace, opened: Metrics | None) -> Flask:
    """Create the application of a worker process."""
    app = create_app(settings, namespace, *observers(settings, opened))
    serve_metrics(opened, app)
    return app


def observers(settings: Settings, opened: Metrics | None) -> list[Observer]:
    """Build the request observers: access log and metrics."""
    found = [logs.access_log(settings.log_format)] if settings.log_requests else []
    return found if opened is None else [*found, opened.observe]


def serve_metrics(opened: Metrics | None, app: Flask) -> None:
    """Serve the metrics of this application on a thread of its own, if metrics are enabled."""
    if opened is None:
        return
    from sessionary.metrics.exporter import MAX_CONNECTIONS, TIMEOUT_SECONDS, make_app

    limits = Limits(
        threads=1,
        max_connections=MAX_CONNECTIONS + 1,  # the loop keeps one place free
        max_body_bytes=0,
        client_timeout_seconds=TIMEOUT_SECONDS,
    )
    server = HttpServer([opened.listener], limits)
    served = make_app(opened.folder, app.extensions["sessionary"], SURFACES)
    threading.Thread(target=server.run, args=(served,), daemon=True).start()


def metrics_lines(opened: Metrics | None) -> list[str]:
    """Give the line of the startup banner with the metrics address, if there is one."""
    return [] if opened is None else [f"Metrics: {opened.url}"]
