"""Notte's sessions in the seed file."""

from typing import Any

from marshmallow import fields

from sessionary import identity, store
from sessionary.seeds.schemas import Ago, BadRow, SeedRow
from sessionary.surfaces.notte import models, rules
from sessionary.surfaces.notte.models import SessionRow
from sessionary.web.fields import Boolean, Bounds, Integer, OneOf, Text
from sessionary.web.surface import SeedTable


class SessionSeed(SeedRow):
    """A session that exists from the start. With `error` it failed, at `closed_ago`.

    One with `max_duration_minutes` was started by v4, any other by v1. `key` is the secret that
    started it, for v4's lists of the caller's own.
    """

    id = fields.UUID(required=True)
    organization = Text(required=True)
    key = Text(load_default=None)
    timeout_minutes = Integer(load_default=5, validate=Bounds(1, 1440))
    max_duration_minutes = Integer(load_default=None, validate=Bounds(1, 1440))
    outlives_timeout = Boolean(load_default=False)
    created_ago = Ago(required=True)
    last_accessed_ago = Ago(load_default=None)
    closed_ago = Ago(load_default=None)
    close_reason = Text(load_default=None, validate=OneOf(("manual", "error")))
    error = Text(load_default=None)
    url = Text(load_default=None)


def _apply(row: dict[str, Any], now: int) -> None:
    if not identity.is_declared(row["organization"]):
        raise BadRow(f"organization {row['organization']!r} does not exist")
    if row["closed_ago"] is None and (row["error"] or row["close_reason"]):
        raise BadRow("error and close_reason need closed_ago: when it ended")
    session = _session(row, now)
    _must_have_been_possible(session, now)
    key_hash = "" if row["key"] is None else identity.hash_of(row["key"])
    store.upsert(models.Session, "id", **session._asdict(), key_hash=key_hash)


def _must_have_been_possible(session: SessionRow, now: int) -> None:
    if not session.created_at <= session.last_accessed_at <= (session.ended_at or now):
        raise BadRow("created_ago, last_accessed_ago and closed_ago must follow each other")
    if session.last_accessed_at > session.expires_at:
        raise BadRow("last_accessed_ago must not lie behind max_duration_minutes")
    if session.ended_at is not None and session.ended_at > session.expires_at:
        raise BadRow("closed_ago must not lie behind the timeout: it timed out by itself")


def _session(row: dict[str, Any], now: int) -> SessionRow:
    created_at = now - row["created_ago"]
    accessed_ago, closed_ago = row["last_accessed_ago"], row["closed_ago"]
    is_over, failed = closed_ago is not None, row["error"] is not None
    session = SessionRow(
        id=str(row["id"]),
        organization=row["organization"],
        created_at=created_at,
        last_accessed_at=created_at if accessed_ago is None else now - accessed_ago,
        timeout_minutes=row["timeout_minutes"],
        max_duration_minutes=row["max_duration_minutes"],
        outlives_timeout=int(row["outlives_timeout"]),
        expires_at=rules.NEVER,
        ended_at=now - closed_ago if is_over else None,
        ended_as=(rules.ERROR if failed else rules.CLOSED) if is_over else None,
        close_reason=row["close_reason"] or ("error" if failed else "manual") if is_over else None,
        error=row["error"],
        url=row["url"],
        options="{}",
    )
    return session._replace(expires_at=rules.deadline(session, session.last_accessed_at))


TABLES = (SeedTable("notte.sessions", SessionSeed(), _apply),)
