"""Scale's API errors and the shape of their bodies."""

from typing import Any, ClassVar


class ScaleError(Exception):
    """A response of Scale other than success: a status and a text."""

    status: ClassVar = 400
    detail: ClassVar = ""

    def __init__(self, *values: object) -> None:
        super().__init__(self.detail.format(*values))


class NoAccess(ScaleError):
    """The key has no profile in this account. Assumed: 403, not 404."""

    status = 403
    detail = "This key has no access to account {}"


class ReadOnly(ScaleError):
    """The key's role in the account does not allow writes. Assumed: 403."""

    status = 403
    detail = "The role readonly does not allow this"


class AccountMismatch(ScaleError):
    """Header and body name different accounts. Assumed: 403."""

    status = 403
    detail = "x-selected-account-id is {}, but the account_id of the body is {}"


class NotFound(ScaleError):
    """The caller can see no session with this id. Source: sibling (404)."""

    status = 404
    detail = "Session {} not found"


class SessionArchived(ScaleError):
    """An archived session must be restored before it can change. Source: sibling (400)."""

    detail = "Session {} is archived; restore it first"


class StateTooLarge(ScaleError):
    """A `state` over the limit. Assumed: 413."""

    status = 413
    detail = "state is larger than {} bytes"


def body(detail: Any) -> dict[str, Any]:
    """Build `{"detail": …}` from a text or a list of violations. Source: client, sibling."""
    return {"detail": detail}


def retry_headers(milliseconds: int) -> dict[str, str]:
    """Build the headers that say when to retry, for 429 and 503; seconds are rounded up.

    Source: client (it reads both, and prefers milliseconds).
    """
    return {"Retry-After": str(-(-milliseconds // 1000)), "retry-after-ms": str(milliseconds)}
