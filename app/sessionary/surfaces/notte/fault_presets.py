"""How Notte is known to fail, and when it sends `Retry-After`."""

from sessionary.surfaces.notte.errors import body
from sessionary.web.surface import FaultPreset

# Source: client (after these it waits as long as `Retry-After` says).
RETRY_STATUSES = frozenset({429, 502, 503, 504, 529})
_REPEATED = "Source: client (no work was done: every call is sent again). Assumed: the words."
_MOSTLY_REPEATED = "Source: client (all but POST are sent again). Assumed: the words."
_NOT_REPEATED = "Source: client (no call is sent again). Assumed: the words."
_OVERLOADED = "The service is overloaded, please try again"
FAULT_PRESETS = {
    "overloaded": FaultPreset(529, body(_OVERLOADED), _REPEATED),
    "unavailable": FaultPreset(503, body("Service unavailable"), _REPEATED),
    "bad_gateway": FaultPreset(502, body("Bad gateway"), _MOSTLY_REPEATED),
    "gateway_timeout": FaultPreset(504, body("Gateway timeout"), _MOSTLY_REPEATED),
    "rate_limited": FaultPreset(429, body("Too many requests"), "Assumed: 429. " + _NOT_REPEATED),
    "internal_error": FaultPreset(500, body("Internal server error"), _NOT_REPEATED),
}
