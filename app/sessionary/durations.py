"""Durations as text. Inside they are integer microseconds."""

import re

_DURATION = re.compile(r"(?:[0-9]{1,12}(?:ms|s|m|h|d))+")
_PART = re.compile(r"([0-9]+)(ms|s|m|h|d)")
_MICROSECONDS = {
    "ms": 1_000,
    "s": 1_000_000,
    "m": 60_000_000,
    "h": 3_600_000_000,
    "d": 86_400_000_000,
}
_MAXIMUM = 100 * 365 * _MICROSECONDS["d"]


class BadDuration(ValueError):
    """Text that is not a duration; the message says what one looks like."""


def parse_duration(text: str) -> int:
    """Microseconds of `90s`, `20m`, `1h30m`, `2d`, `250ms`; at most 100 years."""
    if not _DURATION.fullmatch(text):
        raise BadDuration('must be a duration such as "90s", "20m", "1h30m" or "2d"')
    found = sum(int(count) * _MICROSECONDS[unit] for count, unit in _PART.findall(text))
    if found > _MAXIMUM:
        raise BadDuration("must be at most 100 years")
    return found
