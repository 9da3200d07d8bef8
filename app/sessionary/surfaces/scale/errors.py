"""Scale's API errors and the shape of their bodies."""

from typing import Any


class ScaleError(Exception):
    """A response of Scale other than success: a text and a status."""

    def __init__(self, detail: str, status: int = 400) -> None:
        super().__init__(detail)
        self.status = status


def body(detail: Any) -> dict[str, Any]:
    """Build `{"detail": …}` from a text or a list of violations. Source: client, sibling."""
    return {"detail": detail}


def retry_headers(milliseconds: int) -> dict[str, str]:
    """Say when to retry, in seconds (rounded up) and in milliseconds. Source: client (both)."""
    return {"Retry-After": str(-(-milliseconds // 1000)), "retry-after-ms": str(milliseconds)}
