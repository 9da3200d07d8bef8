"""Notte's sessions that ended long ago."""

from typing import Any

from sessionary.store import param
from sessionary.surfaces.notte.models import Session
from sessionary.web import session_statements


def _has_ended() -> Any:
    """rules.state(row, at).ended_at < before_at, as SQL says it."""
    timed_out = Session.ended_at.is_null() & (Session.expires_at < param("before_at"))
    return (Session.ended_at < param("before_at")) | timed_out


retention = session_statements.retention(Session, _has_ended())
