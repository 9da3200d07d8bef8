"""How Notte is known to fail, and when it sends `Retry-After`."""

from sessionary.surfaces.notte import errors
from sessionary.web.surface import FaultPreset

# Source: client (after these it waits as long as `Retry-After` says).
RETRY_STATUSES = frozenset({429, 502, 503, 504, 529})
FAULT_PRESETS = {
    "overloaded": FaultPreset(
        529,
        errors.body("The service is overloaded, please try again"),
        "Source: client (529, no work was done: every call is sent again). Assumed: the words.",
    ),
    "unavailable": FaultPreset(
        503,
        errors.body("Service unavailable"),
        "Source: client (503, no work was done: every call is sent again). Assumed: the words.",
    ),
    "bad_gateway": FaultPreset(
        502,
        errors.body("Bad gateway"),
        "Source: client (502, all but POST are sent again). Assumed: the words.",
    ),
    "gateway_timeout": FaultPreset(
        504,
        errors.body("Gateway timeout"),
        "Source: client (504, all but POST are sent again). Assumed: the words.",
    ),
    "rate_limited": FaultPreset(
        429,
        errors.body("Too many requests"),
        "Assumed: 429. Source: client (no call is sent again).",
    ),
    "internal_error": FaultPreset(
        500,
        errors.body("Internal server error"),
        "Source: client (500, no call is sent again).",
    ),
}
