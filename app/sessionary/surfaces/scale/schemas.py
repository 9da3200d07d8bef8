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
from sessionary.web.responses import items, nested, response_schema

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


# Unset dates are absent.
SessionResponse = response_schema(
    "SessionResponse",
    uuid="id",
    text="title created_by_user_id account_id",
    state=fields.Dict(required=True, metadata=_OPAQUE),
    instant="created_at updated_at",
    created_by_identity_type=Text(required=True, validate=OneOf(identity.IDENTITY_TYPES)),
    start_date=fields.DateTime(),
    end_date=fields.DateTime(),
    archived_at=fields.DateTime(),
)
SessionPage = response_schema(
    "SessionPage",
    items=items(SessionResponse),
    integer="total_item_count current_page items_per_page",
)
# The count is 0 if the session was archived already.
DeleteResponse = response_schema("DeleteResponse", integer="count", boolean="success")
Account = response_schema("Account", text="id name")
AccessProfile = response_schema(
    "AccessProfile",
    role=Text(required=True, validate=OneOf(identity.ROLES)),
    account=nested(Account),
)
UserInfo = response_schema(
    "UserInfo",
    text="id email",
    text_or_null="first_name last_name",
    access_profiles=items(AccessProfile),
)
ErrorBody = response_schema("ErrorBody", text="detail")
# As pydantic reports it.
Violation = response_schema(
    "Violation", loc=fields.List(fields.Raw(), required=True), text="msg type", ctx=fields.Dict()
)
ValidationErrorBody = response_schema("ValidationErrorBody", detail=items(Violation))
