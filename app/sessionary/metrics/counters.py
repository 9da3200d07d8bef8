"""What is counted while requests are answered. `PROMETHEUS_MULTIPROC_DIR` is set by then."""

from functools import cache

from prometheus_client import CollectorRegistry, Counter, Histogram

from sessionary.web.events import BAD_KEY, DISORDER, RequestFinished

_NONE = "none"  # a label that says nothing is there: neither a surface nor a route has this name
_SECONDS = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5)
_own = CollectorRegistry()

_requests = Counter(
    "sessionary_requests",
    "Requests that were answered; status none: the connection was dropped instead.",
    ("surface", "route", "method", "status"),
    registry=_own,
)
_durations = Histogram(
    "sessionary_request_duration_seconds",
    "How long it took to answer.",
    ("surface", "route", "method"),
    buckets=_SECONDS,
    registry=_own,
)
_key_failures = Counter(
    "sessionary_key_failures",
    "Requests that were refused for their key: none, or one that is nobody's any more.",
    ("surface",),
    registry=_own,
)
_disorders = Counter(
    "sessionary_refused_for_disorder",
    "Requests that were refused because the database was busy, full or out of reach.",
    ("surface",),
    registry=_own,
)
_FAILURES = {BAD_KEY: _key_failures, DISORDER: _disorders}


def count(answered: RequestFinished) -> None:
    """Count a request that has been answered."""
    surface, route = answered.surface or _NONE, answered.route or _NONE
    status = _NONE if answered.status is None else str(answered.status)
    total, durations = _of(surface, route, answered.method, status)
    total.inc()
    durations.observe(answered.seconds)
    if answered.failure is not None:
        _FAILURES[answered.failure].labels(surface).inc()


@cache  # there are as many as routes, methods and statuses
def _of(surface: str, route: str, method: str, status: str) -> tuple[Counter, Histogram]:
    return (
        _requests.labels(surface, route, method, status),
        _durations.labels(surface, route, method),
    )
