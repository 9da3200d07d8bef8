"""How Mobile Next is known to fail. Its clients send nothing again."""

from sessionary.surfaces.mobilenext import errors
from sessionary.web.surface import Failure

FAULTS = {
    "insufficient_credits": Failure(
        402,
        errors.body("insufficient_credits", "Not enough credits"),
        "Source: client (402, this code and these words).",
    ),
    "no_device_available": Failure(
        409,
        errors.body("no_device_available", str(errors.NoneFree())),
        "Assumed: 409, as where every device is held.",
    ),
    "rate_limited": Failure(
        429,
        errors.body("rate_limited", "Too many requests"),
        "Assumed: 429 and its code. Source: client (it shows code and message).",
    ),
    "unavailable": Failure(
        503,
        errors.refuse(503, "The service is temporarily unavailable"),
        "Assumed: 503 and its code. Source: client (it shows code and message).",
    ),
    "internal_error": Failure(
        500,
        errors.refuse(500, "Internal server error"),
        "Assumed: 500 and its code. Source: client (it shows code and message).",
    ),
}
