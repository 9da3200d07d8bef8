"""The one grammar of durations in text: `90s`, `1h30m`, `250ms`, `2d`, `1w`, `PT25H`.

Amounts are whole numbers with a unit of `us ms s m h d w`, or an ISO 8601 duration without years,
months and fractions. Values are integer microseconds.
"""

import re
import time
from functools import partial

# Seconds, for deadlines. Unlike `time.monotonic`, freezegun leaves it alone.
monotonic = partial(time.clock_gettime, time.CLOCK_MONOTONIC)

MICROSECONDS = {
    "us": 1,
    "ms": 1_000,
    "s": 1_000_000,
    "m": 60_000_000,
    "h": 3_600_000_000,
    "d": 86_400_000_000,
    "w": 604_800_000_000,
}
_PART = re.compile("([0-9]{1,18})(us|ms|s|m|h|d|w)")
_SHORT = re.compile(f"(?:{_PART.pattern})+")
_N = "([0-9]{1,18})"
_ISO = re.compile(f"P(?=.)(?:{_N}W)?(?:{_N}D)?(?:T(?=.)(?:{_N}H)?(?:{_N}M)?(?:{_N}S)?)?")
_MAXIMUM = 100 * 365 * MICROSECONDS["d"]


class BadDuration(ValueError):
    """Text that is not a duration; the message says what one looks like."""


class LongDuration(BadDuration):
    """A duration over 100 years."""


def parse_duration(text: str) -> int:
    """Return the microseconds of a duration without a sign. Raises LongDuration over 100 years."""
    iso = _ISO.fullmatch(text)
    if iso is not None:
        parts = [
            (amount, unit) for amount, unit in zip(iso.groups(), "wdhms", strict=True) if amount
        ]
    elif _SHORT.fullmatch(text):
        parts = _PART.findall(text)
    else:
        raise BadDuration('must be a duration such as "90s", "1h30m", "2d" or "PT25H"')
    total = sum(int(n) * MICROSECONDS[unit] for n, unit in parts)
    if total > _MAXIMUM:
        raise LongDuration("must be at most 100 years")
    return total


def parse_signed_duration(text: str) -> int:
    """Return the microseconds of a duration that may begin with `+` or `-`."""
    if text.startswith("-"):
        return -parse_duration(text[1:])
    return parse_duration(text.removeprefix("+"))


def parse_amount(text: str, unit: str) -> float:
    """Return a duration in this unit. Text that is a bare number is in the unit already."""
    try:
        return float(text)
    except ValueError:
        return parse_duration(text) / MICROSECONDS[unit]
