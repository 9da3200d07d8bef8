"""Mobile Next's statements, by module, and here the SQL twins of its rules."""

from typing import Any

from sessionary.surfaces.mobilenext.models import Allocation, Session


def is_open(model: type[Session] | type[Allocation], now: Any) -> Any:
    """SQL twin of `rules.is_open`."""
    return model.released_at.is_null() & (model.expires_at.is_null() | (model.expires_at > now))


def is_lease_over(model: type[Session] | type[Allocation], now: Any) -> Any:
    """SQL twin of `rules.is_lease_over`."""
    return model.released_at.is_null() & (model.expires_at <= now)


def is_listed() -> Any:
    """SQL twin of `rules.is_listed`."""
    return Session.created_at.is_null(False)


def has_expired(now: Any) -> Any:
    """SQL twin of `rules.has_expired`."""
    return ~is_listed() & (Session.empty_expires_at <= now)


def has_ended(before_at: Any) -> Any:
    """SQL twin of `rules.has_ended`."""
    last = before_at - 1
    return (Session.released_at < before_at) | is_lease_over(Session, last) | has_expired(last)
