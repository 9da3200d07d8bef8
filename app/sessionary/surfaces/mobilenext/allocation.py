"""Allocate and release devices, inside the write transaction of the call."""

from collections.abc import Mapping, Sequence
from typing import Any

from sessionary import clock, ids
from sessionary.surfaces.mobilenext import rules
from sessionary.surfaces.mobilenext.errors import NO_DEVICE_AVAILABLE, MobileNextError
from sessionary.surfaces.mobilenext.models import DESCRIPTION, AllocationRow, DeviceRow, SessionRow
from sessionary.surfaces.mobilenext.queries import allocations, devices, sessions


def choose_device(filters: Sequence[Mapping[str, str]], at: int) -> DeviceRow:
    """Return the first free device that matches. Raises MobileNextError.

    Assumed: ready before on-demand, then the catalogue's order; a retired device does not exist;
    404 if none matches, 409 if every one that does is allocated.
    """
    error = MobileNextError(404, "device_not_found", "No device matches these filters")
    for device in devices.candidates.all(now=at):
        if rules.is_match(device, filters):
            if not device.is_allocated:
                return device
            error = MobileNextError(409, "no_device_available", NO_DEVICE_AVAILABLE)
    raise error


def allocate(device: DeviceRow, session: SessionRow, at: int, minutes: int | None) -> AllocationRow:
    """Reserve a free device; it makes a session listed, or active again. Source: client."""
    store_lease_end(device.serial, at)
    if session.created_at is None:
        created_at = next_created_at(session, at)
        expires_at = rules.lease_expires_at(created_at, minutes)
        sessions.set_created_at.run(
            id=session.id, created_at=created_at, expires_at=expires_at, status_since_at=at
        )
    else:
        created_at = rules.not_before(session.created_at, at)
        expires_at = session.expires_at
        sessions.reopen.run(id=session.id, status_since_at=at)
    row = make_row(
        device,
        id=ids.uuid(),
        session=session.id,
        created_at=created_at,
        in_use_at=rules.ready_at(at, device.provision_seconds),
        expires_at=expires_at,
    )
    allocations.insert.run(**row._asdict())
    return row


def make_row(device: DeviceRow, **facts: Any) -> AllocationRow:
    """Build an allocation from these columns and the description of its device."""
    return AllocationRow(**facts, **{name: getattr(device, name) for name in DESCRIPTION})


def release(released: AllocationRow, of_session: Sequence[AllocationRow], at: int) -> AllocationRow:
    """Release one of a session's allocations, and the session with the last of them."""
    row = released._replace(released_at=rules.not_before(released.created_at, at))
    allocations.set_released_at.run(id=row.id, released_at=row.released_at)
    after = [row if each is released else each for each in of_session]
    session_released_at = rules.last_release_at(after)
    if session_released_at is not None:
        sessions.set_released_at.run(
            id=row.session, released_at=session_released_at, status_since_at=at
        )
    return row


def next_created_at(session: SessionRow, at: int) -> int:
    """Return the next `createdAt` of the session's organization and store it as the mark.

    It is unique and strictly increasing. Source: page (the cursor is this timestamp).
    """
    moves = clock.state().moves
    mark = sessions.mark.one(organization=session.organization)
    created_at = free_created_at(session, rules.earliest_created_at(mark, at, moves))
    sessions.put_mark.run(organization=session.organization, created_at=created_at, moves=moves)
    return created_at


def free_created_at(session: SessionRow, at: int) -> int:
    """Return the first `createdAt` from `at` on that no other session of the organization has."""
    place = {"organization": session.organization, "session": session.id, "created_at": at}
    if sessions.is_created_at_taken.one(**place) is None:
        return at
    last = sessions.last_taken_created_at.one(**place)
    assert last is not None  # noqa: S101 - a taken value is in a run that ends
    return last + 1


def raise_mark(session: SessionRow) -> None:
    """Raise the mark to a seeded session's `createdAt`, so that later ones are greater."""
    assert session.created_at is not None  # noqa: S101 - called for a listed session
    moves = clock.state().moves
    mark = sessions.mark.one(organization=session.organization)
    raised = rules.raised_mark(mark, session.created_at, moves)
    sessions.put_mark.run(organization=session.organization, created_at=raised, moves=moves)


def store_lease_end(serial: str, at: int) -> None:
    """Store the end of a device's last lease as a release, before the device is allocated again.

    Otherwise, after the clock is moved back, two sessions would hold the device.
    """
    allocations.store_session_lease_ends.run(serial=serial, now=at)
    allocations.store_lease_ends.run(serial=serial, now=at)
