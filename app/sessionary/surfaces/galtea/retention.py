"""Galtea's sessions that ended long ago."""

from typing import Any

from sessionary.store import param
from sessionary.surfaces.galtea import rules
from sessionary.surfaces.galtea.models import Session
from sessionary.web import session_statements


def _has_ended() -> Any:
    """Deleted, closed by itself, or finished: then it ended with its last write, if not before."""
    finished = (Session.status != rules.PENDING) & (Session.written_at < param("before_at"))
    return (
        (Session.deleted_at < param("before_at"))
        | (Session.expires_at < param("before_at"))
        | finished
    )


retention = session_statements.retention(Session, _has_ended())
