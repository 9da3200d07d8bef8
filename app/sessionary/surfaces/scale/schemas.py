"""What Scale's calls accept and show."""

from typing import Any

from marshmallow import fields, validates_schema

from sessionary import identity
from sessionary.surfaces.scale import errors, rules
from sessionary.web import json_codec
from sessionary.web.context import settings
from sessionary.web.fields import (
    Boolean,
    Bounds,
    Instant,
    Object,
    OneOf,
    Problem,
    QueryBoolean,
    QueryInteger,
    Request,
    Text,
)

_OPAQUE = {"description": "Opaque, caller-defined session state."}
ENDS_BEFORE_IT_STARTS = Problem("value", "must not be before start_date", ("end_date",))


class State(Object):
    """Any JSON object, loaded as the text that is stored. Raises errors.TooLarge.

    Source: page (opaque). Assumed: its size is that of this text, compact and ASCII-escaped.
    """

    def _deserialize(self, value: Any, *args: Any, **kwargs: Any) -> str:  # type: ignore[override]
        text = json_codec.encode(super()._deserialize(value, *args, **kwargs))
        limit = settings().scale_max_state_bytes
        if len(text) > limit:
            raise errors.TooLarge(limit)
        return text


class Windowed(Request):
    """Source: page (a session's window, both ends optional). Assumed: a missing offset is UTC."""

    start_date = Instant(
        assume_utc=True, allow_none=True, metadata={"description": "Start of the session window."}
    )
    end_date = Instant(
        assume_utc=True, allow_none=True, metadata={"description": "End of the session window."}
    )

    @validates_schema(skip_on_field_errors=False)
    def does_not_end_before_it_starts(self, data: dict[str, Any], **_: Any) -> None:
        """Source: sibling."""
        if not rules.is_window(data.get("start_date"), data.get("end_date")):
            raise ENDS_BEFORE_IT_STARTS.as_error()


class CreateRequest(Windowed):
    """Source: page. Unknown names are ignored. Source: docs. Assumed: a null date is as absent."""

    title = Text(required=True)
    state = State(required=True, metadata=_OPAQUE)
    account_id = Text(
        required=True, metadata={"description": "The ID of the account that owns the given entity."}
    )


class UpdateRequest(Windowed):
    """What is absent stays as it is. Source: sibling. Assumed: a null date unsets it."""

    title = Text()
    state = State(metadata=_OPAQUE)
    archived_at = Instant(
        assume_utc=True,
        allow_none=True,
        metadata={"description": "Archives; null restores."},
    )
    restore = Boolean(metadata={"description": "Set to true to take it out of the archive."})


class ListQuery(Request):
    """Source: sibling."""

    page = QueryInteger(load_default=1, validate=Bounds(1))
    limit = QueryInteger(load_default=100, validate=Bounds(1, 10_000))
    account_id = Text(load_default=None)
    include_archived = QueryBoolean(load_default=False)


class SessionResponse(Request):
    """A session; `start_date`, `end_date` and `archived_at` are absent when unset."""

    id = fields.UUID(required=True)
    title = fields.String(required=True)
    state = fields.Dict(required=True, metadata=_OPAQUE)
    created_at = fields.DateTime(required=True)
    updated_at = fields.DateTime(required=True)
    created_by_user_id = fields.String(required=True)
    created_by_identity_type = fields.String(required=True, validate=OneOf(identity.IDENTITY_TYPES))
    account_id = fields.String(required=True)
    start_date = fields.DateTime()
    end_date = fields.DateTime()
    archived_at = fields.DateTime()


class SessionPage(Request):
    """A page of sessions."""

    items = fields.List(fields.Nested(SessionResponse), required=True)
    total_item_count = fields.Integer(required=True)
    current_page = fields.Integer(required=True)
    items_per_page = fields.Integer(required=True)


class DeleteResponse(Request):
    """How many sessions were archived: none if it was so already."""

    count = fields.Integer(required=True)
    success = fields.Boolean(required=True)


class Account(Request):
    """An account's name."""

    id = fields.String(required=True)
    name = fields.String(required=True)


class AccessProfile(Request):
    """A role in an account."""

    role = fields.String(required=True, validate=OneOf(identity.ROLES))
    account = fields.Nested(Account, required=True)


class UserInfo(Request):
    """Who is asking, and where they may go."""

    id = fields.String(required=True)
    email = fields.String(required=True)
    first_name = fields.String(required=True, allow_none=True)
    last_name = fields.String(required=True, allow_none=True)
    access_profiles = fields.List(fields.Nested(AccessProfile), required=True)


class ErrorBody(Request):
    """A refusal."""

    detail = fields.String(required=True)


class Violation(Request):
    """One thing wrong with a request, in pydantic's words."""

    loc = fields.List(fields.Raw(), required=True)
    msg = fields.String(required=True)
    type = fields.String(required=True)
    ctx = fields.Dict()


class Invalid(Request):
    """Every violation of a request that does not fit."""

    detail = fields.List(fields.Nested(Violation), required=True)
