"""Instants as text. Everywhere else they are integer microseconds since 1970 in UTC."""

import re
from datetime import UTC, datetime, timedelta
from functools import lru_cache

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_RFC_3339 = re.compile(
    r"([0-9]{4}-[0-9]{2}-[0-9]{2})[Tt]([0-9]{2}:[0-9]{2}:[0-9]{2})(?:\.([0-9]{1,9}))?"
    r"(?:([Zz])|([+-])([0-9]{2}):([0-9]{2}))?"
)
_FIRST = datetime(1, 1, 1, tzinfo=UTC) - _EPOCH
_LAST = datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC) - _EPOCH
_SECOND = timedelta(seconds=1)


class BadInstant(ValueError):
    """Text that is not an instant; the message shows the format."""


class NotAnInstant(BadInstant):
    """Text of another format."""


def parse(text: str, *, assume_utc: bool = False) -> int:
    """Nanoseconds since 1970 of an RFC 3339 date-time; at most 9 digits of fraction.

    With `assume_utc` a missing offset is UTC, otherwise it is refused. Raises BadInstant.
    """
    match = _RFC_3339.fullmatch(text)
    if not match or not (assume_utc or match[4] or match[5]):
        raise NotAnInstant("must be a date and time such as 2026-01-31T09:30:00Z")
    day, time, fraction, _, sign, hours, minutes = match.groups()
    try:
        moment = datetime.fromisoformat(f"{day}T{time}+00:00") - _EPOCH
    except ValueError as error:
        raise BadInstant(f"must be a date and time that exists: {error}") from None
    if sign:
        if int(hours) > 23 or int(minutes) > 59:
            raise BadInstant("must have an offset below 24:00")
        offset = timedelta(hours=int(hours), minutes=int(minutes))
        moment += -offset if sign == "+" else offset
    if not _FIRST <= moment <= _LAST:
        raise BadInstant("must lie in the years 1 to 9999")
    return (moment // _SECOND) * 1_000_000_000 + int((fraction or "").ljust(9, "0"))


@lru_cache(maxsize=4096)
def to_text(at: int, timespec: str = "microseconds") -> str:
    """`2026-01-31T09:30:00.000000Z`, cut to `timespec`; cached, as clients that poll repeat it."""
    minute, rest = divmod(at, 60_000_000)
    second, microsecond = divmod(rest, 1_000_000)
    if timespec == "milliseconds":
        return f"{_minute(minute)}:{second:02}.{microsecond // 1000:03}Z"
    return f"{_minute(minute)}:{second:02}.{microsecond:06}Z"


@lru_cache(maxsize=4096)
def _minute(minute: int) -> str:
    """`2026-01-31T09:30`, cached: instants of one response are close to each other."""
    return (_EPOCH + timedelta(minutes=minute)).isoformat(timespec="minutes")[:16]


def to_stamp(at: int) -> str:
    """`20260131T093000.000000Z`: an instant in a file name."""
    return to_text(at).replace("-", "").replace(":", "")
