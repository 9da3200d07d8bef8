"""Notte's errors, and the one shape of their bodies."""

from typing import Any


class NotteError(Exception):
    """An error answered as Notte does: a text, a status, and the session that it concerns."""

    def __init__(self, detail: str, status: int = 400, session_id: str | None = None) -> None:
        super().__init__(detail)
        self.detail = detail
        self.status = status
        self.session_id = session_id


class SessionError(NotteError):
    """What is wrong with one session, such as `is already closed`. Assumed: 404, in v1 too."""

    def __init__(self, session_id: str, what: str, status: int = 404) -> None:
        super().__init__(f"Session {session_id} {what}", status, session_id)


def body(detail: Any, session_id: str | None = None) -> dict[str, Any]:
    """`{"detail": …}`, with the id of the session that the call concerns. Source: client."""
    return {"detail": detail} | ({} if session_id is None else {"session_id": session_id})
