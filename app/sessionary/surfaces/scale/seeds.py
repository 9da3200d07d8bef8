"""Scale's table of the seed file."""

import uuid
from typing import Any

from marshmallow import fields

from sessionary import identity
from sessionary.seeds.schemas import Ago, BadRow, Moment, SeedRow
from sessionary.surfaces.scale import queries, rules
from sessionary.surfaces.scale.models import SessionRow
from sessionary.web import json_codec
from sessionary.web.fields import Object, Text, problem
from sessionary.web.surface import SeedTable

# The creator of a session whose seed has no `user`.
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


def _apply(row: dict[str, Any], now: int) -> None:
    """Insert or replace a session. Raises BadRow."""
    if not identity.is_declared(row["account_id"]):
        raise BadRow(f"account_id: organization {row['account_id']!r} does not exist")
    session = _make_row(row, now)
    if not rules.is_valid_window(session.start_date, session.end_date):
        raise BadRow("end_date must not be before start_date")
    if not session.created_at <= (session.archived_at or session.created_at) <= session.updated_at:
        raise BadRow("created_ago, archived_ago and updated_ago must follow each other")
    queries.upsert(session)


def _make_row(row: dict[str, Any], now: int) -> SessionRow:
    creator, identity_type = _creator(row["user"])
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
        created_by_user_id=creator,
        created_by_identity_type=identity_type,
        start_date=row["start_date"],
        end_date=row["end_date"],
        archived_at=archived_at,
    )


def _creator(user: uuid.UUID | None) -> tuple[str, str]:
    """Return the id and identity type of a session's creator. Raises BadRow."""
    if user is None:
        return UNKNOWN_USER, "user"
    identity_type = queries.identity_type.one(id=str(user))
    if identity_type is None:
        raise BadRow(f"user {str(user)!r} does not exist")
    return str(user), identity_type


TABLES = (SeedTable("scale.sessions", SessionSeed(), _apply),)
