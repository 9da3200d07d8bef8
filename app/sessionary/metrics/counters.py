"""Request counters and histograms. Imported once `PROMETHEUS_MULTIPROC_DIR` is set."""

from functools import cache

from prometheus_client import CollectorRegistry, Counter, Histogram

from sessionary.web.events import INVALID_KEY, OUTAGE, RequestFinished

_NONE = "none"  # in place of a missing surface, route or status
_SECONDS = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5)
_registry = CollectorRegistry()

_requests = Counter(
    "sessionary_requests",
    "Finished requests; status none: the connection was dropped.",
    ("surface", "route", "method", "status"),
    registry=_registry,
)
_durations = Histogram(
    "sessionary_request_duration_seconds",
    "Time until the response was sent.",
    ("surface", "route", "method"),
    buckets=_SECONDS,
    registry=_registry,
)
_key_failures = Counter(
    "sessionary_key_failures",
    "Requests refused for a missing or invalid key.",
    ("surface",),
    registry=_registry,
)
_database_errors = Counter(
    "sessionary_database_errors",
    "Requests refused because the database was busy, full or unreachable.",
    ("surface",),
    registry=_registry,
)
_FAILURES = {INVALID_KEY: _key_failures, OUTAGE: _database_errors}


def count(request: RequestFinished) -> None:
    """Count a finished request."""
    surface, route = request.surface or _NONE, request.route or _NONE
    status = _NONE if request.status is None else str(request.status)
    total, durations = _children(surface, route, request.method, status)
    total.inc()
    durations.observe(request.seconds)
    if request.failure is not None:
        _FAILURES[request.failure].labels(surface).inc()


@cache  # bounded by the routes, methods and statuses
def _children(surface: str, route: str, method: str, status: str) -> tuple[Counter, Histogram]:
    labels = surface, route, method
    return _requests.labels(*labels, status), _durations.labels(*labels)
