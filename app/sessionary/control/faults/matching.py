"""What is made to fail on purpose: which calls, how, and how often."""

import errno
import random
from collections.abc import Iterator
from typing import NamedTuple

import peewee as pw

from sessionary import clock, store
from sessionary.control.messages import Answer, Asked
from sessionary.control.route_table import Addresses
from sessionary.store import Statement, param
from sessionary.web.events import ROUTE

STATUS, LATENCY, RESET, EMPTY, TRUNCATED = "status", "latency", "reset", "empty", "truncated"
KINDS = (STATUS, LATENCY, RESET, EMPTY, TRUNCATED)
OF_CONNECTIONS = (RESET, EMPTY, TRUNCATED)


class Fault(store.Model):
    """A fault that has been armed; a spent one stays, to be asked whether it was hit."""

    id = pw.AutoField()
    surface = pw.TextField()
    method = pw.TextField(null=True)  # any, if null
    route = pw.TextField(null=True)  # a pattern or a path; any, if null
    kind = pw.TextField()
    preset = pw.TextField(null=True)
    status = pw.IntegerField(null=True)
    headers = pw.TextField()  # as JSON
    body = pw.TextField(null=True)  # as JSON
    delay_us = pw.BigIntegerField()
    times = pw.IntegerField(null=True)
    after = pw.IntegerField()
    probability = pw.FloatField()
    seed = pw.IntegerField()
    from_at = pw.BigIntegerField(null=True)
    until_at = pw.BigIntegerField(null=True)
    matched_count = pw.IntegerField()
    hit_count = pw.IntegerField()

    class Meta:
        table_name = "control_fault"
        indexes = ((("surface", "id"), False),)


class FaultRow(NamedTuple):
    """A fault's row."""

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

    @property
    def is_spent(self) -> bool:
        """Whether it has been hit as often as it was to be."""
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
_count = Statement(
    tuple,
    lambda: Fault.update(
        matched_count=Fault.matched_count + 1, hit_count=Fault.hit_count + param("hit")
    ).where(Fault.id == param("id")),
)


def hit(addresses: Addresses, asked: Asked) -> FaultRow | None:
    """The fault that this call of the active namespace meets: of those that it matches, the first.

    One that lets it pass counts it all the same.
    """
    if asked.surface is None or not _live.all(surface=asked.surface.name):
        return None
    route = addresses.find(asked.method, f"/{asked.surface.name}{asked.path}").route
    with store.transaction():
        now = clock.now()
        for fault in _live.all(surface=asked.surface.name):
            if _concerns(fault, asked, route, now):
                is_hit = _strikes(fault)
                _count.run(id=fault.id, hit=int(is_hit))
                if is_hit:
                    asked.environ[ROUTE] = route
                    return fault
    return None


def _concerns(fault: FaultRow, asked: Asked, route: str | None, now: int) -> bool:
    return (
        fault.method in (None, asked.method)
        and (fault.route is None or fault.route in (route, asked.path))
        and (fault.from_at is None or fault.from_at <= now)
        and (fault.until_at is None or now < fault.until_at)
    )


def _strikes(fault: FaultRow) -> bool:
    """Whether its next call is hit; the same seed gives the same sequence."""
    turn = fault.matched_count - fault.after
    if turn < 0 or fault.probability >= 1:
        return turn >= 0
    return random.Random(f"{fault.seed}:{turn}").random() < fault.probability  # noqa: S311


def dropped() -> ConnectionResetError:
    """What a server takes for a client that has gone: it closes the connection and says nothing."""
    return ConnectionResetError(errno.ECONNRESET, "a fault dropped the connection")


def first_half(answer: Answer) -> Iterator[bytes]:
    """As much of an answer as its client gets to see."""
    yield answer.body[: len(answer.body) // 2]
    raise dropped()
