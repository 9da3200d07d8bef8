"""Scale's rules: pure functions. Instants are microseconds, in a request body nanoseconds."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from sessionary.surfaces.scale.errors import ScaleError

if TYPE_CHECKING:
    from sessionary.identity import Caller
    from sessionary.surfaces.scale.models import SessionRow

    IsDeclared = Callable[[str], bool]

LIVE = "live"
ARCHIVED = "archived"
ADMIN = "admin"
READONLY = "readonly"
PAGE_SIZE, MAX_PAGE_SIZE = 100, 10_000
_DATES = ("start_date", "end_date")

# Where each rule comes from.
SOURCES = {
    "transitions": "Assumed: a window that is over changes nothing else.",
    "status": "Assumed: a future `archived_at` of the caller archives at once, too.",
    "is_live": "Source: sibling (`archived_at`).",
    "has_ended": "Assumed: a caller may date an archiving back; the call's own instant counts too.",
    "is_valid_window": "Source: page (both ends are optional), sibling (the order).",
    "has_valid_window": "Source: sibling.",
    "is_restore": "Source: sibling (`restore: true`). Assumed: `archived_at: null` restores too, "
    "and `restore: false` means nothing.",
    "ensure_can_change": "Source: sibling (400). Assumed: an empty PATCH is refused as well.",
    "patched_columns": "Source: sibling (a restore comes first; absent names stay as they are). "
    "Assumed: `state` is replaced whole, null unsets a date, restoring a live session writes "
    "nothing.",
    "next_updated_at": "Source: page.",
    "to_microseconds": "Assumed: digits after the sixth are cut, never rounded.",
    "account_roles": "Source: client (access profiles). Assumed: keys can be bound.",
    "role": "Assumed: a lenient caller is an admin of every account that is not declared.",
    "ensure_access": "Source: client (the error classes). Assumed: 403; `readonly` writes nothing.",
    "ensure_same_account": "Assumed: two different accounts in one call are refused (403).",
    "is_visible": "Source: sibling (404). Assumed: the header of another account hides a session.",
    "listed_accounts": "Source: sibling (all of the caller's, narrowed by the header and by "
    "`account_id`). Assumed: an `account_id` without access, or other than the header's, gives an "
    "empty list.",
}


@dataclass(frozen=True, kw_only=True)
class ScaleSettings:
    """The settings `scale_…`."""

    max_state_bytes: int = field(
        default=1024 * 1024,
        metadata={"help": "maximum size of a `state`; larger ones get 413", "minimum": 2},
    )


def transitions(_: "SessionRow") -> list[Any]:
    """Return the instants at which a session changes by itself: none."""
    return []


def status(row: "SessionRow", _: int) -> str:
    """Return `live` or `archived`; it is the same at every instant."""
    return LIVE if is_live(row) else ARCHIVED


def is_live(row: "SessionRow") -> bool:
    """Return whether a session is not archived. SQL twin: `queries.is_live`."""
    return row.archived_at is None


def has_ended(row: "SessionRow", before_at: int) -> bool:
    """Return whether a session was archived before an instant. SQL twin: `queries.has_ended`."""
    return row.archived_at is not None and max(row.archived_at, row.updated_at) < before_at


def is_valid_window(start: int | None, end: int | None) -> bool:
    """Return whether a window does not end before it starts; the two may be equal."""
    return start is None or end is None or start <= end


def has_valid_window(row: "SessionRow", body: Mapping[str, Any]) -> bool:
    """Return whether the window is valid after a PATCH, unchanged dates included."""
    stored = {name: getattr(row, name) for name in _DATES}
    start, end = (
        body[name] if name in body else None if stored[name] is None else stored[name] * 1000
        for name in _DATES
    )
    return is_valid_window(start, end)


def is_restore(body: Mapping[str, Any]) -> bool:
    """Return whether a PATCH takes a session out of the archive."""
    return body.get("restore") is True or body.get("archived_at", 0) is None


def ensure_can_change(row: "SessionRow", body: Mapping[str, Any]) -> None:
    """Raise ScaleError if a PATCH of an archived session does not restore it."""
    if not is_live(row) and not is_restore(body):
        raise ScaleError(f"Session {row.id} is archived; restore it first")


def patched_columns(row: "SessionRow", body: Mapping[str, Any], at: int) -> dict[str, Any]:
    """Return the columns that a PATCH sets, with their values; empty if it writes nothing."""
    columns: dict[str, Any] = {name: body[name] for name in ("title", "state") if name in body}
    columns |= {name: to_microseconds(body[name]) for name in _DATES if name in body}
    if is_restore(body) and not is_live(row):
        columns["archived_at"] = None
    if body.get("archived_at") is not None:
        columns["archived_at"] = to_microseconds(body["archived_at"])
    if "archived_at" in columns and is_live(row) != (columns["archived_at"] is None):
        columns["status_since_at"] = at
    return {**columns, "updated_at": next_updated_at(row, at)} if columns else {}


def next_updated_at(row: "SessionRow", at: int) -> int:
    """Return the `updated_at` of a write at this instant; it never goes back."""
    return max(at, row.updated_at)


def to_microseconds(nanoseconds: int | None) -> int | None:
    """Convert an instant of a request to the precision that is stored."""
    return None if nanoseconds is None else nanoseconds // 1000


def account_roles(caller: "Caller") -> dict[str, str]:
    """Return the caller's role by account; a bound key has its account only."""
    bound = caller.bound
    return {account: role for account, role in caller.roles.items() if bound in (None, account)}


def role(caller: "Caller", account: str, is_declared: "IsDeclared") -> str | None:
    """Return the caller's role in an account, or None without a profile there."""
    known = account_roles(caller).get(account)
    if known is None and caller.anywhere and not is_declared(account):
        return ADMIN
    return known


def ensure_access(
    caller: "Caller", account: str, declared: "IsDeclared", *, to_write: bool
) -> None:
    """Raise ScaleError without a profile in the account, and if its role may not write."""
    found = role(caller, account, declared)
    if found is None:
        raise ScaleError(f"This key has no access to account {account}", 403)
    if to_write and found == READONLY:
        raise ScaleError("The role readonly does not allow this", 403)


def ensure_same_account(selected: str | None, named: str) -> None:
    """Raise ScaleError if the header names another account than the body."""
    if selected not in (None, named):
        names = f"x-selected-account-id is {selected}, but the account_id of the body is {named}"
        raise ScaleError(names, 403)


def is_visible(
    caller: "Caller", account: str, selected: str | None, declared: "IsDeclared"
) -> bool:
    """Return whether the caller can get a session of this account by its id."""
    return selected in (None, account) and role(caller, account, declared) is not None


def listed_accounts(
    caller: "Caller", selected: str | None, named: str | None, is_declared: "IsDeclared"
) -> tuple[list[str], bool]:
    """Return a list's accounts, and whether it has undeclared ones. SQL: `queries.is_covered`."""
    requested = {account for account in (selected, named) if account is not None}
    if not requested:
        return list(account_roles(caller)), caller.anywhere
    if len(requested) == 2:
        return [], False
    return [each for each in requested if role(caller, each, is_declared) is not None], False
