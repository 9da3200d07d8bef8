"""Giving a device to a session, and taking it back, inside the write transaction of the call."""

from collections.abc import Mapping, Sequence

from sessionary import clock, ids
from sessionary.surfaces.mobilenext import errors, queries, rules
from sessionary.surfaces.mobilenext.models import AllocationRow, DeviceRow, SessionRow


def choose(filters: Sequence[Mapping[str, str]], at: int) -> DeviceRow:
    """The first free device that fits. Raises NoSuchDevice and NoneFree.

    Assumed: ready before on-demand, then the catalogue's order; a retired device does not exist.
    """
    exists = False
    for device in queries.candidates.all(now=at):
        if rules.matches(device, filters):
            if not device.is_held:
                return device
            exists = True
    raise errors.NoneFree if exists else errors.NoSuchDevice


def give(
    device: DeviceRow, session: SessionRow, at: int, lease_minutes: int | None
) -> AllocationRow:
    """Reserve a free device; the first one makes its session listable. Source: client."""
    settle(device.serial, at)
    if session.created_at is None:
        created_at = next_creation(session, at)
        expires_at = rules.lease_end(created_at, lease_minutes)
        queries.enlist.run(id=session.id, created_at=created_at, expires_at=expires_at)
    else:
        created_at = rules.allocated_at(session.created_at, at)
        expires_at = session.expires_at
    row = AllocationRow(
        id=ids.uuid(),
        session=session.id,
        serial=device.serial,
        platform=device.platform,
        type=device.type,
        name=device.name,
        version=device.version,
        created_at=created_at,
        in_use_at=rules.ready_at(at, device.provision_seconds),
        expires_at=expires_at,
        released_at=None,
    )
    queries.insert_allocation.run(**row._asdict())
    return row


def take_back(held: AllocationRow, allocations: Sequence[AllocationRow], at: int) -> AllocationRow:
    """End an allocation, one of all that its session has; the last end is the session's.

    Source: page (`releasedAt`).
    """
    row = held._replace(released_at=rules.released_now(held, at))
    queries.end_allocation.run(id=row.id, released_at=row.released_at)
    ended_at = rules.session_released_at([row if each is held else each for each in allocations])
    if ended_at is not None:
        queries.end_session.run(id=row.session, released_at=ended_at)
    return row


def next_creation(session: SessionRow, at: int) -> int:
    """The next `createdAt` of a session's organization, which marks it as given.

    Unique and strictly increasing; a value that is taken, from before the clock was moved back, is
    skipped. Source: page (the cursor is this timestamp, compared strictly).
    """
    moves = clock.state().moves
    mark = queries.mark.one(organization=session.organization)
    created_at = free_creation(session, rules.earliest_creation(mark, at, moves))
    queries.put_mark.run(organization=session.organization, created_at=created_at, moves=moves)
    return created_at


def free_creation(session: SessionRow, at: int) -> int:
    """The first `createdAt` from `at` on that no other session of the organization has."""
    place = {"organization": session.organization, "session": session.id, "created_at": at}
    if queries.is_taken.one(**place) is None:
        return at
    last = queries.end_of_run.one(**place)
    assert last is not None  # noqa: S101 - a taken value is in a run that ends
    return last + 1


def raise_mark(session: SessionRow) -> None:
    """Let no later `createdAt` fall behind this session's, should the wall's clock step back."""
    assert session.created_at is not None  # noqa: S101 - called for a listed session
    moves = clock.state().moves
    mark = queries.mark.one(organization=session.organization)
    latest = rules.latest_creation(mark, session.created_at, moves)
    queries.put_mark.run(organization=session.organization, created_at=latest, moves=moves)


def settle(serial: str, at: int) -> None:
    """Keep the end of a lease that another session profits from, should the clock move back."""
    queries.settle_sessions.run(serial=serial, now=at)
    queries.settle_allocations.run(serial=serial, now=at)
