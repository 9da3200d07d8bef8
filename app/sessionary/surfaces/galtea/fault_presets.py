"""How Galtea is known to fail. Its client never repeats a call that may have arrived."""

from sessionary.surfaces.galtea.errors import body
from sessionary.web.surface import FaultPreset

_NOT_REPEATED = "Source: client (never sent again). Assumed: the words."
_CREDITS = "Assumed: 402. Source: client (an organization has credits, which can run out)."
_NO_CREDITS = "Your organization does not have enough credits"
_TOO_MANY = "Too many requests, please try again later"
_UNAVAILABLE = "The service is temporarily unavailable"
FAULT_PRESETS = {
    "internal_error": FaultPreset(500, body(500, ""), "Source: client (a 500 says nothing more)."),
    "unavailable": FaultPreset(503, body(503, _UNAVAILABLE), _NOT_REPEATED),
    "rate_limited": FaultPreset(429, body(429, _TOO_MANY), f"Assumed: 429. {_NOT_REPEATED}"),
    "insufficient_credits": FaultPreset(402, body(402, _NO_CREDITS), _CREDITS),
}
