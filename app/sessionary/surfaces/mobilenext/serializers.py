"""Mobile Next's rows at an instant, as JSON."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import groupby, islice
from operator import attrgetter
from typing import TYPE_CHECKING, Any

from sessionary.surfaces.mobilenext import rules
from sessionary.web.instants import to_text

if TYPE_CHECKING:
    from sessionary.surfaces.mobilenext import models
    from sessionary.surfaces.mobilenext.models import AllocationRow, JoinedRow


def session(rows: "Sequence[JoinedRow]", now: int) -> dict[str, Any]:
    """Source: page, client (`devices`, in order of creation; without them it cannot release)."""
    first = rows[0]
    released_at = rules.session_released_at(first, now)
    return {
        "id": first.session,
        "organization": first.organization,
        "user": first.user,
        "device": {"id": first.serial, **_describe(first)},
        "devices": [allocation(each, now) for each in rows],
        "createdAt": to_text(first.created_at),
        "releasedAt": None if released_at is None else to_text(released_at),
    }


def allocation(row: "AllocationRow | JoinedRow", now: int) -> dict[str, Any]:
    """Serialize an allocation. Source: client (the serial is absent while provisioning)."""
    status = rules.allocation_status(row, now)
    info = _describe(row)
    if status != rules.PROVISIONING:
        info["serial"] = row.serial
    shown = {"id": row.id, "status": status, "info": info, "createdAt": to_text(row.created_at)}
    released_at = rules.released_at(row, now)
    if released_at is not None:
        shown["releasedAt"] = to_text(released_at)
    return shown


def _describe(row: "AllocationRow | JoinedRow") -> dict[str, Any]:
    return {"platform": row.platform, "type": row.type, "name": row.name, "osVersion": row.version}


def page(rows: "Iterable[JoinedRow]", now: int, *, size: int) -> Iterator[tuple[str, Any]]:
    """Serialize a page. Source: page (`nextCursor` is absent after the last session).

    `rows` hold one session more than the page's size if there is a next page.
    """
    created_at = ""

    def shown(found: "tuple[str, Iterator[JoinedRow]]") -> dict[str, Any]:
        nonlocal created_at
        made = session(list(found[1]), now)
        created_at = made["createdAt"]
        return made

    sessions = groupby(rows, key=attrgetter("session"))
    yield "object", "list"
    yield "data", map(shown, islice(sessions, size))
    if next(sessions, None) is not None:
        yield "nextCursor", created_at


def new_session(row: "models.SessionRow") -> dict[str, Any]:
    """Serialize a session without devices. Source: client (it reads `id`)."""
    return {
        "id": row.id,
        "organization": row.organization,
        "user": row.user,
        "createdAt": to_text(row.opened_at),
    }


def allocated(row: "AllocationRow") -> dict[str, Any]:
    """Serialize a new allocation. Source: client. Assumed: the model of a device is its name."""
    if row.in_use_at is not None:
        return {"allocationId": row.id, "state": "allocating"}
    return {"allocationId": row.id, "device": _ready_device(row)}


def _ready_device(row: "AllocationRow") -> dict[str, Any]:
    return {
        "id": row.serial,
        "name": row.name,
        "platform": row.platform,
        "type": row.type,
        "version": row.version,
        "state": "online",
        "model": row.name,
    }


def device(row: "AllocationRow", now: int) -> dict[str, Any]:
    """Serialize an allocation for `/ws`. Source: client (strings; the ids; `version`)."""
    is_ready = rules.allocation_status(row, now) != rules.PROVISIONING
    return {
        **_ready_device(row),
        "id": row.serial if is_ready else "",
        "state": "online" if is_ready else "allocating",
        "provider": {"type": "mobilenext", "allocationId": row.id, "sessionId": row.session},
    }


def model(row: "models.DeviceRow") -> dict[str, Any]:
    """Serialize a device of the catalogue without its serial. Source: client."""
    return {
        "name": row.name,
        "platform": row.platform,
        "type": row.type,
        "version": row.version,
        "formFactor": "phone",
    }


def allocation_list(rows: "Sequence[AllocationRow]", now: int) -> dict[str, Any]:
    """Serialize the allocations of a session. Source: client."""
    return {"object": "list", "data": [allocation(row, now) for row in rows]}


def organizations(
    rows: Sequence[tuple[str, str, int]], roles: Mapping[str, str], began_at: int
) -> dict[str, Any]:
    """One without a row is the default organization. Source: docs. Assumed: the type."""
    known = {id: (name, created_at) for id, name, created_at in rows}
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
