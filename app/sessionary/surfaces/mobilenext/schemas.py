"""Schemas of Mobile Next's requests and responses."""

import re
from typing import Any

from marshmallow import ValidationError, fields, validate, validates_schema

from sessionary.surfaces.mobilenext import rules
from sessionary.web.fields import Bounds, Instant, List, OneOf, Problem, QueryInteger, Request, Text
from sessionary.web.responses import items, nested, response_schema

MAX_FILTERS = 100
_OVER_THREE_DIGITS = re.compile(r"0*[1-9][0-9]{3,}", re.ASCII)


class Limit(QueryInteger):
    """The size of a page; more than the maximum is reduced to it."""

    def _deserialize(self, value: Any, *args: Any, **kwargs: Any) -> int:
        if _OVER_THREE_DIGITS.fullmatch(value):
            return rules.MAX_PAGE_SIZE
        return min(super()._deserialize(value, *args, **kwargs), rules.MAX_PAGE_SIZE)


class ListQuery(Request):
    """Page of a list."""

    limit = Limit(
        load_default=rules.DEFAULT_PAGE_SIZE,
        validate=Bounds(min=1),
        metadata={"description": f"Sessions per page, at most {rules.MAX_PAGE_SIZE}."},
    )
    before = Instant(
        load_default=None,
        metadata={"description": "Sessions created strictly before this RFC 3339 timestamp."},
    )


class Filter(Request):
    """A condition on a device."""

    attribute = Text(required=True, validate=OneOf(rules.ATTRIBUTES))
    operator = Text(required=True, validate=OneOf(rules.OPERATORS))
    value = Text(required=True)


class AllocateRequest(Request):
    """The device to allocate, by filters."""

    filters = List(fields.Nested(Filter), required=True, validate=validate.Length(1, MAX_FILTERS))

    @validates_schema
    def check_filters(self, data: dict[str, Any], **_: Any) -> None:
        filters = data["filters"]
        if [each["attribute"] for each in filters].count(rules.PLATFORM) != 1:
            raise _bad_filter("must have exactly one filter on platform")
        for each in filters:
            if each["operator"] in rules.ORDERING:
                if each["attribute"] != rules.VERSION:
                    raise _bad_filter(f"{each['operator']} compares versions only")
                if not rules.is_version(each["value"]):
                    raise _bad_filter("a version is numbers and dots, such as 18.6.2")


def _bad_filter(text: str) -> ValidationError:
    return Problem("value", text, path=("filters",)).as_error()


_DEVICE = "platform type name osVersion"
_LIST = Text(required=True, validate=OneOf(("list",)))
_STATUSES = (rules.PROVISIONING, rules.IN_USE, rules.RELEASED)

SessionDevice = response_schema("SessionDevice", text=f"id {_DEVICE}")
# The serial is absent while the device is provisioning.
AllocationInfo = response_schema("AllocationInfo", text=_DEVICE, serial=Text())
Allocation = response_schema(
    "Allocation",
    uuid="id",
    status=Text(required=True, validate=OneOf(_STATUSES)),
    info=nested(AllocationInfo),
    instant="createdAt",
    releasedAt=fields.DateTime(),
)
# A session with at least one device.
Session = response_schema(
    "Session",
    uuid="id user",
    text="organization",
    device=nested(SessionDevice),
    devices=items(Allocation),
    instant="createdAt",
    instant_or_null="releasedAt",
)
_CURSOR = fields.DateTime()
SessionPage = response_schema("SessionPage", object=_LIST, data=items(Session), nextCursor=_CURSOR)
# A session without a device; its createdAt is provisional.
NewSession = response_schema("NewSession", uuid="id user", text="organization", instant="createdAt")
ReadyDevice = response_schema(
    "ReadyDevice",
    id=Text(required=True, metadata={"description": "The serial."}),
    text="name platform type version state model",
)
Allocated = response_schema("Allocated", uuid="allocationId", device=nested(ReadyDevice))
Allocating = response_schema(
    "Allocating", uuid="allocationId", state=Text(required=True, validate=OneOf(("allocating",)))
)
AllocationList = response_schema("AllocationList", object=_LIST, data=items(Allocation))
Organization = response_schema("Organization", text="id name type role", instant="createdAt")
OrganizationList = response_schema("OrganizationList", object=_LIST, data=items(Organization))
Reason = response_schema("Reason", text="code message")
ErrorBody = response_schema("ErrorBody", error=nested(Reason))

# Where each field comes from: by schema, the names that a source holds for.
SOURCES = {
    ListQuery: {
        "Source: page (500 at most). Assumed: more is reduced to 500, less than 1 is refused.": (
            "limit"
        ),
        "Source: page.": "before",
    },
    AllocateRequest: {"Source: client (one platform). Assumed: 100 at most.": "filters"},
    Filter: {
        "Source: client.": "attribute value",
        "Source: client. Assumed: only versions are ordered.": "operator",
    },
    SessionDevice: {"Source: page.": "id platform type name osVersion"},
    AllocationInfo: {
        "Source: client.": "platform type name osVersion",
        "Source: client (absent while provisioning).": "serial",
    },
    Allocation: {"Source: client.": "id status info createdAt releasedAt"},
    Session: {
        "Source: page.": "id organization user device createdAt",
        "Source: page (null while held).": "releasedAt",
        "Source: client (without it mobilecli cannot release).": "devices",
    },
    SessionPage: {
        "Source: page.": "object data",
        "Source: page (absent after the last session).": "nextCursor",
    },
    NewSession: {
        "Source: client.": "id",
        "Assumed: as in a session that is listed.": "organization user",
        "Assumed: provisional, until the first device.": "createdAt",
    },
    ReadyDevice: {
        "Source: client.": "id name platform type version state",
        "Source: client. Assumed: its name.": "model",
    },
    Allocated: {"Source: client.": "allocationId device"},
    Allocating: {"Source: client.": "allocationId state"},
    AllocationList: {"Source: client.": "object data"},
    Organization: {
        "Source: docs.": "id name role createdAt",
        "Source: docs. Assumed: always `organization`.": "type",
    },
    OrganizationList: {"Source: docs.": "object data"},
    ErrorBody: {"Source: client.": "error"},
    Reason: {
        "Source: client (it shows it).": "message",
        "Source: client. Assumed: most of its values.": "code",
    },
}
