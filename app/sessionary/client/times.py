"""Conversion between Python's datetimes and the control plane's RFC 3339 text in UTC."""

from datetime import UTC, datetime, timedelta

Instant = datetime | str
_UNITS = ("days", "seconds", "microseconds")


def to_text(at: Instant | None) -> str | None:
    """Format an instant; text and None are returned. Raises ValueError for a naive datetime."""
    if at is None or isinstance(at, str):
        return at
    if at.utcoffset() is None:
        raise ValueError(f"{at!r} has no time zone: use an aware one, such as datetime.now(UTC)")
    return at.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


def from_text(text: str) -> datetime:
    """Parse an instant of a response into an aware datetime."""
    return datetime.fromisoformat(text)


def duration_to_json(duration: timedelta) -> dict[str, int]:
    """Return a duration as the control plane's JSON object of units."""
    return {unit: getattr(duration, unit) for unit in _UNITS}
