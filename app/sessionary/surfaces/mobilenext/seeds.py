"""Mobile Next's tables of the seed file: devices and sessions."""

import uuid
from typing import Any

from marshmallow import fields, validates_schema

from sessionary import clock, identity
from sessionary.seeds.schemas import Ago, BadRow, SeedRow
from sessionary.surfaces.mobilenext import allocation, devices, rules
from sessionary.surfaces.mobilenext.models import AllocationRow, SessionRow
from sessionary.surfaces.mobilenext.queries import allocations, control, sessions
from sessionary.surfaces.mobilenext.queries import devices as catalogue
from sessionary.web import json_codec
from sessionary.web.fields import Boolean, Bounds, Integer, Text, problem
from sessionary.web.surface import SeedTable

_MAX_MINUTES = 10 * 366 * 24 * 60


class DeviceSeed(devices.DeviceFacts):
    """A device of the catalogue."""

    retired = Boolean(load_default=False)


class AllocationSeed(SeedRow):
    """A further device of a session."""

    device = Text(required=True)
    created_ago = Ago(required=True)
    released_ago = Ago(load_default=None)


class SessionSeed(SeedRow):
    """A session that exists from the start.

    Without `device` it is empty, opened at `created_ago`, and expires `empty_minutes` later. An
    on-demand device is ready `provision_seconds` after its `created_ago`.
    """

    id = fields.UUID(required=True)
    organization = Text(required=True)
    user = fields.UUID(required=True)
    device = Text(load_default=None)
    created_ago = Ago(required=True)
    released_ago = Ago(load_default=None)
    lease_minutes = Integer(load_default=None, validate=Bounds(1, _MAX_MINUTES))
    empty_minutes = Integer(
        load_default=rules.DEFAULT_EMPTY_SESSION_MINUTES, validate=Bounds(1, _MAX_MINUTES)
    )
    further_devices = fields.List(fields.Nested(AllocationSeed), load_default=list)

    @validates_schema
    def check_device(self, data: dict[str, Any], **_: Any) -> None:
        for name in ("released_ago", "lease_minutes", "further_devices"):
            if data["device"] is None and data[name] not in (None, []):
                raise problem("value", f"{name} needs a device")

    @validates_schema
    def check_order(self, data: dict[str, Any], **_: Any) -> None:
        lease = data["lease_minutes"]
        for each in (data, *data["further_devices"]):
            created_ago, released_ago = each["created_ago"], each["released_ago"]
            last_call_ago = created_ago if released_ago is None else released_ago
            if created_ago > data["created_ago"]:
                raise problem("value", "a further device's created_ago is before the session's")
            if last_call_ago > created_ago:
                raise problem("value", "released_ago is before created_ago")
            if lease is not None and last_call_ago < data["created_ago"] - lease * rules.MINUTE:
                raise problem("value", "the lease ends before a created_ago or released_ago")


def _apply_device(row: dict[str, Any], _: int) -> None:
    """Insert or replace a device; the first one of a file removes the default devices."""
    is_retired = row.pop("retired")
    catalogue.remove_defaults()
    catalogue.upsert(row, is_retired=is_retired)


def _apply_session(row: dict[str, Any], applied_at: int) -> None:
    """Store a session. A known one that is empty here, or lost a device, stays. Raises BadRow."""
    session = _make_session(row, applied_at)
    is_new = control.by_id.one(id=session.id) is None
    if row["device"] is None:
        if is_new:
            sessions.upsert(session)
        return
    created_at = allocation.free_created_at(session, session.opened_at)
    expires_at = rules.lease_expires_at(created_at, row["lease_minutes"])
    session = session._replace(created_at=created_at, expires_at=expires_at)
    of_session = _make_allocations(row, session, applied_at)
    elsewhere = _allocated_elsewhere(of_session, session)
    if elsewhere and is_new:
        raise BadRow(f"device {elsewhere[0]!r} is held by another session")
    if not elsewhere:
        _upsert(session, of_session, is_new=is_new)


def _make_session(row: dict[str, Any], applied_at: int) -> SessionRow:
    if not identity.is_declared(row["organization"]):
        raise BadRow(f"organization {row['organization']!r} does not exist")
    if sessions.has_user.one(id=str(row["user"])) is None:
        raise BadRow(f"user {str(row['user'])!r} does not exist")
    opened_at = applied_at - row["created_ago"]
    return SessionRow(
        id=str(row["id"]),
        organization=row["organization"],
        user=str(row["user"]),
        opened_at=opened_at,
        empty_expires_at=rules.empty_expires_at(opened_at, row["empty_minutes"]),
    )


def _make_allocations(
    row: dict[str, Any], session: SessionRow, applied_at: int
) -> list[AllocationRow]:
    """Build the allocation of the session's first device, then of the further ones."""
    made = []
    for number, each in enumerate([row, *row["further_devices"]]):
        device = catalogue.by_serial.one(serial=each["device"])
        if device is None:
            raise BadRow(f"device {each['device']!r} does not exist")
        created_at = max(applied_at - each["created_ago"], session.created_at or 0)
        ago = each["released_ago"]
        released_at = None if ago is None else max(applied_at - ago, created_at)
        made.append(
            allocation.make_row(
                device,
                id=str(uuid.uuid5(row["id"], str(number))),
                session=session.id,
                created_at=created_at,
                in_use_at=rules.ready_at(created_at, device.provision_seconds),
                expires_at=session.expires_at,
                released_at=released_at,
            )
        )
    return made


def _allocated_elsewhere(of_session: list[AllocationRow], session: SessionRow) -> list[str]:
    """Return the devices that this session and another both hold now. Raises BadRow."""
    now = clock.now()
    serials = [each.serial for each in of_session if rules.is_open(each, now)]
    if len(set(serials)) < len(serials):
        raise BadRow("a device is held twice")
    for serial in serials:
        allocation.store_lease_end(serial, now)
    return allocations.allocated_elsewhere.all(
        serials=json_codec.encode(serials), session=session.id, now=now
    )


def _upsert(session: SessionRow, of_session: list[AllocationRow], *, is_new: bool) -> None:
    sessions.upsert(session)
    for each in of_session:
        allocations.upsert(each)
    if is_new:
        allocation.raise_mark(session)
    every = allocations.of_sessions.all(sessions=json_codec.encode([session.id]))
    sessions.set_released_at.run(id=session.id, released_at=rules.last_release_at(every))


TABLES = (
    SeedTable("devices", DeviceSeed(), _apply_device, key="serial"),
    SeedTable("mobilenext.sessions", SessionSeed(), _apply_session),
)
