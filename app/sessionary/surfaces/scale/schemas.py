"""Schemas of Scale's requests and responses."""

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
END_BEFORE_START = Problem("value", "must not be before start_date", ("end_date",))


class State(Object):
    """Any JSON object, loaded as the text that is stored. Raises errors.StateTooLarge.

    Source: page (opaque). Assumed: the limit applies to this text, compact and ASCII-escaped.
    """

    def _deserialize(self, value: Any, *args: Any, **kwargs: Any) -> str:  # type: ignore[override]
        text = json_codec.encode(super()._deserialize(value, *args, **kwargs))
        limit = settings().vendors["scale"].max_state_bytes
        if len(text) > limit:
            raise errors.StateTooLarge(limit)
        return text


class WindowRequest(Request):
    """A session's window. Source: page (optional ends). Assumed: a missing offset is UTC."""

    start_date = Instant(
        assume_utc=True, allow_none=True, metadata={"description": "Start of the session window."}
    )
    end_date = Instant(
        assume_utc=True, allow_none=True, metadata={"description": "End of the session window."}
    )

    @validates_schema(skip_on_field_errors=False)
    def check_window(self, data: dict[str, Any], **_: Any) -> None:
        if not rules.is_valid_window(data.get("start_date"), data.get("end_date")):
            raise END_BEFORE_START.as_error()


class CreateRequest(WindowRequest):
    """A new session. Source: page, docs (unknown names are ignored). Assumed: null dates."""

    title = Text(required=True)
    state = State(required=True, metadata=_OPAQUE)
    account_id = Text(
        required=True, metadata={"description": "The ID of the account that owns the given entity."}
    )


class UpdateRequest(WindowRequest):
    """Absent fields keep their value. Source: sibling. Assumed: null unsets a date."""

    title = Text()
    state = State(metadata=_OPAQUE)
    archived_at = Instant(
        assume_utc=True, allow_none=True, metadata={"description": "Archives; null restores."}
    )
    restore = Boolean(metadata={"description": "Set to true to restore an archived session."})


class ListQuery(Request):
    """Page and filters of a list. Source: sibling."""

    page = QueryInteger(load_default=1, validate=Bounds(1))
    limit = QueryInteger(
        load_default=rules.DEFAULT_PAGE_SIZE, validate=Bounds(1, rules.MAX_PAGE_SIZE)
    )
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
    items = fields.List(fields.Nested(SessionResponse), required=True)
    total_item_count = fields.Integer(required=True)
    current_page = fields.Integer(required=True)
    items_per_page = fields.Integer(required=True)


class DeleteResponse(Request):
    """The number of sessions archived: 0 if it was archived already."""

    count = fields.Integer(required=True)
    success = fields.Boolean(required=True)


class Account(Request):
    id = fields.String(required=True)
    name = fields.String(required=True)


class AccessProfile(Request):
    """The caller's role in an account."""

    role = fields.String(required=True, validate=OneOf(identity.ROLES))
    account = fields.Nested(Account, required=True)


class UserInfo(Request):
    id = fields.String(required=True)
    email = fields.String(required=True)
    first_name = fields.String(required=True, allow_none=True)
    last_name = fields.String(required=True, allow_none=True)
    access_profiles = fields.List(fields.Nested(AccessProfile), required=True)


class ErrorBody(Request):
    detail = fields.String(required=True)


class Violation(Request):
    loc = fields.List(fields.Raw(), required=True)
    msg = fields.String(required=True)
    type = fields.String(required=True)
    ctx = fields.Dict()


class ValidationErrorBody(Request):
    """Every violation of a request's schema."""

    detail = fields.List(fields.Nested(Violation), required=True)
