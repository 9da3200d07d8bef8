"""Failures that Mobile Next's clients are known to handle; they do not retry."""

from sessionary.surfaces.mobilenext import errors
from sessionary.web.surface import FaultPreset


def _assumed(status: int, code: str, message: str) -> FaultPreset:
    source = f"Assumed: {status} and its code. Source: client (it shows code and message)."
    return FaultPreset(status, errors.body(code, message), source)


FAULTS = {
    "insufficient_credits": FaultPreset(
        402,
        errors.body("insufficient_credits", "Not enough credits"),
        "Source: client (402, this code and these words).",
    ),
    "no_device_available": FaultPreset(
        409,
        errors.body("no_device_available", str(errors.NoDeviceAvailable())),
        "Assumed: 409, as where every device is allocated.",
    ),
    "rate_limited": _assumed(429, "rate_limited", "Too many requests"),
    "unavailable": _assumed(503, "unavailable", "The service is temporarily unavailable"),
    "internal_error": _assumed(500, "internal_error", "Internal server error"),
}
