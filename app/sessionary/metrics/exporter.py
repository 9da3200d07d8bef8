"""The metrics as text: what all workers counted, and what the database holds now."""

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from prometheus_client import CollectorRegistry, make_wsgi_app
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.registry import Collector

from sessionary import clock, store
from sessionary.metrics.compaction import compacted
from sessionary.store import Namespace
from sessionary.web.surface import Surface

TIMEOUT_SECONDS = 10  # for a request, and for reading its response; Prometheus has the same default
MAX_CONNECTIONS = 16  # at a time in each process
_REUSE_FACTOR = 20  # database metrics are reused for this many times the time of collecting them


def make_app(
    folder: Path, namespace: Namespace, surfaces: Sequence[Surface]
) -> Callable[..., Iterable[bytes]]:
    """Make the WSGI application of the metrics, to be called by one thread at a time."""
    registry = CollectorRegistry()
    collector: Any = MultiProcessCollector  # it has no types
    collector(registry, str(folder))
    registry.register(_DatabaseCollector(namespace, surfaces))
    exposition: Any = make_wsgi_app(registry)

    def app(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        if environ["PATH_INFO"] != "/metrics":
            start_response("404 Not Found", [("Content-Type", "text/plain")])
            return [b"The metrics are at /metrics.\n"]
        try:
            with compacted(folder):
                return exposition(environ, start_response)  # type: ignore[no-any-return]
        except TimeoutError:
            start_response("503 Service Unavailable", [("Content-Type", "text/plain")])
            return [b"Another worker has read the metrics for too long: try again.\n"]

    return app


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
        labels = "surface", "status"
        sessions = GaugeMetricFamily("sessionary_sessions", "Sessions by status.", labels=labels)
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
