"""Mobile Next's refusals, and the one shape of their bodies."""

from typing import Any

INVALID_REQUEST = "invalid_request"
INVALID_FILTERS = "invalid_filters"
# The words for what HTTP itself refuses. Assumed: the vendor documents none of them.
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


class Refusal(Exception):
    """A refusal in Mobile Next's words: a status, a code for programs, a message for people."""

    status = 400
    code = INVALID_REQUEST


class Forbidden(Refusal):
    """The selected organization is none of the caller's. Source: page (403).

    Assumed: the same words for an organization that does not exist and for a caller who has none.
    """

    status = 403
    code = _CODES[403]

    def __init__(self) -> None:
        super().__init__("You are not a member of the selected organization")


class ReadOnly(Refusal):
    """The caller may look only. Source: docs (the role `readonly`)."""

    status = 403
    code = _CODES[403]

    def __init__(self) -> None:
        super().__init__("Your role in this organization does not allow this")


class UnknownSession(Refusal):
    """No session of the selected organization has this id. Source: page (404)."""

    status = 404
    code = "session_not_found"

    def __init__(self, session_id: str) -> None:
        super().__init__(f"Session {session_id} not found")


class NotHeld(Refusal):
    """The session does not hold this device. Assumed: the code; the contract says 404."""

    status = 404
    code = "device_not_found"

    def __init__(self, device: str) -> None:
        super().__init__(f"Device {device} is not allocated in this session")


class NoSuchDevice(Refusal):
    """The catalogue has no device of this kind, free or not. Assumed: 404."""

    status = 404
    code = "device_not_found"

    def __init__(self) -> None:
        super().__init__("No device matches these filters")


class NoneFree(Refusal):
    """Every device of this kind is held. Assumed: 409."""

    status = 409
    code = "no_device_available"

    def __init__(self) -> None:
        super().__init__("Every device that matches these filters is in use")


class SessionReleased(Refusal):
    """A session that is over takes no further device. Assumed: 409."""

    status = 409
    code = "session_released"

    def __init__(self, session_id: str) -> None:
        super().__init__(f"Session {session_id} is released")


def body(code: str, message: str) -> dict[str, Any]:
    """`{"error": {"code", "message"}}`. Source: client (it shows the message)."""
    return {"error": {"code": code, "message": message}}


def error_body(status: int, message: str) -> dict[str, Any]:
    """The body for a refusal of HTTP's."""
    return body(_CODES.get(status, "refused"), message)
