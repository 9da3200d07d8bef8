"""Who asks for the numbers gets them: what all workers counted, and what the database says now."""

import logging
import socket
import sys
import threading
import time
from collections.abc import Iterable, Iterator, Sequence
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

from prometheus_client import CollectorRegistry
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.exposition import choose_encoder
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.registry import Collector

from sessionary import clock, store
from sessionary.metrics.folding import folded
from sessionary.store import World
from sessionary.wire.surface import Surface

_log = logging.getLogger("sessionary")
_SHARE = 20  # what was looked up is said again until as many times its own time has passed


def serve(listener: socket.socket, folder: Path, world: World, surfaces: Sequence[Surface]) -> None:
    """Answer on a thread of this process, which shares the listener with others."""
    registry = CollectorRegistry()
    counted: Any = MultiProcessCollector  # it does not say its types
    counted(registry, str(folder))
    registry.register(_Database(world, surfaces))

    def numbers(accepted: str) -> tuple[bytes, str]:
        encode, kind = choose_encoder(accepted)
        with folded(folder):
            return encode(registry), kind

    server = _Server(listener, numbers)
    threading.Thread(target=server.serve_forever, args=(None,), daemon=True).start()


class _Server(HTTPServer):
    """One client at a time: those who ask are few, and slow ones are not waited for."""

    def __init__(self, listener: socket.socket, numbers: Any) -> None:
        super().__init__(listener.getsockname()[:2], _Handler, bind_and_activate=False)
        self.socket.close()
        self.socket = listener
        self.numbers = numbers

    def handle_error(self, *_: Any) -> None:
        if not isinstance(sys.exception(), OSError):  # who asked may have left
            _log.exception("the metrics could not be told")


class _Handler(BaseHTTPRequestHandler):
    server: _Server
    timeout = 5

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

    def __init__(self, world: World, surfaces: Sequence[Surface]) -> None:
        self._world = world
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
        with self._world.entered():
            try:
                store.prove_there()
                return list(self._metrics())
            except Exception as error:
                if not store.is_out_of_order(error):
                    raise
                self._world.refused(error)
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
            value=store.size_bytes(self._world),
        )
