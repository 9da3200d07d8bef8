"""How Scale is known to fail, and how it says when to try again."""

from sessionary.surfaces.scale import errors
from sessionary.web.surface import FaultPreset, retry_after

# Source: client (it waits as either header says, and prefers the one in milliseconds).
WAIT_STATUSES = frozenset({429, 503})
FAULTS = {
    "rate_limited": FaultPreset(
        429,
        errors.body("Rate limit exceeded"),
        "Source: client (429, sent again twice). Assumed: the words.",
    ),
    "unavailable": FaultPreset(
        503,
        errors.body("Service unavailable"),
        "Source: client (500 and above, sent again twice). Assumed: the words.",
    ),
    "conflict": FaultPreset(
        409,
        errors.body("The resource is locked by another request"),
        "Source: client (409, sent again twice). Assumed: the words.",
    ),
    "timeout": FaultPreset(
        408,
        errors.body("Request timeout"),
        "Source: client (408, sent again twice). Assumed: the words.",
    ),
    "internal_error": FaultPreset(
        500,
        errors.body("Internal server error"),
        "Source: client (500 and above, sent again twice). Assumed: the words.",
    ),
}


def waits(milliseconds: int) -> dict[str, str]:
    """Source: client."""
    return {**retry_after(milliseconds), "retry-after-ms": str(milliseconds)}
