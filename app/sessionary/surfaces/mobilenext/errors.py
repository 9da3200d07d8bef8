"""Mobile Next's API errors and the shape of their bodies."""

from typing import Any

INVALID_REQUEST = "invalid_request"
INVALID_FILTERS = "invalid_filters"
NO_DEVICE_AVAILABLE = "Every device that matches these filters is in use"
# Assumed: the vendor does not document these codes.
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

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.code = code


class NotFound(MobileNextError):
    """No session of the selected organization has this id. Source: page (404)."""

    def __init__(self, session_id: str) -> None:
        super().__init__(404, "session_not_found", f"Session {session_id} not found")


class DeviceNotAllocated(MobileNextError):
    """The device has no open allocation in the session. Assumed: 404 and its code."""

    def __init__(self, device: str) -> None:
        text = f"Device {device} is not allocated in this session"
        super().__init__(404, "device_not_found", text)


def body(code: str, message: str) -> dict[str, Any]:
    """Build `{"error": {"code", "message"}}`. Source: client (it shows the message)."""
    return {"error": {"code": code, "message": message}}


def error_body(status: int, message: str) -> dict[str, Any]:
    """Build the body for an HTTP status."""
    return body(_CODES.get(status, "refused"), message)
