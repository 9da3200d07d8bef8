"""How Galtea is known to fail. Its client never repeats a call that may have arrived."""

from sessionary.surfaces.galtea import errors
from sessionary.web.surface import FaultPreset

FAULT_PRESETS = {
    "internal_error": FaultPreset(
        500,
        errors.body(500, ""),
        "Source: client (of a 500 nothing more is said).",
    ),
    "unavailable": FaultPreset(
        503,
        errors.body(503, "The service is temporarily unavailable"),
        "Source: client (never sent again). Assumed: the words.",
    ),
    "rate_limited": FaultPreset(
        429,
        errors.body(429, "Too many requests, please try again later"),
        "Assumed: 429. Source: client (never sent again).",
    ),
    "insufficient_credits": FaultPreset(
        402,
        errors.body(402, "Your organization does not have enough credits"),
        "Assumed: 402. Source: client (an organization has credits, which can run out).",
    ),
}
