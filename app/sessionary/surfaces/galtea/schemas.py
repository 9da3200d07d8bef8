"""Request bodies, queries and response bodies."""

from typing import Any

from marshmallow import ValidationError, pre_load, validate, validates

from sessionary.surfaces.galtea import rules
from sessionary.web import fields
from sessionary.web.fields import Bounds, List, OneOf, Request, Text, problem
from sessionary.web.responses import response_schema

_FIELDS = ("createdAt",)
_DIRECTIONS = ("asc", "desc")
_NEWEST_FIRST = ["createdAt", "desc"]


class Context(fields.Field):
    """A string or an object; a string `s` becomes `{"value": s}`. Source: page."""

    expects = "object"

    def __init__(self, **kwargs: Any) -> None:
        metadata = {"oneOf": [{"type": "string"}, {"type": "object"}, {"type": "null"}]}
        super().__init__(metadata=metadata, allow_none=True, **kwargs)

    def _deserialize(self, value: Any, *_: Any, **__: Any) -> dict[str, Any]:
        if isinstance(value, str):
            return {"value": value}
        if not isinstance(value, dict):
            raise problem("object", "must be a string or an object")
        return value


def opaque_id(name: str | None = None, **options: Any) -> Text:
    """An id of any form that is not empty. Source: page (`ver_123`, `tc_123`), client."""
    return Text(data_key=name, validate=validate.Length(min=1), **options)


def _optional_id(name: str) -> Text:
    return opaque_id(name, load_default=None, allow_none=True)


class SessionInput(Request):
    """A new session. Null counts as absent; unknown fields are ignored."""

    version = _optional_id("versionId")
    product = _optional_id("productId")
    custom_id = _optional_id("customId")
    test_case = _optional_id("testCaseId")
    is_production = fields.Boolean(data_key="isProduction", load_default=None, allow_none=True)
    context = Context(load_default=None)
    metadata = fields.Object(load_default=None, allow_none=True)
    status = Text(load_default=None, allow_none=True, validate=OneOf(rules.STATUSES))
    run = _optional_id("runId")


class SessionChanges(Request):
    """A PATCH; null clears, except the status. Unknown fields are ignored."""

    custom_id = opaque_id("customId", allow_none=True)
    status = Text(validate=OneOf(rules.STATUSES))
    context = Context()
    stopping_reason = Text(data_key="stoppingReason", allow_none=True)
    metadata = fields.Object(allow_none=True)
    error = Text(allow_none=True)


class Finish(Request):
    """How a session ended: rules.ensure_has_outcome."""

    stopping_reason = Text(data_key="stoppingReason", load_default=None, allow_none=True)
    error = Text(load_default=None, allow_none=True)


class Batch(Request):
    """The sessions to delete, duplicates included."""

    ids = List(Text(), required=True, validate=validate.Length(min=1))


class _ListParameters(Request):
    """A query with lists, written `ids=a&ids=b` or `ids[]=a&ids[]=b`. Source: client."""

    @pre_load
    def merge_spellings(self, data: dict[str, Any], **_: Any) -> dict[str, Any]:
        found = self.fields.items()
        lists = [each.data_key or name for name, each in found if isinstance(each, List)]
        both = {name: data.get(name, []) + data.get(f"{name}[]", []) for name in lists}
        return {**data, **{name: values for name, values in both.items() if values}}


def _list(name: str, *, of: Text | None = None) -> List:
    return List(of or Text(), data_key=name, load_default=list)


class ListQuery(_ListParameters):
    """Values of one parameter are alternatives, all parameters must hold. Source: client, docs."""

    ids = _list("ids")
    custom_ids = _list("customIds")
    product_ids = _list("productIds")
    version_ids = _list("versionIds")
    test_case_ids = _list("testCaseIds")
    test_ids = _list("testIds")
    dataset_ids = _list("datasetIds")
    exclude_test_ids = _list("excludeTestIds")
    user_ids = _list("userIds")
    run_ids = _list("runIds")
    involved_in_run_ids = _list("involvedInRunIds")
    statuses = _list("statuses", of=Text(validate=OneOf(rules.STATUSES)))
    from_created_at = fields.Instant(data_key="fromCreatedAt", assume_utc=True)
    to_created_at = fields.Instant(data_key="toCreatedAt", assume_utc=True)
    limit = fields.QueryInteger(load_default=rules.DEFAULT_LIMIT, validate=Bounds(1))
    offset = fields.QueryInteger(load_default=0, validate=Bounds(0))
    sort = List(Text(validate=OneOf((*_FIELDS, *_DIRECTIONS))), load_default=_NEWEST_FIRST.copy)

    @pre_load
    def ensure_no_comment_filter(self, data: dict[str, Any], **_: Any) -> dict[str, Any]:
        """Assumed: 400, since comments are not stored and the list would be wrong."""
        if "commentLabels" in data or "commentLabels[]" in data:
            text = "comments are not kept here"
            raise ValidationError({"commentLabels": problem("value", text).messages})
        return data

    @validates("sort")
    def ensure_field_and_direction(self, value: list[str], **_: Any) -> None:
        """Source: client (`sort[]=createdAt&sort[]=desc`)."""
        if len(value) != 2 or value[0] not in _FIELDS or value[1] not in _DIRECTIONS:
            raise problem("choice", "must be createdAt, then asc or desc")


class ReferenceQuery(_ListParameters):
    """The ids to read."""

    ids = List(Text(), required=True, validate=validate.Length(min=1))


Session = response_schema(
    "Session",
    text="id versionId",
    text_or_null="customId testCaseId stoppingReason error recordingUri runId",
    userId=Text(required=True, allow_none=True, metadata={"description": "Null for production."}),
    object_or_null="context metadata",
    status=Text(required=True, validate=OneOf(rules.STATUSES)),
    boolean="isProduction isSeed",
    instant="createdAt",
    instant_or_null="deletedAt",
)
# Versions, test cases and tests, as far as they are stored.
_MAYBE = {"description": "Absent without one."}
Version = response_schema("Version", text="id name productId", instant="createdAt")
TestCase = response_schema(
    "TestCase", text="id testId", instant="createdAt", context=fields.Object(metadata=_MAYBE)
)
Test = response_schema("Test", text="id name", instant="createdAt")
_SDK = "latestSdkVersionPublished minimumSdkVersionSupported"
SdkVersions = response_schema("SdkVersions", text=_SDK)
ErrorBody = response_schema("ErrorBody", text="error message")

# Where each field comes from: by schema, the names that a source holds for.
SOURCES = {
    SessionInput: {
        "Source: page.": "versionId customId testCaseId context metadata status",
        "Source: page, client (null is as absent).": "isProduction",
        "Source: client.": "productId",
        "Source: docs (not on a production session).": "runId",
    },
    SessionChanges: {
        "Source: client (null clears).": "customId stoppingReason metadata error context",
        "Source: client. Assumed: not null.": "status",
    },
    Finish: {"Source: client.": "stoppingReason error"},
    Batch: {"Source: docs.": "ids"},
    ListQuery: {
        "Source: client.": "ids customIds productIds versionIds testCaseIds testIds userIds "
        "statuses fromCreatedAt toCreatedAt limit offset sort",
        "Source: docs.": "excludeTestIds runIds involvedInRunIds",
        "Source: docs (a test's newer name).": "datasetIds",
    },
    ReferenceQuery: {"Source: client. Assumed: required.": "ids"},
    Session: {
        "Source: page.": "id customId versionId userId testCaseId context stoppingReason error "
        "status isProduction metadata",
        "Source: client.": "deletedAt runId",
        "Source: client (milliseconds: it compares them as text).": "createdAt",
        "Source: client. Assumed: always null.": "recordingUri",
        "Source: client. Assumed: always false.": "isSeed",
    },
    Version: {"Source: client.": "id name productId createdAt"},
    TestCase: {
        "Source: client.": "id testId createdAt",
        "Source: client. Assumed: absent without one.": "context",
    },
    Test: {"Source: client.": "id name createdAt"},
    SdkVersions: {"Source: client.": "latestSdkVersionPublished minimumSdkVersionSupported"},
    ErrorBody: {
        "Source: client.": "message",
        "Source: client. Assumed: the status's own name.": "error",
    },
}
