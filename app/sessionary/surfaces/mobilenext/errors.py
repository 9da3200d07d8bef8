"""Mobile Next's API errors and the shape of their bodies."""

from typing import Any, ClassVar

INVALID_REQUEST = "invalid_request"
INVALID_FILTERS = "invalid_filters"
# Assumed: the vendor does not document the codes of errors without a class below.
_CODES = {
    400: INVALID_REQUEST,
    401: "unauthorized",
    403: "forbidden",
    404: "not_found",
    405: "method_not_allowed",
    409: "conflict",
    413: "request_too_large",
    429: "rate_limited",
    500: "internal_error",
    503: "unavailable",
}


class MobileNextError(Exception):
    """A response of Mobile Next other than success: a status, a code and a message."""

    status: ClassVar = 400
    code: ClassVar = INVALID_REQUEST
    message: ClassVar = ""

    def __init__(self, *values: object) -> None:
        super().__init__(self.message.format(*values))


class Forbidden(MobileNextError):
    """The caller is not a member of the selected organization. Source: page (403).

    Assumed: the same words if it does not exist, and if the caller is a member nowhere.
    """

    status, code = 403, "forbidden"
    message = "You are not a member of the selected organization"


class ReadOnly(MobileNextError):
    """The caller's role does not allow writes. Source: docs (the role `readonly`)."""

    status, code, message = 403, "forbidden", "Your role in this organization does not allow this"


class NotFound(MobileNextError):
    """No session of the selected organization has this id. Source: page (404)."""

    status, code, message = 404, "session_not_found", "Session {} not found"


class DeviceNotAllocated(MobileNextError):
    """The device has no open allocation in the session. Assumed: 404 and its code."""

    status, code = 404, "device_not_found"
    message = "Device {} is not allocated in this session"


class NoSuchDevice(MobileNextError):
    """The catalogue has no device that matches. Assumed: 404."""

    status, code, message = 404, "device_not_found", "No device matches these filters"


class NoDeviceAvailable(MobileNextError):
    """Every device that matches is allocated. Assumed: 409."""

    status, code = 409, "no_device_available"
    message = "Every device that matches these filters is in use"


class SessionReleased(MobileNextError):
    """A released session takes no further device. Assumed: 409."""

    status, code, message = 409, "session_released", "Session {} is released"


def body(code: str, message: str) -> dict[str, Any]:
    """Build `{"error": {"code", "message"}}`. Source: client (it shows the message)."""
    return {"error": {"code": code, "message": message}}


def error_body(status: int, message: str) -> dict[str, Any]:
    """Build the body for an HTTP status."""
    return body(_CODES.get(status, "refused"), message)
