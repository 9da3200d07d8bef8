"""Schemas of Scale's requests and responses."""

from typing import Any

from marshmallow import fields as base
from marshmallow import validates_schema

from sessionary import identity
from sessionary.surfaces.scale import rules
from sessionary.surfaces.scale.errors import ScaleError
from sessionary.web import fields, json_codec
from sessionary.web.context import settings
from sessionary.web.fields import Bounds, Instant, Object, OneOf, Problem, Request, Text
from sessionary.web.responses import items, nested, response_schema

_OPAQUE = {"description": "Opaque, caller-defined session state."}
_ACCOUNT = {"description": "The ID of the account that owns the given entity."}
_SIZES = Bounds(1, rules.MAX_PAGE_SIZE)
END_BEFORE_START = Problem("value", "must not be before start_date", ("end_date",))


class State(Object):
    """Any JSON object, loaded as the text that is stored. Raises ScaleError.

    Source: page (opaque). Assumed: 413; the limit applies to this text, compact and ASCII-escaped.
    """

    def _deserialize(self, value: Any, *args: Any, **kwargs: Any) -> str:  # type: ignore[override]
        text = json_codec.encode(super()._deserialize(value, *args, **kwargs))
        limit = settings().vendors["scale"].max_state_bytes
        if len(text) > limit:
            raise ScaleError(f"state is larger than {limit} bytes", 413)
        return text


def _date(description: str) -> Instant:
    return Instant(assume_utc=True, allow_none=True, metadata={"description": description})


class WindowRequest(Request):
    """A session's window; both ends are optional."""

    start_date = _date("Start of the session window.")
    end_date = _date("End of the session window.")

    @validates_schema(skip_on_field_errors=False)
    def check_window(self, data: dict[str, Any], **_: Any) -> None:
        if not rules.is_valid_window(data.get("start_date"), data.get("end_date")):
            raise END_BEFORE_START.as_error()


class CreateRequest(WindowRequest):
    """A new session. Unknown names are ignored. Source: docs."""

    title = Text(required=True)
    state = State(required=True, metadata=_OPAQUE)
    account_id = Text(required=True, metadata=_ACCOUNT)


class UpdateRequest(WindowRequest):
    """A change; absent fields keep their value."""

    title = Text()
    state = State(metadata=_OPAQUE)
    archived_at = _date("Archives; null restores.")
    restore = fields.Boolean(
        metadata={"description": "Set to true to restore an archived session."}
    )


class ListQuery(Request):
    """Page and filters of a list."""

    page = fields.QueryInteger(load_default=1, validate=Bounds(1))
    limit = fields.QueryInteger(load_default=rules.PAGE_SIZE, validate=_SIZES)
    account_id = Text(load_default=None)
    include_archived = fields.QueryBoolean(load_default=False)


# Unset dates are absent.
SessionResponse = response_schema(
    "SessionResponse",
    uuid="id",
    text="title created_by_user_id account_id",
    state=base.Dict(required=True, metadata=_OPAQUE),
    instant="created_at updated_at",
    created_by_identity_type=Text(required=True, validate=OneOf(identity.IDENTITY_TYPES)),
    start_date=base.DateTime(),
    end_date=base.DateTime(),
    archived_at=base.DateTime(),
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
    accounts=items(AccessProfile),
)
ErrorBody = response_schema("ErrorBody", text="detail")
# As pydantic reports it.
Violation = response_schema(
    "Violation", loc=base.List(base.Raw(), required=True), text="msg type", ctx=base.Dict()
)
ValidationErrorBody = response_schema("ValidationErrorBody", detail=items(Violation))

# Where each field comes from: by schema, the names that a source holds for.
SOURCES = {
    WindowRequest: {
        "Source: page. Assumed: null is as absent, a missing offset is UTC.": "start_date end_date"
    },
    CreateRequest: {
        "Source: page.": "title account_id",
        "Source: page (opaque). Assumed: 413 over the limit.": "state",
    },
    UpdateRequest: {
        "Source: sibling.": "title restore",
        "Source: sibling. Assumed: replaced whole.": "state",
        "Source: sibling. Assumed: null unsets it.": "start_date end_date",
        "Source: sibling. Assumed: a date is stored as given.": "archived_at",
    },
    ListQuery: {"Source: sibling.": "page limit account_id include_archived"},
    SessionResponse: {
        "Source: page.": "id title state created_at updated_at created_by_user_id "
        "created_by_identity_type account_id",
        "Source: page (the type has no null).": "start_date end_date archived_at",
    },
    SessionPage: {
        "Source: client, sibling.": "items current_page",
        "Source: sibling.": "total_item_count items_per_page",
    },
    DeleteResponse: {
        "Source: sibling.": "success",
        "Source: sibling. Assumed: 0 if it was archived already.": "count",
    },
    UserInfo: {
        "Source: client.": "id access_profiles",
        "Source: client (scale-egp 1.0).": "accounts",
        "Source: client. Assumed: of a domain that cannot exist, if none is known.": "email",
        "Source: client. Assumed: null.": "first_name last_name",
    },
    AccessProfile: {"Source: client.": "role account"},
    Account: {"Source: client.": "id name"},
    ErrorBody: {"Source: client, sibling.": "detail"},
    ValidationErrorBody: {"Source: sibling (422, every violation).": "detail"},
    Violation: {"Source: sibling (the words of pydantic 2).": "loc msg type ctx"},
}
