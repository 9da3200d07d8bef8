"""Scale's refusals, and the one shape of their bodies."""

from typing import Any


class Refusal(Exception):
    """A refusal in Scale's words: a status and a text."""

    status = 400

    def __init__(self, detail: str) -> None:
        super().__init__(detail)
        self.detail = detail


class NoAccess(Refusal):
    """The key has no profile in this account. Assumed: 403, not 404."""

    status = 403

    def __init__(self, account: str) -> None:
        super().__init__(f"This key has no access to account {account}")


class ReadOnly(Refusal):
    """The key's role in the account allows no write. Assumed: 403."""

    status = 403

    def __init__(self) -> None:
        super().__init__("The role readonly does not allow this")


class TwoAccounts(Refusal):
    """Header and body name different accounts. Assumed: 403."""

    status = 403

    def __init__(self, selected: str, named: str) -> None:
        super().__init__(
            f"x-selected-account-id is {selected}, but the account_id of the body is {named}"
        )


class Unknown(Refusal):
    """No session within the caller's reach has this id. Source: sibling (404)."""

    status = 404

    def __init__(self, session_id: str) -> None:
        super().__init__(f"Session {session_id} not found")


class Archived(Refusal):
    """An archived session does not change until it is restored. Source: sibling (400)."""

    def __init__(self, session_id: str) -> None:
        super().__init__(f"Session {session_id} is archived; restore it first")


class TooLarge(Refusal):
    """A `state` over the limit. Assumed: 413."""

    status = 413

    def __init__(self, limit: int) -> None:
        super().__init__(f"state is larger than {limit} bytes")


def body(detail: Any) -> dict[str, Any]:
    """`{"detail": …}`: a text, or the list of violations. Source: client, sibling."""
    return {"detail": detail}
