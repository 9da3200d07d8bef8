"""Rows and an instant as Mobile Next's JSON."""

from collections.abc import Iterable, Mapping, Sequence
from itertools import groupby
from operator import attrgetter
from typing import TYPE_CHECKING, Any

from sessionary.surfaces.mobilenext import rules
from sessionary.web.instants import to_text

if TYPE_CHECKING:
    from sessionary.surfaces.mobilenext.models import (
        AllocationRow,
        OrganizationRow,
        SessionRow,
        ShownRow,
    )


def session(rows: "Sequence[ShownRow]", now: int) -> dict[str, Any]:
    """A listed session: a row for each of its allocations, the first one first.

    Source: page; client (`devices`, without which it cannot release).
    """
    first = rows[0]
    ended_at = rules.ended_at(first, now)
    return {
        "id": first.session,
        "organization": first.organization,
        "user": first.user,
        "device": {"id": first.serial, **_description(first)},
        "devices": [allocation(each, now) for each in rows],
        "createdAt": to_text(first.created_at),
        "releasedAt": None if ended_at is None else to_text(ended_at),
    }


def allocation(row: "AllocationRow | ShownRow", now: int) -> dict[str, Any]:
    """Source: client (the serial is there once the device can be used)."""
    status = rules.status(row, now)
    info = _description(row)
    if status != rules.PROVISIONING:
        info["serial"] = row.serial
    shown = {"id": row.id, "status": status, "info": info, "createdAt": to_text(row.created_at)}
    released_at = rules.released_at(row, now)
    if released_at is not None:
        shown["releasedAt"] = to_text(released_at)
    return shown


def _description(row: "AllocationRow | ShownRow") -> dict[str, Any]:
    return {
        "platform": row.platform,
        "type": row.type,
        "name": row.name,
        "osVersion": row.version,
    }


def page(rows: "Iterable[ShownRow]", now: int, *, size: int) -> dict[str, Any]:
    """Sessions of a page; `rows` are of one more than its size if there is a next one.

    Source: page (`nextCursor` is absent after the last one).
    """
    sessions = [list(each) for _, each in groupby(rows, key=attrgetter("session"))]
    data = [session(each, now) for each in sessions[:size]]
    shown: dict[str, Any] = {"object": "list", "data": data}
    if len(sessions) > size:
        shown["nextCursor"] = data[-1]["createdAt"]
    return shown


def new_session(row: "SessionRow") -> dict[str, Any]:
    """Source: client (it reads `id`)."""
    return {
        "id": row.id,
        "organization": row.organization,
        "user": row.user,
        "createdAt": to_text(row.opened_at),
    }


def allocated(row: "AllocationRow") -> dict[str, Any]:
    """A device that is ready. Source: client. Assumed: its model is its name."""
    device = {
        "id": row.serial,
        "name": row.name,
        "platform": row.platform,
        "type": row.type,
        "version": row.version,
        "state": "online",
        "model": row.name,
    }
    return {"allocationId": row.id, "device": device}


def allocating(row: "AllocationRow") -> dict[str, Any]:
    """A device that is being made ready. Source: client."""
    return {"allocationId": row.id, "state": "allocating"}


def allocation_list(rows: "Sequence[AllocationRow]", now: int) -> dict[str, Any]:
    """Source: client."""
    return {"object": "list", "data": [allocation(row, now) for row in rows]}


def organizations(
    rows: "Sequence[OrganizationRow]", roles: Mapping[str, str], began_at: int
) -> dict[str, Any]:
    """Source: docs. Assumed: the type. An organization that has no row is the default one."""
    known = {row.id: (row.name, row.created_at) for row in rows}
    shown = [(id, *known.get(id, ("Default", began_at))) for id in {**known, **roles}]
    return {
        "object": "list",
        "data": [
            {
                "id": id,
                "name": name,
                "type": "organization",
                "role": roles[id],
                "createdAt": to_text(created_at),
            }
            for id, name, created_at in shown
        ],
    }
