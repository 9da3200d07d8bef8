"""Scale's table of the seed file."""

import uuid
from collections.abc import Iterator, Sequence
from functools import partial
from typing import Any

from marshmallow import fields

from sessionary.identity import Organization, User
from sessionary.seeds.identity import find_user
from sessionary.seeds.schemas import Ago, BadRow, Moment, SeedRow
from sessionary.store import Batch, PastState, past_states
from sessionary.surfaces.scale import queries, rules
from sessionary.surfaces.scale.models import Session, SessionCount, SessionRow
from sessionary.web import json_codec
from sessionary.web.fields import Object, Text, problem
from sessionary.web.surface import SeedRows, SeedTable

# The creator of a session without a `user` in the seed.
UNKNOWN_USER = str(uuid.UUID(int=0))


class StateSeed(Object):
    """A table of JSON values, loaded as the text that is stored; dates are text."""

    def _deserialize(self, value: Any, *args: Any, **kwargs: Any) -> str:  # type: ignore[override]
        try:
            text = json_codec.encode(super()._deserialize(value, *args, **kwargs))
            json_codec.parse(text.encode())
        except TypeError:
            raise problem("value", "holds a date or a time; write it as text") from None
        except ValueError as error:
            raise problem("value", f"holds what JSON cannot: {error}") from None
        return text


class SessionSeed(SeedRow):
    """A session that exists from the start; `…_ago` counts back from then."""

    id = fields.UUID(required=True)
    account_id = Text(required=True)
    user = fields.UUID(load_default=None)
    title = Text(load_default="")
    state = StateSeed(load_default="{}")
    start_date = Moment(load_default=None)
    end_date = Moment(load_default=None)
    created_ago = Ago(required=True)
    updated_ago = Ago(load_default=None)
    archived_ago = Ago(load_default=None)


def _plan(rows: SeedRows, batch: Batch) -> None:
    batch.fetch(User, "id", map(str, rows.values("user")))
    for row, at in rows:
        account = row["account_id"]
        if batch.find(Organization, id=account) is None:
            raise BadRow(f"account_id: organization {account!r} does not exist")
        creator = UNKNOWN_USER, "user"
        if row["user"] is not None:
            user = find_user(str(row["user"]), batch)
            creator = user["id"], user["identity_type"]
        session = _make_row(row, at, creator)
        if not rules.is_valid_window(session.start_date, session.end_date):
            raise BadRow("end_date must not be before start_date")
        archived_at = session.archived_at or session.created_at
        if not session.created_at <= archived_at <= session.updated_at:
            raise BadRow("created_ago, archived_ago and updated_ago must follow each other")
        batch.upsert(Session, "id", **session._asdict())
        batch.date(Session, session.id, ((at, s._asdict()) for at, s in _states(session)))
    batch.before_write(partial(_write, batch))


def _make_row(row: dict[str, Any], now: int, creator: tuple[str, str]) -> SessionRow:
    created_at = now - row["created_ago"]
    archived_at = None if row["archived_ago"] is None else now - row["archived_ago"]
    updated_at = created_at if archived_at is None else archived_at
    return SessionRow(
        id=str(row["id"]),
        account_id=row["account_id"],
        title=row["title"],
        state=row["state"],
        created_at=created_at,
        updated_at=updated_at if row["updated_ago"] is None else now - row["updated_ago"],
        created_by_user_id=creator[0],
        created_by_identity_type=creator[1],
        start_date=row["start_date"],
        end_date=row["end_date"],
        archived_at=archived_at,
        status_since_at=created_at if archived_at is None else archived_at,
    )


def _states(session: SessionRow) -> Iterator[tuple[int, SessionRow]]:
    """Yield the session from its creation on, from its archival on, and from its last write on."""
    created_at, archived_at = session.created_at, session.archived_at
    live = session._replace(archived_at=None, status_since_at=created_at, updated_at=created_at)
    yield created_at, live
    if archived_at is not None:
        yield archived_at, session._replace(updated_at=archived_at)
    yield session.updated_at, session


def _write(batch: Batch) -> None:
    """Write the sessions and count those that change, as of the past as well."""
    rows = {row["id"]: row for row in batch.rows(Session)}
    stored = queries.by_ids.all(ids=json_codec.encode(list(rows)))
    known = {row.id: row._asdict() for row in stored}
    changed = [id for id, row in rows.items() if row != known.get(id)]
    keys = json_codec.encode(changed)
    for id, states in past_states(Session, [id for id in changed if id in known]).items():
        _date_counts(batch, [*states[:-1], (states[-1][0], known[id])], -1)
    for id in changed:
        _date_counts(batch, batch.states[Session][id], 1)
    queries.add_to_counts(keys, -1)
    batch.write(Session)
    queries.add_to_counts(keys, 1)


def _date_counts(batch: Batch, states: Sequence[PastState], times: int) -> None:
    """Count a session of these states at their instants, or with -1 take it out."""
    before: tuple[str, str] | None = None
    for at, row in states:
        after = row and (row["account_id"], "live" if row["archived_at"] is None else "archived")
        for place, by in ((before, -times), (after, times)) if after != before else ():
            if place:
                batch.date_count(SessionCount, place[0], at, **{place[1]: by})
        before = after or None


TABLES = (SeedTable("scale.sessions", SessionSeed(), _plan),)
