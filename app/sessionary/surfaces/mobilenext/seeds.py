"""Mobile Next's tables of the seed file: devices and sessions."""

import uuid
from bisect import bisect_left, insort
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import partial
from math import inf
from typing import Any, NamedTuple, Self

from marshmallow import fields, validates_schema

from sessionary import clock
from sessionary.identity import User
from sessionary.seeds.identity import ensure_organization, find_user
from sessionary.seeds.schemas import Ago, BadRow, Outdated, SeedRow
from sessionary.store import Batch
from sessionary.surfaces.mobilenext import allocation, rules
from sessionary.surfaces.mobilenext.devices import DeviceFacts
from sessionary.surfaces.mobilenext.models import (
    DESCRIPTION,
    Allocation,
    AllocationRow,
    Device,
    DeviceRow,
    Session,
    SessionRow,
)
from sessionary.surfaces.mobilenext.queries import allocations, devices, sessions
from sessionary.web import json_codec
from sessionary.web.fields import Boolean, Bounds, Integer, Text, problem
from sessionary.web.surface import SeedRows, SeedTable

_MAX_MINUTES = 10 * 366 * 24 * 60


class DeviceSeed(DeviceFacts):
    """A device of the catalogue."""

    retired = Boolean(load_default=False)


class AllocationSeed(SeedRow):
    """A further device of a session, which reopens it if the earlier ones were released."""

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


def _plan_devices(rows: SeedRows, batch: Batch) -> None:
    """Insert or replace devices; those of a file remove the default ones."""
    for row, _ in rows:
        facts = {name: row[name] for name in (*DESCRIPTION, "provision_seconds")}
        batch.upsert(Device, "serial", **facts, is_default=0, is_retired=int(row["retired"]))
    batch.before_write(devices.remove_defaults)
    batch.before_write(partial(batch.write, Device))


def _plan_sessions(rows: SeedRows, batch: Batch) -> None:
    """Plan to store sessions. A known one that is empty here, or lost a device, stays."""
    batch.fetch(User, "id", map(str, rows.values("user")))
    batch.fetch(Session, "id", map(str, rows.values("id")))
    catalogue = _find_devices(rows, batch)
    created_ats, held = _CreatedAts(rows, batch), _HeldDevices(catalogue, rows, batch)
    new: list[SessionRow] = []
    for row, applied_at in rows:
        session, of_session = _make_session(row, applied_at, batch), []
        known = batch.find(Session, id=session.id)
        if row["device"] is not None:
            created_at = created_ats.choose(session, known)
            expires_at = rules.lease_expires_at(created_at, row["lease_minutes"])
            session = session._replace(created_at=created_at, expires_at=expires_at)
            of_session = _make_allocations(row, session, applied_at, catalogue)
            released_at = rules.last_release_at(of_session)
            since_at = rules.active_since_at(of_session) if released_at is None else released_at
            session = session._replace(released_at=released_at, status_since_at=since_at)
            elsewhere = held.elsewhere(of_session, session)
            if elsewhere and known is None:
                raise BadRow(f"device {elsewhere!r} is held by another session in that time")
            if elsewhere:
                continue
            created_ats.put(session, created_at, known)
            held.put(of_session)
        if known is None:
            new.append(session)
        elif row["device"] is None:
            continue
        batch.upsert(Session, "id", **session._asdict())
        states = _states(session)
        batch.date(Session, session.id, ((at, each._asdict()) for at, each in states))
        for each in of_session:
            batch.upsert(Allocation, "id", **each._asdict())
            batch.date(Allocation, each.id, _allocation_states(each))
    batch.before_write(partial(_write_sessions, batch, new, held.serials))


def _write_sessions(batch: Batch, new: Sequence[SessionRow], serials: set[str]) -> None:
    """Write all sessions. Raises Outdated if another session has got one of these devices."""
    now = clock.now()
    for serial in serials:
        allocation.store_lease_end(serial, now)
    known = {row["id"] for row in batch.rows(Session)} - {row.id for row in new}
    _keep_past_of_calls(batch, known)
    batch.write(Session, Allocation)
    sessions.store_last_releases.run(ids=json_codec.encode(list(known)))
    listed = sorted((row for row in new if row.created_at), key=lambda row: row.created_at or 0)
    for newest in {row.organization: row for row in listed}.values():
        allocation.raise_mark(newest)
    if allocations.held_twice.all(serials=json_codec.encode(list(serials)), now=now):
        raise Outdated


def _keep_past_of_calls(batch: Batch, known: set[str]) -> None:
    """Leave the past of known sessions as it is where calls have allocated further devices."""
    seeded = {row["id"]: row["session"] for row in batch.rows(Allocation)}
    ids, of_seed = (json_codec.encode(list(each)) for each in (known, seeded))
    for id in allocations.sessions_of_others.all(ids=ids, seeded=of_seed):
        batch.states[Session].pop(id, None)
        for each in [each for each, session in seeded.items() if session == id]:
            batch.states[Allocation].pop(each, None)


def _find_devices(rows: SeedRows, batch: Batch) -> dict[str, DeviceRow]:
    """Return the devices that sessions name, as they are once the file is applied."""
    named = {each["device"] for row, _ in rows for each in (row, *row["further_devices"])} - {None}
    batch.fetch(Device, "serial", named)
    added = {row["serial"] for row in batch.rows(Device)}
    removed = set(batch.all(devices.unused_defaults)) - added if added else set()
    found = [batch.find(Device, serial=serial) for serial in named - removed]
    return {
        row["serial"]: DeviceRow._make((*(row[name] for name in DeviceRow._fields[:-1]), 0))
        for row in found
        if row is not None
    }


def _make_session(row: dict[str, Any], applied_at: int, batch: Batch) -> SessionRow:
    ensure_organization(row["organization"], batch)
    find_user(str(row["user"]), batch)
    opened_at = applied_at - row["created_ago"]
    return SessionRow(
        id=str(row["id"]),
        organization=row["organization"],
        user=str(row["user"]),
        opened_at=opened_at,
        empty_expires_at=rules.empty_expires_at(opened_at, row["empty_minutes"]),
        status_since_at=opened_at,
    )


def _make_allocations(
    row: dict[str, Any],
    session: SessionRow,
    applied_at: int,
    catalogue: Mapping[str, DeviceRow],
) -> list[AllocationRow]:
    """Build the allocation of the session's first device, then of the further ones."""
    made = []
    for number, each in enumerate([row, *row["further_devices"]]):
        device = catalogue.get(each["device"])
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


def _states(session: SessionRow) -> Iterator[tuple[int, SessionRow]]:
    """Yield the session from its start on, with its first device, and from its last release on."""
    held = session._replace(released_at=None, status_since_at=session.opened_at)
    yield session.opened_at, held._replace(created_at=None, expires_at=None)
    if session.created_at is not None:
        yield session.created_at, held
    if session.released_at is not None:
        yield session.released_at, session


def _allocation_states(row: AllocationRow) -> Iterator[tuple[int, dict[str, Any]]]:
    """Yield the allocation from its creation on, and from its release on."""
    yield row.created_at, row._replace(released_at=None)._asdict()
    if row.released_at is not None:
        yield row.released_at, row._asdict()


class _CreatedAts:
    """The `createdAt` of each organization's sessions: no two are the same."""

    def __init__(self, rows: SeedRows, batch: Batch) -> None:
        self._batch = batch
        self._holders: dict[tuple[str, int], str | None] = {}
        self._next: dict[tuple[str, int], int] = {}  # by start: all from there to this are taken
        self._window = len(rows)
        self._load([(row["organization"], at - row["created_ago"]) for row, at in rows])

    def choose(self, session: SessionRow, known: Mapping[str, Any] | None) -> int:
        """Return the first one from `opened_at` on that no other session has."""
        organization, start = session.organization, session.opened_at
        at = self._next.get((organization, start), start)
        own = known["created_at"] if known and known["organization"] == organization else None
        if own is not None and start <= own < at:
            return int(own)
        while self._holder(organization, at) not in (None, session.id):
            at += 1
        return at

    def put(self, session: SessionRow, created_at: int, known: Mapping[str, Any] | None) -> None:
        """Note what was chosen for a session, in place of what it had."""
        place = session.organization, created_at
        before = (known["organization"], known["created_at"]) if known else place
        if before == place:
            self._next[session.organization, session.opened_at] = created_at + 1
        else:
            self._holders[before] = None
            self._next.clear()
        self._holders[place] = session.id

    def _holder(self, organization: str, at: int) -> str | None:
        if (organization, at) not in self._holders:
            self._load([(organization, at + each) for each in range(self._window)])
        return self._holders[organization, at]

    def _load(self, places: list[tuple[str, int]]) -> None:
        stored = self._batch.all(sessions.at_places, places=json_codec.encode(places))
        self._holders = dict.fromkeys(places) | dict(stored) | self._holders


class _Hold(NamedTuple):
    """The time in which a session holds a device: from `start` on, but not at `end`."""

    start: int
    end: float
    allocation: str
    session: str

    @classmethod
    def of(cls, row: AllocationRow) -> Self:
        ends = [each for each in (row.released_at, row.expires_at) if each is not None]
        return cls(row.created_at, min(ends, default=inf), row.id, row.session)


class _HeldDevices:
    """The times in which devices are held: by stored allocations, and by those planned."""

    def __init__(self, serials: Iterable[str], rows: SeedRows, batch: Batch) -> None:
        self.serials: set[str] = set()  # of those planned that are open now
        self._now = rows.now
        self._holds: dict[str, list[_Hold]] = {serial: [] for serial in serials}  # in order
        self._placed: dict[str, tuple[str, _Hold]] = {}  # by allocation
        encoded = json_codec.encode(list(self._holds))
        first_at = min((at - row["created_ago"] for row, at in rows), default=0)
        for each in batch.all(allocations.open_after, serials=encoded, after=first_at):
            self._add(each)

    def elsewhere(self, of_session: Sequence[AllocationRow], session: SessionRow) -> str | None:
        """Return a device that another session holds while this one does. Raises BadRow."""
        for number, each in enumerate(of_session):
            hold = _Hold.of(each)
            others = map(
                _Hold.of, (one for one in of_session[:number] if one.serial == each.serial)
            )
            if any(_overlap(hold, other) for other in others):
                raise BadRow("a device is held twice")
        return next((row.serial for row in of_session if self._is_held(row, session)), None)

    def put(self, of_session: Sequence[AllocationRow]) -> None:
        """Replace the allocations with these ids."""
        for each in of_session:
            if each.id in self._placed:
                serial, hold = self._placed.pop(each.id)
                self._holds[serial].remove(hold)
            if rules.is_open(each, self._now):
                self.serials.add(each.serial)
            self._add(each)

    def _is_held(self, row: AllocationRow, session: SessionRow) -> bool:
        """Return whether the last hold of another session that begins before its end overlaps."""
        hold, holds = _Hold.of(row), self._holds[row.serial]
        earlier = (holds[place] for place in range(bisect_left(holds, (hold.end,)) - 1, -1, -1))
        other = next((each for each in earlier if each.session != session.id), None)
        return other is not None and _overlap(hold, other)

    def _add(self, row: AllocationRow) -> None:
        hold = _Hold.of(row)
        if hold.start < hold.end:
            insort(self._holds[row.serial], hold)
            self._placed[row.id] = row.serial, hold


def _overlap(one: _Hold, other: _Hold) -> bool:
    return max(one.start, other.start) < min(one.end, other.end)


TABLES = (
    SeedTable("devices", DeviceSeed(), _plan_devices, key="serial"),
    SeedTable("mobilenext.sessions", SessionSeed(), _plan_sessions),
)
