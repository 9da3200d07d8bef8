"""Serves the metrics over HTTP: what all workers counted, and what the database holds now."""

import logging
import socket
import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from socketserver import ThreadingMixIn
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer

from prometheus_client import CollectorRegistry, make_wsgi_app
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.registry import Collector

from sessionary import clock, store
from sessionary.metrics.compaction import compacted
from sessionary.store import Namespace
from sessionary.web.surface import Surface

_log = logging.getLogger("sessionary")
TIMEOUT_SECONDS = 10  # for a whole request and its response; Prometheus has the same default
MAX_CONNECTIONS = 16  # at a time in each process
_REUSE_FACTOR = 20  # database metrics are reused for this many times the time of collecting them


def serve(
    listener: socket.socket, folder: Path, namespace: Namespace, surfaces: Sequence[Surface]
) -> None:
    """Answer on a daemon thread of this process, which shares the listener with others."""
    server = _Server(listener, _make_app(folder, namespace, surfaces))
    threading.Thread(target=server.serve_forever, args=(None,), daemon=True).start()


def _make_app(
    folder: Path, namespace: Namespace, surfaces: Sequence[Surface]
) -> Callable[..., Iterable[bytes]]:
    registry = CollectorRegistry()
    collector: Any = MultiProcessCollector  # it has no types
    collector(registry, str(folder))
    registry.register(_DatabaseCollector(namespace, surfaces))
    exposition = make_wsgi_app(registry)
    one_thread = ThreadPoolExecutor(1)  # it keeps its connection to the database open

    def collect(*arguments: Any) -> Iterable[bytes]:
        with compacted(folder):
            return exposition(*arguments)  # type: ignore[no-any-return]

    def app(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        if environ["PATH_INFO"] != "/metrics":
            start_response("404 Not Found", [("Content-Type", "text/plain")])
            return [b"The metrics are at /metrics.\n"]
        return one_thread.submit(collect, environ, start_response).result()

    return app


class _Server(ThreadingMixIn, WSGIServer):
    """Each connection has a thread of its own, so that a slow client delays no other."""

    daemon_threads = True

    def __init__(self, listener: socket.socket, app: Callable[..., Iterable[bytes]]) -> None:
        self.server_name, self.server_port = listener.getsockname()[:2]
        super().__init__((self.server_name, self.server_port), _Handler, bind_and_activate=False)
        self.socket.close()
        self.socket = listener
        self.setup_environ()
        self.set_app(app)
        self._limit = ConnectionLimit()

    def process_request(self, request: Any, client_address: Any) -> None:
        self._limit.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        self._limit.remove(request)
        super().shutdown_request(request)

    def handle_error(self, *_: Any) -> None:
        if not isinstance(sys.exception(), OSError):  # the client may have closed
            _log.exception("a scrape of the metrics failed")


class ConnectionLimit:
    """Caps the number of open connections, and the time that each may last."""

    def __init__(self) -> None:
        self._timers: dict[socket.socket, threading.Timer] = {}  # the oldest first
        self._removed = threading.Condition()

    def add(self, connection: socket.socket) -> None:
        """Start the deadline of a new connection; if there are too many, abort the oldest."""
        timer = threading.Timer(TIMEOUT_SECONDS, _abort, (connection,))
        timer.daemon = True
        with self._removed:
            while len(self._timers) >= MAX_CONNECTIONS:
                _abort(next(iter(self._timers)))
                self._removed.wait()
            self._timers[connection] = timer
        timer.start()

    def remove(self, connection: socket.socket) -> None:
        with self._removed:
            self._timers.pop(connection).cancel()
            self._removed.notify()


def _abort(connection: socket.socket) -> None:
    with suppress(OSError):  # closed already
        connection.shutdown(socket.SHUT_RDWR)


class _Handler(WSGIRequestHandler):
    def log_message(self, *_: Any) -> None:
        """Do not log scrapes."""


class _DatabaseCollector(Collector):
    """Reads the session counts and the size of the database at a scrape."""

    def __init__(self, namespace: Namespace, surfaces: Sequence[Surface]) -> None:
        self._namespace = namespace
        self._surfaces = surfaces
        self._metrics: list[Metric] = []
        self._stale_at = 0.0  # by the monotonic clock

    def collect(self) -> Iterable[Metric]:
        started_at = time.monotonic()
        if started_at >= self._stale_at:
            self._metrics = self._read()
            self._stale_at = started_at + _REUSE_FACTOR * (time.monotonic() - started_at)
        return self._metrics

    def _read(self) -> list[Metric]:
        """Return no metrics while the database cannot be read, so that the others are served."""
        with self._namespace.activate():
            try:
                store.check_file_unchanged()
                return list(self._query())
            except Exception as error:
                if not store.is_unavailable(error):
                    raise
                self._namespace.report_outage(error)
                return []

    def _query(self) -> Iterator[Metric]:
        sessions = GaugeMetricFamily(
            "sessionary_sessions", "Sessions by status.", labels=("surface", "status")
        )
        now = clock.now()
        for surface in self._surfaces:
            for status, count in surface.sessions.counts(now).items():
                sessions.add_metric((surface.name, status), count)
        yield sessions
        yield GaugeMetricFamily(
            "sessionary_database_bytes",
            "Size of the database files, the WAL included.",
            value=store.size_bytes(self._namespace),
        )
