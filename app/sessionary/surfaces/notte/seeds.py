"""Notte's sessions in the seed file."""

from typing import Any

from sessionary import identity, store
from sessionary.surfaces.notte import models, rules
from sessionary.surfaces.notte.models import SessionRow
from sessionary.wire.fields import Bounds, Integer, OneOf, Text
from sessionary.wire.seeding import Ago, BadRow, SeedRow, SeedTable


class SessionSeed(SeedRow):
    """A session that exists from the start. With `error` it failed, at `closed_ago`."""

    id = Text(required=True)
    organization = Text(required=True)
    timeout_minutes = Integer(load_default=5, validate=Bounds(1, 1440))
    max_duration_minutes = Integer(load_default=None, validate=Bounds(1, 1440))
    created_ago = Ago(required=True)
    last_accessed_ago = Ago(load_default=None)
    closed_ago = Ago(load_default=None)
    close_reason = Text(load_default="manual", validate=OneOf(("manual", "error")))
    error = Text(load_default=None)
    url = Text(load_default=None)


def _apply(row: dict[str, Any], now: int) -> None:
    if not identity.is_declared(row["organization"]):
        raise BadRow(f"organization {row['organization']!r} does not exist")
    session = _session(row, now)
    if not session.created_at <= session.last_accessed_at <= (session.ended_at or now):
        raise BadRow("created_ago, last_accessed_ago and closed_ago must follow each other")
    if session.error is not None and session.ended_at is None:
        raise BadRow("error needs closed_ago: when it failed")
    session = session._replace(expires_at=rules.deadline(session, session.last_accessed_at))
    store.put(models.Session, "id", **session._asdict(), key_hash="")


def _session(row: dict[str, Any], now: int) -> SessionRow:
    accessed_ago, closed_ago = row["last_accessed_ago"], row["closed_ago"]
    is_over = closed_ago is not None
    return SessionRow(
        id=row["id"].lower(),
        organization=row["organization"],
        created_at=now - row["created_ago"],
        last_accessed_at=now - (row["created_ago"] if accessed_ago is None else accessed_ago),
        timeout_minutes=row["timeout_minutes"],
        max_duration_minutes=row["max_duration_minutes"],
        outlives_timeout=0,
        expires_at=None,
        ended_at=now - closed_ago if is_over else None,
        ended_as=(rules.ERROR if row["error"] else rules.CLOSED) if is_over else None,
        close_reason=row["close_reason"] if is_over else None,
        error=row["error"],
        url=row["url"],
        options="{}",
    )


TABLES = (SeedTable("notte.sessions", SessionSeed(), _apply),)
