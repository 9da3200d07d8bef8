"""Failures that Mobile Next's clients are known to handle; they do not retry."""

from sessionary.surfaces.mobilenext import errors
from sessionary.web.surface import FaultPreset


def _assumed(status: int, code: str, message: str) -> FaultPreset:
    source = f"Assumed: {status} and its code. Source: client (it shows code and message)."
    return FaultPreset(status, errors.body(code, message), source)


_NO_CREDITS = errors.body("insufficient_credits", "Not enough credits")
_KNOWN = "Source: client (402, this code and these words)."
FAULT_PRESETS = {
    "insufficient_credits": FaultPreset(402, _NO_CREDITS, _KNOWN),
    "no_device_available": _assumed(409, "no_device_available", errors.NO_DEVICE_AVAILABLE),
    "device_offline": _assumed(409, "device_offline", "The device is offline"),
    "rate_limited": _assumed(429, "rate_limited", "Too many requests"),
    "unavailable": _assumed(503, "unavailable", "The service is temporarily unavailable"),
    "internal_error": _assumed(500, "internal_error", "Internal server error"),
}
