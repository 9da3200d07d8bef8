"""Mobile Next's tables of the seed file: the catalogue, and sessions that exist from the start."""

import uuid
from typing import Any

from marshmallow import fields, validates_schema

from sessionary import clock, identity, store
from sessionary.identity import User
from sessionary.seeds.schemas import Ago, BadRow, SeedRow
from sessionary.surfaces.mobilenext import allocation, devices, queries, rules
from sessionary.surfaces.mobilenext.models import (
    Allocation,
    AllocationRow,
    Device,
    Session,
    SessionRow,
)
from sessionary.web import json_codec
from sessionary.web.fields import Boolean, Bounds, Integer, Text, problem
from sessionary.web.surface import SeedTable

_MINUTE = 60_000_000
_MOST_MINUTES = 10 * 366 * 24 * 60


class DeviceSeed(devices.DeviceFacts):
    """A device of the catalogue."""

    retired = Boolean(load_default=False)


class HoldingSeed(SeedRow):
    """A further device of a session."""

    device = Text(required=True)
    created_ago = Ago(required=True)
    released_ago = Ago(load_default=None)


class SessionSeed(SeedRow):
    """A session that exists from the start.

    Without `device` it is empty: opened at `created_ago`, and gone `empty_minutes` later. A device
    on demand is ready `provision_seconds` after its `created_ago`.
    """

    id = fields.UUID(required=True)
    organization = Text(required=True)
    user = fields.UUID(required=True)
    device = Text(load_default=None)
    created_ago = Ago(required=True)
    released_ago = Ago(load_default=None)
    lease_minutes = Integer(load_default=None, validate=Bounds(1, _MOST_MINUTES))
    empty_minutes = Integer(load_default=15, validate=Bounds(1, _MOST_MINUTES))
    further_devices = fields.List(fields.Nested(HoldingSeed), load_default=list)

    @validates_schema
    def has_what_it_releases(self, data: dict[str, Any], **_: Any) -> None:
        for name in ("released_ago", "lease_minutes", "further_devices"):
            if data["device"] is None and data[name] not in (None, []):
                raise problem("value", f"{name} needs a device")

    @validates_schema
    def is_in_order(self, data: dict[str, Any], **_: Any) -> None:
        lease = data["lease_minutes"]
        for each in (data, *data["further_devices"]):
            released_ago = each["released_ago"]
            if each["created_ago"] > data["created_ago"]:
                raise problem("value", "a further device's created_ago is before the session's")
            if released_ago is not None and released_ago > each["created_ago"]:
                raise problem("value", "released_ago is before created_ago")
            if lease is not None and _last(each) < data["created_ago"] - lease * _MINUTE:
                raise problem("value", "the lease ends before a created_ago or released_ago")


def _last(holding: dict[str, Any]) -> int:
    """How long ago the last call on a device was."""
    ago = holding["released_ago"]
    return int(holding["created_ago"] if ago is None else ago)


def _device(row: dict[str, Any], _: int) -> None:
    is_retired = row.pop("retired")
    devices.leave_defaults()
    devices.put(row, is_retired=is_retired)


def _session(row: dict[str, Any], applied_at: int) -> None:
    """Bring a session up to the file.

    One that exists stays as it is where the file has it empty, or where another session has been
    given one of its devices since.
    """
    _has_owner(row)
    session = _opened(row, applied_at)
    is_new = not Session.select().where(Session.id == session.id).exists()
    if row["device"] is None:
        if is_new:
            store.upsert(Session, "id", **session._asdict())
        return
    session = _listed(session, row["lease_minutes"])
    held = _held(row, session, applied_at)
    taken = _taken(held, session)
    if taken and is_new:
        raise BadRow(f"device {taken[0]!r} is held by another session")
    if not taken:
        _put(session, held, is_new=is_new)


def _has_owner(row: dict[str, Any]) -> None:
    if not identity.is_declared(row["organization"]):
        raise BadRow(f"organization {row['organization']!r} does not exist")
    if not User.select().where(User.id == str(row["user"])).exists():
        raise BadRow(f"user {str(row['user'])!r} does not exist")


def _opened(row: dict[str, Any], applied_at: int) -> SessionRow:
    opened_at = applied_at - row["created_ago"]
    return SessionRow(
        id=str(row["id"]),
        organization=row["organization"],
        user=str(row["user"]),
        opened_at=opened_at,
        void_at=rules.void_at(opened_at, row["empty_minutes"]),
        created_at=None,
        expires_at=None,
        released_at=None,
    )


def _listed(session: SessionRow, lease_minutes: int | None) -> SessionRow:
    """With the first free `createdAt` from its opening on: two sessions never have the same."""
    created_at = allocation.free_creation(session, session.opened_at)
    expires_at = rules.lease_end(created_at, lease_minutes)
    return session._replace(created_at=created_at, expires_at=expires_at)


def _held(row: dict[str, Any], session: SessionRow, applied_at: int) -> list[AllocationRow]:
    """The session's first device, then its further ones."""
    found = []
    for number, each in enumerate([row, *row["further_devices"]]):
        device = Device.get_or_none(Device.serial == each["device"])
        if device is None:
            raise BadRow(f"device {each['device']!r} does not exist")
        created_at = max(applied_at - each["created_ago"], session.created_at or 0)
        ago = each["released_ago"]
        found.append(
            AllocationRow(
                id=str(uuid.uuid5(row["id"], str(number))),
                session=session.id,
                serial=device.serial,
                platform=device.platform,
                type=device.type,
                name=device.name,
                version=device.version,
                created_at=created_at,
                in_use_at=rules.ready_at(created_at, device.provision_seconds),
                expires_at=session.expires_at,
                released_at=None if ago is None else max(applied_at - ago, created_at),
            )
        )
    return found


def _taken(held: list[AllocationRow], session: SessionRow) -> list[str]:
    """Which of the devices that are held now another session holds. Refuses one held twice."""
    now = clock.now()
    serials = [each.serial for each in held if rules.is_open(each, now)]
    if len(set(serials)) < len(serials):
        raise BadRow("a device is held twice")
    for serial in serials:
        allocation.settle(serial, now)
    return queries.held_elsewhere.all(
        serials=json_codec.encode(serials), session=session.id, now=now
    )


def _put(session: SessionRow, held: list[AllocationRow], *, is_new: bool) -> None:
    store.upsert(Session, "id", **session._asdict())
    for each in held:
        store.upsert(Allocation, "id", **each._asdict())
    if is_new:
        allocation.raise_mark(session)
    every = queries.allocations.all(sessions=json_codec.encode([session.id]))
    queries.end_session.run(id=session.id, released_at=rules.session_released_at(every))


TABLES = (
    SeedTable("devices", DeviceSeed(), _device, key="serial"),
    SeedTable("mobilenext.sessions", SessionSeed(), _session),
)
