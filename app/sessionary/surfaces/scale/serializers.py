"""Scale's rows as JSON."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from sessionary.web import json_codec
from sessionary.web.instants import to_text

if TYPE_CHECKING:
    from sessionary.identity import Caller
    from sessionary.surfaces.scale.models import SessionRow


def session(row: "SessionRow") -> dict[str, Any]:
    """Serialize a session; unset dates are absent: the type has no null. Source: page."""
    shown = {
        "id": row.id,
        "title": row.title,
        "state": json_codec.decode(row.state),
        "created_at": to_text(row.created_at),
        "updated_at": to_text(row.updated_at),
        "created_by_user_id": row.created_by_user_id,
        "created_by_identity_type": row.created_by_identity_type,
        "account_id": row.account_id,
    }
    if row.start_date is not None:
        shown["start_date"] = to_text(row.start_date)
    if row.end_date is not None:
        shown["end_date"] = to_text(row.end_date)
    if row.archived_at is not None:
        shown["archived_at"] = to_text(row.archived_at)
    return shown


def page(
    rows: Iterator["SessionRow"], *, total: int, number: int, size: int
) -> Iterator[tuple[str, Any]]:
    """`current_page` echoes the request, also past the end. Source: client, sibling."""
    yield "items", map(session, rows)
    yield "total_item_count", total
    yield "current_page", number
    yield "items_per_page", size


def deletion(count: int) -> dict[str, Any]:
    """Serialize a DELETE. Source: sibling. Assumed: an archived session counts 0 and succeeds."""
    return {"count": count, "success": True}


def user_info(caller: "Caller", roles: dict[str, str], names: dict[str, str]) -> dict[str, Any]:
    """Serialize the caller; the default account comes first, then the order of declaration.

    Source: client (it takes the first account of an admin, and needs an email; scale-egp 1.0 reads
    `accounts`). Assumed: a missing email is an address at a domain that cannot exist; an undeclared
    account is named "Default".
    """
    accounts = [*names, *(account for account in roles if account not in names)]
    accounts.sort(key=lambda account: account != caller.organization)
    profiles = [
        {"role": roles[id], "account": {"id": id, "name": names.get(id, "Default")}}
        for id in accounts
    ]
    return {
        "id": caller.user,
        "email": caller.email or f"{caller.user}@users.invalid",
        "first_name": None,
        "last_name": None,
        "access_profiles": profiles,
        "accounts": profiles,
    }
