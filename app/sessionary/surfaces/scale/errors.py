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

    status, detail = 403, "This key has no access to account {}"


class ReadOnly(ScaleError):
    """The key's role in the account does not allow writes. Assumed: 403."""

    status, detail = 403, "The role readonly does not allow this"


class AccountMismatch(ScaleError):
    """Header and body name different accounts. Assumed: 403."""

    status, detail = 403, "x-selected-account-id is {}, but the account_id of the body is {}"


class NotFound(ScaleError):
    """The caller can see no session with this id. Source: sibling (404)."""

    status, detail = 404, "Session {} not found"


class SessionArchived(ScaleError):
    """An archived session must be restored before it can change. Source: sibling (400)."""

    detail = "Session {} is archived; restore it first"


class StateTooLarge(ScaleError):
    """A `state` over the limit. Assumed: 413."""

    status, detail = 413, "state is larger than {} bytes"


def body(detail: Any) -> dict[str, Any]:
    """Build `{"detail": …}` from a text or a list of violations. Source: client, sibling."""
    return {"detail": detail}


def retry_headers(milliseconds: int) -> dict[str, str]:
    """Say when to retry, in seconds (rounded up) and in milliseconds. Source: client (both)."""
    return {"Retry-After": str(-(-milliseconds // 1000)), "retry-after-ms": str(milliseconds)}
