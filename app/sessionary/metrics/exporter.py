"""Who asks for the numbers gets them: what all workers counted, and what the database says now."""

import logging
import socket
import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from prometheus_client import CollectorRegistry
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.exposition import choose_encoder
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.registry import Collector

from sessionary import clock, store
from sessionary.metrics.compaction import folded
from sessionary.store import Namespace
from sessionary.web.surface import Surface

_log = logging.getLogger("sessionary")
PATIENCE_SECONDS = 10  # for a whole request and its answer, as Prometheus has by default
MOST = 16  # connections at a time in each process
_SHARE = 20  # what was looked up is said again until as many times its own time has passed


def serve(
    listener: socket.socket, folder: Path, namespace: Namespace, surfaces: Sequence[Surface]
) -> None:
    """Answer on a thread of this process, which shares the listener with others."""
    registry = CollectorRegistry()
    counted: Any = MultiProcessCollector  # it does not say its types
    counted(registry, str(folder))
    registry.register(_Database(namespace, surfaces))

    def numbers(accepted: str) -> tuple[bytes, str]:
        encode, kind = choose_encoder(accepted)
        with folded(folder):
            return encode(registry), kind

    # One thread for all who ask: the connection to the database is its own, and it is kept.
    alone = ThreadPoolExecutor(1)
    server = _Server(listener, lambda accepted: alone.submit(numbers, accepted).result())
    threading.Thread(target=server.serve_forever, args=(None,), daemon=True).start()


class _Server(ThreadingHTTPServer):
    """Each connection on a thread of its own, so that nobody waits for who is slow or silent."""

    daemon_threads = True

    def __init__(
        self, listener: socket.socket, numbers: Callable[[str], tuple[bytes, str]]
    ) -> None:
        super().__init__(listener.getsockname()[:2], _Handler, bind_and_activate=False)
        self.socket.close()
        self.socket = listener
        self.numbers = numbers
        self._held = _Held()

    def process_request(self, request: Any, client_address: Any) -> None:
        self._held.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        self._held.remove(request)
        super().shutdown_request(request)

    def handle_error(self, *_: Any) -> None:
        if not isinstance(sys.exception(), OSError):  # who asked may have left
            _log.exception("the metrics could not be told")


class _Held:
    """The connections that are held: only so many at a time, and each only for so long."""

    def __init__(self) -> None:
        self._ends: dict[socket.socket, threading.Timer] = {}  # the oldest first
        self._fewer = threading.Condition()

    def add(self, connection: socket.socket) -> None:
        """Hold one more; where there are too many the oldest has to go first."""
        end = threading.Timer(PATIENCE_SECONDS, _cut, (connection,))
        end.daemon = True
        with self._fewer:
            while len(self._ends) >= MOST:
                _cut(next(iter(self._ends)))
                self._fewer.wait()
            self._ends[connection] = end
        end.start()

    def remove(self, connection: socket.socket) -> None:
        """It is over."""
        with self._fewer:
            self._ends.pop(connection).cancel()
            self._fewer.notify()


def _cut(connection: socket.socket) -> None:
    with suppress(OSError):  # it is over already
        connection.shutdown(socket.SHUT_RDWR)


class _Handler(BaseHTTPRequestHandler):
    server: _Server

    def do_GET(self) -> None:
        if self.path.partition("?")[0] != "/metrics":
            self._send(404, b"The metrics are at /metrics.\n", "text/plain")
            return
        self._send(200, *self.server.numbers(self.headers.get("Accept", "")))

    def _send(self, status: int, content: bytes, kind: str) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def version_string(self) -> str:
        return "Sessionary"

    def log_message(self, *_: Any) -> None:
        """Not in the log, which is of those whom the server is for."""


class _Database(Collector):
    """What is looked up in the database when somebody asks."""

    def __init__(self, namespace: Namespace, surfaces: Sequence[Surface]) -> None:
        self._namespace = namespace
        self._surfaces = surfaces
        self._said: list[Metric] = []
        self._again_at = 0.0  # by the monotonic clock

    def collect(self) -> Iterable[Metric]:
        began = time.monotonic()
        if began >= self._again_at:
            self._said = self._looked_up()
            took = time.monotonic() - began
            self._again_at = began + _SHARE * took
        return self._said

    def _looked_up(self) -> list[Metric]:
        """Nothing while the database cannot be read: the other numbers are needed all the more."""
        with self._namespace.activate():
            try:
                store.check_file_unchanged()
                return list(self._metrics())
            except Exception as error:
                if not store.is_unavailable(error):
                    raise
                self._namespace.report_outage(error)
                return []

    def _metrics(self) -> Iterator[Metric]:
        sessions = GaugeMetricFamily(
            "sessionary_sessions", "Sessions that there are.", labels=("surface", "status")
        )
        now = clock.now()
        for surface in self._surfaces:
            for status, count in surface.sessions.counts(now).items():
                sessions.add_metric((surface.name, status), count)
        yield sessions
        yield GaugeMetricFamily(
            "sessionary_database_bytes",
            "How large the database is, with its journal.",
            value=store.size_bytes(self._namespace),
        )
