"""The fault table, and the faults that a call meets."""

import errno
import random
from collections.abc import Iterable, Iterator
from typing import NamedTuple

import peewee as pw

from sessionary import clock, store
from sessionary.control.messages import VendorRequest, VendorResponse
from sessionary.store import Statement, param
from sessionary.web.route_table import MATCH, RouteTable
from sessionary.web.spool import Spool

STATUS, LATENCY, RESET, EMPTY, TRUNCATED = "status", "latency", "reset", "empty", "truncated"
KINDS = (STATUS, LATENCY, RESET, EMPTY, TRUNCATED)
CONNECTION_KINDS = (RESET, EMPTY, TRUNCATED)
BEFORE, AFTER = PHASES = ("before", "after")  # the work of the call, and its commit
USUAL_PHASE = {**dict.fromkeys(KINDS, BEFORE), TRUNCATED: AFTER}


class Fault(store.Model):
    """An armed fault. A spent fault stays, so that its hits can be read."""

    id = pw.AutoField()
    surface = pw.TextField()
    method = pw.TextField(null=True)  # null matches every method
    route = pw.TextField(null=True)  # a template or a path; null matches every route
    kind = pw.TextField()
    preset = pw.TextField(null=True)
    status = pw.IntegerField(null=True)
    headers = pw.TextField()  # JSON
    body = pw.TextField(null=True)  # JSON
    delay_us = pw.BigIntegerField()
    times = pw.IntegerField(null=True)
    after = pw.IntegerField()
    probability = pw.FloatField()
    seed = pw.IntegerField()
    from_at = pw.BigIntegerField(null=True)
    until_at = pw.BigIntegerField(null=True)
    matched_count = pw.IntegerField()
    hit_count = pw.IntegerField()
    phase = pw.TextField(constraints=[pw.SQL("DEFAULT 'before'")])

    class Meta:
        table_name = "control_fault"
        indexes = ((("surface", "id"), False),)


class FaultRow(NamedTuple):
    """A row of the fault table."""

    id: int
    surface: str
    method: str | None
    route: str | None
    kind: str
    preset: str | None
    status: int | None
    headers: str
    body: str | None
    delay_us: int
    times: int | None
    after: int
    probability: float
    seed: int
    from_at: int | None
    until_at: int | None
    matched_count: int
    hit_count: int
    phase: str

    @property
    def is_spent(self) -> bool:
        """Whether the fault has hit `times` calls."""
        return self.times is not None and self.hit_count >= self.times


COLUMNS = [getattr(Fault, name) for name in FaultRow._fields]
_live = Statement(
    FaultRow._make,
    lambda: (
        Fault.select(*COLUMNS)
        .where(
            Fault.surface == param("surface"),
            Fault.times.is_null() | (Fault.hit_count < Fault.times),
        )
        .order_by(Fault.id)
    ),
)
_exists = Statement(tuple, lambda: Fault.select(Fault.id).where(Fault.id == param("id")))
# The preset of the fault that a journal row names, unless that is disarmed.
preset_of = Statement(
    lambda row: row[0],
    lambda: Fault.select(Fault.preset).where(
        Fault.id == param("fault"),
        Fault.surface == param("surface"),
        Fault.kind == param("fault_kind"),
        Fault.status == param("status"),
    ),
)
armed_count = Statement(lambda row: int(row[0]), lambda: Fault.select(pw.fn.COUNT(Fault.id)))
_count = Statement(
    tuple,
    lambda: Fault.update(
        matched_count=Fault.matched_count + 1, hit_count=Fault.hit_count + param("hit")
    ).where(Fault.id == param("id")),
)


_VERSION_2 = (
    'CREATE TABLE "control_fault" ("id" INTEGER NOT NULL PRIMARY KEY, "surface" TEXT NOT NULL, '
    '"method" TEXT, "route" TEXT, "kind" TEXT NOT NULL, "preset" TEXT, "status" INTEGER, '
    '"headers" TEXT NOT NULL, "body" TEXT, "delay_us" INTEGER NOT NULL, "times" INTEGER, '
    '"after" INTEGER NOT NULL, "probability" REAL NOT NULL, "seed" INTEGER NOT NULL, '
    '"from_at" INTEGER, "until_at" INTEGER, "matched_count" INTEGER NOT NULL, '
    '"hit_count" INTEGER NOT NULL)'
)
EARLIER_SQL = {3: {"control_fault": _VERSION_2}}


def add_phase(database: store.Database) -> None:
    """To version 3."""
    database.run('ALTER TABLE "control_fault" ADD COLUMN "phase" TEXT NOT NULL DEFAULT \'before\'')
    database.run("UPDATE control_fault SET phase = 'after' WHERE kind = 'truncated'")


def hit(routes: RouteTable, request: VendorRequest) -> FaultRow | None:
    """Return the first matching fault of the active namespace that hits this call; count it.

    A matching fault that lets the call pass is counted as matched.
    """
    if request.surface is None or not (armed := _live.all(surface=request.surface.name)):
        return None
    match, now = routes.match(request.method, f"/{request.surface.name}{request.path}"), clock.now()
    if request.message is not None:
        match = match._replace(route=request.message[0])
    if not any(_matches(fault, request, match.route, now) for fault in armed):
        return None  # without a wait for the lock
    with store.transaction():
        now = clock.now()
        for fault in _live.all(surface=request.surface.name):
            if _matches(fault, request, match.route, now):
                is_hit = _draw(fault)
                _count.run(id=fault.id, hit=int(is_hit))
                if is_hit:
                    request.environ[MATCH] = match
                    return fault
    return None


def is_armed(fault_id: int) -> bool:
    """Return whether the fault has not been disarmed; it may be spent."""
    return _exists.one(id=fault_id) is not None


def _matches(fault: FaultRow, request: VendorRequest, route: str | None, now: int) -> bool:
    return (
        fault.method in (None, request.method)
        and (fault.route is None or fault.route in (route, request.path))
        and (fault.from_at is None or fault.from_at <= now)
        and (fault.until_at is None or now < fault.until_at)
    )


def _draw(fault: FaultRow) -> bool:
    """Whether the fault hits its next matching call; the same seed gives the same sequence."""
    number = fault.matched_count - fault.after
    if number < 0 or fault.probability >= 1:
        return number >= 0
    return random.Random(f"{fault.seed}:{number}").random() < fault.probability  # noqa: S311


def connection_dropped() -> ConnectionResetError:
    """The error that makes a server close the connection without a response."""
    return ConnectionResetError(errno.ECONNRESET, "a fault dropped the connection")


def first_half(response: VendorResponse) -> Iterable[bytes]:
    """Half of a response's body, after which the connection is dropped."""
    body, half = response.body, len(response.body) // 2
    if isinstance(body, Spool):
        body.length = half
        return body
    return _then_drop(body[:half])


def _then_drop(body: bytes) -> Iterator[bytes]:
    yield body
    raise connection_dropped()
