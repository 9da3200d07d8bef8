"""Notte's errors, and the one shape of their bodies."""

from typing import Any, ClassVar


class NotteError(Exception):
    """An error answered as Notte does: a status, a text, and the session that it concerns."""

    status: ClassVar = 400

    def __init__(self, detail: str, session_id: str | None = None) -> None:
        super().__init__(detail)
        self.detail = detail
        self.session_id = session_id


class NotFound(NotteError):
    """No session of the caller's organization has this id. Assumed: 404, in v1 too."""

    status = 404

    def __init__(self, session_id: str) -> None:
        super().__init__(f"Session {session_id} not found", session_id)


class SessionEnded(NotteError):
    """The session has ended: it takes no more operations."""

    status = 404

    def __init__(self, session_id: str, why: str) -> None:
        super().__init__(f"Session {session_id} {why}", session_id)


class AlreadyClosed(NotteError):
    """A stop of a session that has ended. Source: client (it looks for these words)."""

    def __init__(self, session_id: str) -> None:
        super().__init__(f"Session {session_id} is already closed", session_id)


class NoOrganization(NotteError):
    """The key's user has no organization to keep sessions in. Assumed: 403."""

    status = 403

    def __init__(self) -> None:
        super().__init__("This key belongs to no organization")


def body(detail: Any, session_id: str | None = None) -> dict[str, Any]:
    """`{"detail": …}`, with the id of the session that the call concerns. Source: client."""
    return {"detail": detail} | ({} if session_id is None else {"session_id": session_id})
