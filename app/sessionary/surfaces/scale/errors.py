"""Scale's API errors and the shape of their bodies."""

from typing import Any


class ScaleError(Exception):
    """A response of Scale other than success: a status and a text."""

    status = 400

    def __init__(self, detail: str) -> None:
        super().__init__(detail)
        self.detail = detail


class NoAccess(ScaleError):
    """The key has no profile in this account. Assumed: 403, not 404."""

    status = 403

    def __init__(self, account: str) -> None:
        super().__init__(f"This key has no access to account {account}")


class ReadOnly(ScaleError):
    """The key's role in the account does not allow writes. Assumed: 403."""

    status = 403

    def __init__(self) -> None:
        super().__init__("The role readonly does not allow this")


class AccountMismatch(ScaleError):
    """Header and body name different accounts. Assumed: 403."""

    status = 403

    def __init__(self, selected: str, named: str) -> None:
        super().__init__(
            f"x-selected-account-id is {selected}, but the account_id of the body is {named}"
        )


class NotFound(ScaleError):
    """The caller can see no session with this id. Source: sibling (404)."""

    status = 404

    def __init__(self, session_id: str) -> None:
        super().__init__(f"Session {session_id} not found")


class SessionArchived(ScaleError):
    """An archived session must be restored before it can change. Source: sibling (400)."""

    def __init__(self, session_id: str) -> None:
        super().__init__(f"Session {session_id} is archived; restore it first")


class StateTooLarge(ScaleError):
    """A `state` over the limit. Assumed: 413."""

    status = 413

    def __init__(self, limit: int) -> None:
        super().__init__(f"state is larger than {limit} bytes")


def body(detail: Any) -> dict[str, Any]:
    """Build `{"detail": …}` from a text or a list of violations. Source: client, sibling."""
    return {"detail": detail}


def retry_headers(milliseconds: int) -> dict[str, str]:
    """Build the headers that say when to retry, for 429 and 503; seconds are rounded up.

    Source: client (it reads both, and prefers milliseconds).
    """
    return {"Retry-After": str(-(-milliseconds // 1000)), "retry-after-ms": str(milliseconds)}
