"""How often a key may ask, and how often an address may bring a key that nobody has.

Both have so many goes in a minute: all at once, or one after another as they come free. The wall
measures that minute and not the namespace's clock, which can stand still or run forty times as
fast:
what is guarded is this machine. What has been used up is a row, so that all workers count together.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import lru_cache
from ipaddress import IPv6Address, ip_address, ip_network

import peewee as pw

from sessionary import clock, store
from sessionary.clock import MINUTE
from sessionary.identity.authentication import InvalidKey, hash_of
from sessionary.store import Statement, param

UNKNOWN = "unknown"  # stands for an address that a proxy could not tell
_NEIGHBOURS = 64  # one who has an IPv6 address has all that begin with as many bits


class RateLimited(Exception):
    """Somebody has used up what they may do; in `wait_us` microseconds they may again."""

    def __init__(self, wait_us: int) -> None:
        super().__init__(wait_us)
        self.wait_us = wait_us


class RateBucket(store.Model):
    """What a key or an address has used up; a row that is over is as none."""

    subject = pw.TextField(primary_key=True)
    free_at = pw.BigIntegerField(index=True)  # when none of it is used up any more

    class Meta:
        table_name = "pace"


class TrustedKey(store.Model):
    """A key that was let in from an address where others failed: it is not refused with them."""

    address = pw.TextField()
    key = pw.TextField()

    class Meta:
        table_name = "familiar"
        primary_key = pw.CompositeKey("address", "key")


TABLES = (RateBucket, TrustedKey)

# A wall that was set back would have left its rows too far in the future: they are brought back.
_take = Statement(
    tuple,
    lambda: (
        RateBucket.insert(subject=param("subject"), free_at=param("first"))
        .on_conflict(
            conflict_target=[RateBucket.subject],
            update={
                RateBucket.free_at: pw.fn.min(
                    pw.fn.max(RateBucket.free_at, param("now")), param("latest")
                )
                + param("step")
            },
            where=(RateBucket.free_at <= param("latest"))
            | (RateBucket.free_at > param("furthest")),
        )
        .returning(RateBucket.free_at)
    ),
)
_free_at = Statement(
    lambda row: int(row[0]),
    lambda: RateBucket.select(RateBucket.free_at).where(RateBucket.subject == param("subject")),
)
_forget = Statement(tuple, lambda: RateBucket.delete().where(RateBucket.free_at <= param("now")))
_failed = Statement(
    tuple,
    lambda: (
        RateBucket.select(RateBucket.free_at, TrustedKey.key)
        .join(
            TrustedKey,
            pw.JOIN.LEFT_OUTER,
            on=(TrustedKey.address == RateBucket.subject) & (TrustedKey.key == param("key")),
        )
        .where(RateBucket.subject == param("address"))
    ),
)
_trust = Statement(
    tuple,
    lambda: TrustedKey.insert(address=param("address"), key=param("key")).on_conflict_ignore(),
)
_forget_familiar = Statement(
    tuple,
    lambda: TrustedKey.delete().where(
        TrustedKey.address.not_in(RateBucket.select(RateBucket.subject))
    ),
)


@lru_cache(maxsize=1024)
def counted_address(address: str) -> str | None:
    """Under what an address is counted: itself, or its network for IPv6. None for this machine.

    All that are UNKNOWN are counted as one.
    """
    if address == UNKNOWN:
        return address
    try:
        found = ip_address(address)
    except ValueError:
        return None
    if isinstance(found, IPv6Address):
        if found.ipv4_mapped is None:
            if found.is_loopback:
                return None
            return str(ip_network((int(found), _NEIGHBOURS), strict=False))
        found = found.ipv4_mapped
    return None if found.is_loopback else str(found)


def consume(key: str, per_minute: int) -> None:
    """Let a key, given as its hash, ask once more. Raises RateLimited."""
    wait_us = _use(f"key {key}", per_minute)
    if wait_us:
        raise RateLimited(wait_us)


@contextmanager
def limit_failures(address: str, secret: str, per_minute: int) -> Iterator[None]:
    """Count it against the address if within this the secret proves InvalidKey.

    Where too many have failed no key is looked at any more, save those that were let in from there
    while others failed. Raises RateLimited.
    """
    key, now = hash_of(secret), clock.wall()
    free_at, familiar = _failed.one(address=address, key=key) or (now, None)
    wait_us = free_at - _latest(now, per_minute)
    if familiar is None and 0 < wait_us <= MINUTE:
        raise RateLimited(wait_us)
    try:
        yield
    except InvalidKey:
        _use(address, per_minute)
        raise
    if familiar is None and free_at > now:
        _written(lambda: _trust.run(address=address, key=key))


def _latest(now: int, per_minute: int) -> int:
    """How far ahead a row may be for one more go to fit into the minute."""
    return now + MINUTE - MINUTE // per_minute


def _use(subject: str, per_minute: int) -> int:
    """Use up one go; gives 0, or in how many microseconds there will be one."""
    now, step = clock.wall(), MINUTE // per_minute
    latest, first = _latest(now, per_minute), now + step
    values = {"now": now, "step": step, "first": first, "latest": latest, "furthest": now + MINUTE}

    def use() -> int:
        used = _take.all(subject=subject, **values)
        if used == [(first,)]:  # it was at rest, and so may others be
            _forget.run(now=now)
            _forget_familiar.run()
        return 0 if used else max(1, (_free_at.one(subject=subject) or 0) - latest)

    return _written(use)


def _written(write: Callable[[], int]) -> int:
    """Write what a power cut may take; gives 0 where nothing can be written, for none to refuse."""
    try:
        with store.transaction("normal"):
            return write()
    except Exception as error:
        if not store.is_unavailable(error):
            raise
        store.report_outage(error)
        return 0
