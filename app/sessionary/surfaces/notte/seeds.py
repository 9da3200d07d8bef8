"""Notte's sessions in the seed file."""

from collections.abc import Iterator
from typing import Any

from marshmallow import fields

from sessionary import identity
from sessionary.seeds.identity import ensure_organization
from sessionary.seeds.schemas import Ago, BadRow, SeedRow
from sessionary.store import Batch
from sessionary.surfaces.notte import rules
from sessionary.surfaces.notte.models import Session, SessionRow
from sessionary.web.fields import Boolean, Bounds, Integer, OneOf, Text
from sessionary.web.surface import SeedRows, SeedTable

_MINUTES = Bounds(1, rules.MAX_DURATION_MINUTES)


class SessionSeed(SeedRow):
    """A session that exists from the start. With `error` it failed, at `closed_ago`.

    v4 started those with `max_duration_minutes`, v1 all others. `key` is the secret that started
    it: v4 lists by it.
    """

    id = fields.UUID(required=True)
    organization = Text(required=True)
    key = Text(load_default=None)
    timeout_minutes = Integer(load_default=rules.DEFAULT_TIMEOUT_MINUTES, validate=_MINUTES)
    max_duration_minutes = Integer(load_default=None, validate=_MINUTES)
    outlives_timeout = Boolean(load_default=False)
    created_ago = Ago(required=True)
    last_accessed_ago = Ago(load_default=None)
    closed_ago = Ago(load_default=None)
    close_reason = Text(load_default=None, validate=OneOf(("manual", "error")))
    error = Text(load_default=None)
    url = Text(load_default=None)


def _plan(rows: SeedRows, batch: Batch) -> None:
    for row, at in rows:
        ensure_organization(row["organization"], batch)
        if row["closed_ago"] is None and (row["error"] or row["close_reason"]):
            raise BadRow("error and close_reason need closed_ago: when it ended")
        session = _make_row(row, at)
        if not session.created_at <= session.last_accessed_at <= (session.ended_at or at):
            raise BadRow("created_ago, last_accessed_ago and closed_ago must follow each other")
        if session.last_accessed_at > session.expires_at:
            raise BadRow("last_accessed_ago must not be after max_duration_minutes")
        if session.ended_at is not None and session.ended_at > session.expires_at:
            raise BadRow(
                "closed_ago must not be after the timeout: it timed out by itself; leave it "
                "out, or give a later last_accessed_ago"
            )
        key_hash = "" if row["key"] is None else identity.hash_of(row["key"])
        batch.upsert(Session, "id", **session._asdict(), key_hash=key_hash)
        states = ((at, each._asdict() | {"key_hash": key_hash}) for at, each in _states(session))
        batch.date(Session, session.id, states)


def _make_row(row: dict[str, Any], now: int) -> SessionRow:
    created_at = now - row["created_ago"]
    accessed_ago, closed_ago = row["last_accessed_ago"], row["closed_ago"]
    session = SessionRow(
        id=str(row["id"]),
        organization=row["organization"],
        created_at=created_at,
        last_accessed_at=created_at if accessed_ago is None else now - accessed_ago,
        timeout_minutes=row["timeout_minutes"],
        status_since_at=created_at if closed_ago is None else now - closed_ago,
        max_duration_minutes=row["max_duration_minutes"],
        outlives_timeout=int(row["outlives_timeout"]),
        error=row["error"],
        url=row["url"],
    )
    if closed_ago is not None:
        failed = row["error"] is not None
        session = session._replace(
            ended_at=now - closed_ago,
            ended_as=rules.ERROR if failed else rules.CLOSED,
            close_reason=row["close_reason"] or ("error" if failed else "manual"),
        )
    return session._replace(expires_at=rules.deadline(session, session.last_accessed_at))


def _states(session: SessionRow) -> Iterator[tuple[int, SessionRow]]:
    """Yield the session from its start on, from its last access on, and from its end on."""
    open_ = session._replace(ended_at=None, ended_as=None, close_reason=None, error=None)
    open_ = open_._replace(status_since_at=session.created_at)
    started = open_._replace(last_accessed_at=session.created_at, url=None)
    started = started._replace(expires_at=rules.deadline(started, started.created_at))
    if rules.has_timed_out(started, session.last_accessed_at):  # accessed again and again
        started = started._replace(outlives_timeout=1)
        started = started._replace(expires_at=rules.deadline(started, started.created_at))
    yield session.created_at, started
    yield session.last_accessed_at, open_
    if session.ended_at is not None:
        yield session.ended_at, session


TABLES = (SeedTable("notte.sessions", SessionSeed(), _plan),)
