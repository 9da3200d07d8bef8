"""How Mobile Next is known to fail. Its clients send nothing again."""

from sessionary.surfaces.mobilenext import errors
from sessionary.web.surface import FaultPreset

FAULTS = {
    "insufficient_credits": FaultPreset(
        402,
        errors.body("insufficient_credits", "Not enough credits"),
        "Source: client (402, this code and these words).",
    ),
    "no_device_available": FaultPreset(
        409,
        errors.body("no_device_available", str(errors.NoneFree())),
        "Assumed: 409, as where every device is held.",
    ),
    "rate_limited": FaultPreset(
        429,
        errors.body("rate_limited", "Too many requests"),
        "Assumed: 429 and its code. Source: client (it shows code and message).",
    ),
    "unavailable": FaultPreset(
        503,
        errors.error_body(503, "The service is temporarily unavailable"),
        "Assumed: 503 and its code. Source: client (it shows code and message).",
    ),
    "internal_error": FaultPreset(
        500,
        errors.error_body(500, "Internal server error"),
        "Assumed: 500 and its code. Source: client (it shows code and message).",
    ),
}
