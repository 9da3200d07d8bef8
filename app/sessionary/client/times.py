"""Conversion between Python's datetimes and the control plane's RFC 3339 text in UTC."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

__tracebackhide__ = True  # pytest leaves the frames of this module out
Instant = datetime | str
_UNITS = ("days", "seconds", "microseconds")
_PARTS = ("weeks", "days", "hours", "minutes", "seconds", "milliseconds", "microseconds")


def to_text(at: Instant | None) -> str | None:
    """Format an instant; text and None are returned. Raises ValueError and TypeError."""
    if at is None or isinstance(at, str):
        return at
    if not isinstance(at, datetime):
        raise TypeError(
            f"an instant is text such as '2026-03-01T12:00:00Z' or a datetime, not {at!r}"
        )
    if at.utcoffset() is None:
        raise ValueError(f"{at!r} has no time zone: use an aware one, such as datetime.now(UTC)")
    return at.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


def from_text(text: str) -> datetime:
    """Parse an instant of a response into an aware datetime."""
    return datetime.fromisoformat(text)


def make_duration(parts: Mapping[str, float]) -> timedelta:
    """Make a duration of parts such as `minutes=5`. Raises TypeError for an unknown part."""
    for name in parts.keys() - set(_PARTS):
        from sessionary.near_names import did_you_mean

        hint = did_you_mean(name, _PARTS) or f": the units are {', '.join(_PARTS)}"
        raise TypeError(f"a duration has no unit {name}{hint}")
    return timedelta(**parts)


def duration_to_json(duration: timedelta | str) -> dict[str, int] | str:
    """Return a duration as the control plane's object of units; text as it is. Raises TypeError."""
    if isinstance(duration, str):
        return duration
    if not isinstance(duration, timedelta):
        raise TypeError(
            f"a duration is text such as '90s', a timedelta or parts (minutes=5), not {duration!r}"
        )
    return {unit: getattr(duration, unit) for unit in _UNITS}
