"""Rate limits: requests per key, and unknown keys per address.

Each allows a number of uses per minute, bursts included. They use wall time, because they protect
the machine: the clock of a namespace can stand still or run forty times as fast. Used capacity is
a row, so that all workers count together.
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

UNKNOWN = "unknown"  # the one subject of all addresses that a proxy did not name
_IPV6_PREFIX_BITS = 64  # one client may have all addresses of such a network


class RateLimited(Exception):
    """The limit is reached; the next use is allowed in `wait_us` microseconds."""

    def __init__(self, wait_us: int) -> None:
        super().__init__(wait_us)
        self.wait_us = wait_us


class RateBucket(store.Model):
    """A token bucket for one key or address. An expired row counts as empty."""

    subject = pw.TextField(primary_key=True)
    free_at = pw.BigIntegerField(index=True)  # when the whole limit is available again

    class Meta:
        table_name = "pace"


class TrustedKey(store.Model):
    """A key that was valid from an address where others failed; it is not refused with them."""

    address = pw.TextField()
    key = pw.TextField()

    class Meta:
        table_name = "familiar"
        primary_key = pw.CompositeKey("address", "key")


TABLES = (RateBucket, TrustedKey)

# If wall time was set back, rows lie too far in the future: the update brings them back.
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
_delete_expired = Statement(
    tuple, lambda: RateBucket.delete().where(RateBucket.free_at <= param("now"))
)
_failures = Statement(
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
_delete_untroubled = Statement(
    tuple,
    lambda: TrustedKey.delete().where(
        TrustedKey.address.not_in(RateBucket.select(RateBucket.subject))
    ),
)


@lru_cache(maxsize=1024)
def counted_address(address: str) -> str | None:
    """Return the subject of an address: itself, or its network for IPv6; None for this machine."""
    if address == UNKNOWN:
        return address
    try:
        parsed = ip_address(address)
    except ValueError:
        return None
    if isinstance(parsed, IPv6Address):
        parsed = parsed.ipv4_mapped or parsed
    if parsed.is_loopback:
        return None
    is_ipv6 = isinstance(parsed, IPv6Address)
    return str(ip_network((int(parsed), _IPV6_PREFIX_BITS), strict=False) if is_ipv6 else parsed)


def consume(key_hash: str, per_minute: int) -> None:
    """Count a request of a key. Raises RateLimited."""
    wait_us = _use(f"key {key_hash}", per_minute)
    if wait_us:
        raise RateLimited(wait_us)


@contextmanager
def limit_failures(address: str, secret: str, per_minute: int) -> Iterator[None]:
    """Count an InvalidKey of the block against the address.

    At the limit every key from there is refused unchecked, except the trusted ones. Raises
    RateLimited.
    """
    key, now = hash_of(secret), clock.wall()
    free_at, trusted = _failures.one(address=address, key=key) or (now, None)
    wait_us = free_at - _latest(now, per_minute)
    if trusted is None and 0 < wait_us <= MINUTE:
        raise RateLimited(wait_us)
    try:
        yield
    except InvalidKey:
        _use(address, per_minute)
        raise
    if trusted is None and free_at > now:
        _write(lambda: _trust.run(address=address, key=key))


def _latest(now: int, per_minute: int) -> int:
    """Return the latest `free_at` that leaves room for one more use."""
    return now + MINUTE - MINUTE // per_minute


def _use(subject: str, per_minute: int) -> int:
    """Take one use; return 0, or the microseconds until one is available."""
    now, step = clock.wall(), MINUTE // per_minute
    latest, first = _latest(now, per_minute), now + step
    values = {"now": now, "step": step, "first": first, "latest": latest, "furthest": now + MINUTE}

    def take() -> int:
        taken = _take.all(subject=subject, **values)
        if taken == [(first,)]:  # a new or expired bucket: others may have expired, too
            _delete_expired.run(now=now)
            _delete_untroubled.run()
        return 0 if taken else max(1, (_free_at.one(subject=subject) or 0) - latest)

    return _write(take)


def _write(write: Callable[[], int]) -> int:
    """Write without waiting for the disk; return 0 if the database is unavailable."""
    try:
        with store.transaction("normal"):
            return write()
    except Exception as error:
        if not store.is_unavailable(error):
            raise
        store.report_outage(error)
        return 0
