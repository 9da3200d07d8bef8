"""Instants as Python has them and as they are sent: RFC 3339, in UTC."""

from datetime import UTC, datetime, timedelta

Instant = datetime | str
_UNITS = ("days", "seconds", "microseconds")


def to_text(at: Instant) -> str:
    """An instant as it is sent; text goes as it is. Raises ValueError for a naive datetime."""
    if isinstance(at, str):
        return at
    if at.utcoffset() is None:
        raise ValueError(f"{at!r} names no instant: give it a time zone, such as datetime.UTC")
    return at.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


def optional(at: Instant | None) -> str | None:
    """An instant as it is sent, or none."""
    return None if at is None else to_text(at)


def from_text(text: str) -> datetime:
    """An instant of an answer as an aware datetime."""
    return datetime.fromisoformat(text)


def duration(by: timedelta) -> dict[str, int]:
    """A duration as it is sent."""
    return {unit: getattr(by, unit) for unit in _UNITS}
