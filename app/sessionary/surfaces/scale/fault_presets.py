"""Failures that Scale's clients are known to handle."""

from sessionary.surfaces.scale import errors
from sessionary.web.surface import FaultPreset


def _preset(status: int, message: str, known: str) -> FaultPreset:
    source = f"Source: client ({known}, sent again twice). Assumed: the words."
    return FaultPreset(status, errors.body(message), source)


RETRY_STATUSES = frozenset({429, 503})  # sent with errors.retry_headers
FAULT_PRESETS = {
    "rate_limited": _preset(429, "Rate limit exceeded", "429"),
    "unavailable": _preset(503, "Service unavailable", "500 and above"),
    "conflict": _preset(409, "The resource is locked by another request", "409"),
    "timeout": _preset(408, "Request timeout", "408"),
    "internal_error": _preset(500, "Internal server error", "500 and above"),
}
