"""Notte's refusals, and the one shape of their bodies."""

from typing import Any


class Refusal(Exception):
    """A refusal in Notte's words: a status, a text, and the session that it concerns."""

    status = 400

    def __init__(self, detail: str, session_id: str | None = None) -> None:
        super().__init__(detail)
        self.detail = detail
        self.session_id = session_id


class Unknown(Refusal):
    """No session of the caller's organization has this id. Assumed: 404, in v1 too."""

    status = 404

    def __init__(self, session_id: str) -> None:
        super().__init__(f"Session {session_id} not found", session_id)


class Over(Refusal):
    """The session has ended, so nothing can be done in it any more."""

    status = 404

    def __init__(self, session_id: str, why: str) -> None:
        super().__init__(f"Session {session_id} {why}", session_id)


class AlreadyClosed(Refusal):
    """Stopping what is over. Source: client (it looks for these words)."""

    def __init__(self, session_id: str) -> None:
        super().__init__(f"Session {session_id} is already closed", session_id)


class Homeless(Refusal):
    """The key's user has no organization to keep sessions in. Assumed: 403."""

    status = 403

    def __init__(self) -> None:
        super().__init__("This key belongs to no organization")


def body(detail: Any, session_id: str | None = None) -> dict[str, Any]:
    """`{"detail": …}` and the session's id where the call concerns one. Source: client."""
    return (
        {"detail": detail} if session_id is None else {"detail": detail, "session_id": session_id}
    )
