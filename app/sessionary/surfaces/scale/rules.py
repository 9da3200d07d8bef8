"""Scale's rules: pure functions of a row, a caller and an instant in microseconds.

In a request's body, and only there, instants are nanoseconds.
"""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from sessionary.surfaces.scale.errors import Archived, NoAccess, ReadOnly, TwoAccounts

if TYPE_CHECKING:
    from sessionary.identity import Caller
    from sessionary.surfaces.scale.models import SessionRow

LIVE = "live"
ARCHIVED = "archived"
ADMIN = "admin"
READONLY = "readonly"
_DATES = ("start_date", "end_date")


def transitions(_: "SessionRow") -> list[Any]:
    """Every instant at which this session changes by itself: none.

    Assumed: a window that is over changes nothing else.
    """
    return []


def status(row: "SessionRow", _: int) -> str:
    """`live` or `archived`, at any instant.

    Assumed: an `archived_at` that the caller gave archives at once, even if it lies ahead.
    """
    return LIVE if row.archived_at is None else ARCHIVED


def is_window(start: int | None, end: int | None) -> bool:
    """Whether a window does not end before it starts; both ends are optional, and may be equal.

    Source: page (both are optional), sibling (the order).
    """
    return start is None or end is None or start <= end


def keeps_window(row: "SessionRow", body: Mapping[str, Any]) -> bool:
    """Whether the window is one after this PATCH, with what it leaves alone. Source: sibling."""
    stored = {name: getattr(row, name) for name in _DATES}
    start, end = (
        body[name] if name in body else None if stored[name] is None else stored[name] * 1000
        for name in _DATES
    )
    return is_window(start, end)


def restores(body: Mapping[str, Any]) -> bool:
    """Whether a PATCH takes a session out of the archive.

    Source: sibling (`restore: true`). Assumed: `archived_at: null` says the same, and
    `restore: false` nothing.
    """
    return body.get("restore") is True or body.get("archived_at", 0) is None


def may_change(row: "SessionRow", body: Mapping[str, Any]) -> None:
    """Raises Archived for any PATCH of an archived session but one that restores it.

    Source: sibling. Assumed: an empty PATCH is refused as well.
    """
    if row.archived_at is not None and not restores(body):
        raise Archived(row.id)


def changes(row: "SessionRow", body: Mapping[str, Any], at: int) -> dict[str, Any]:
    """The columns that a PATCH sets, and to what; empty if it writes nothing.

    Source: sibling (restoring comes first, then the rest applies; names that are absent stay as
    they are). Assumed: `state` is replaced whole, null unsets a date, restoring a live session is
    no write.
    """
    columns: dict[str, Any] = {name: body[name] for name in ("title", "state") if name in body}
    columns |= {name: microseconds(body[name]) for name in _DATES if name in body}
    if restores(body) and row.archived_at is not None:
        columns["archived_at"] = None
    if body.get("archived_at") is not None:
        columns["archived_at"] = microseconds(body["archived_at"])
    return {**columns, "updated_at": written_at(row, at)} if columns else {}


def written_at(row: "SessionRow", at: int) -> int:
    """The `updated_at` of a write at this instant: never earlier than it was. Source: page."""
    return max(at, row.updated_at)


def microseconds(nanoseconds: int | None) -> int | None:
    """An instant as it is stored and shown. Assumed: cut after the sixth digit, never rounded."""
    return None if nanoseconds is None else nanoseconds // 1000


def accounts(caller: "Caller") -> dict[str, str]:
    """The caller's role in each of their accounts; a key that is bound to one has that alone.

    Source: client (access profiles). Assumed: keys can be bound.
    """
    return {
        account: role for account, role in caller.roles.items() if caller.bound in (None, account)
    }


def role(caller: "Caller", account: str, is_declared: Callable[[str], bool]) -> str | None:
    """The caller's role in an account, or None where they have no profile.

    Assumed: a lenient caller is an admin of every account that nobody has declared.
    """
    known = accounts(caller).get(account)
    if known is None and caller.anywhere and not is_declared(account):
        return ADMIN
    return known


def may_enter(
    caller: "Caller", account: str, is_declared: Callable[[str], bool], *, to_write: bool
) -> None:
    """Raises NoAccess without a profile in the account, ReadOnly if it does not allow a write.

    Source: client (the error classes). Assumed: which role may what.
    """
    found = role(caller, account, is_declared)
    if found is None:
        raise NoAccess(account)
    if to_write:
        may_write(found)


def may_write(role: str) -> None:
    """Raises ReadOnly for the role that only reads. Assumed: nobody says it."""
    if role == READONLY:
        raise ReadOnly


def must_agree(selected: str | None, named: str) -> None:
    """Raises TwoAccounts where the header names another account than the body.

    Assumed: nobody says what is meant by two.
    """
    if selected not in (None, named):
        raise TwoAccounts(str(selected), named)


def in_reach(
    caller: "Caller", account: str, selected: str | None, is_declared: Callable[[str], bool]
) -> bool:
    """Whether a session of this account can be had by its id.

    Assumed: a header that names another account hides it, as having no profile there does.
    """
    return selected in (None, account) and role(caller, account, is_declared) is not None


def listed(
    caller: "Caller", selected: str | None, named: str | None, is_declared: Callable[[str], bool]
) -> tuple[list[str], bool]:
    """The accounts that a list covers, and whether also every one that nobody has declared.

    Source: sibling (all of the caller's, narrowed by the header and by `account_id`). Assumed: an
    `account_id` without access, or other than the header's, gives an empty list, no refusal.
    """
    wanted = {account for account in (selected, named) if account is not None}
    if not wanted:
        return list(accounts(caller)), caller.anywhere
    if len(wanted) == 2:
        return [], False
    return [each for each in wanted if role(caller, each, is_declared) is not None], False
