"""Schemas of Mobile Next's requests and responses."""

import re
from typing import Any

from marshmallow import ValidationError, fields, validate, validates_schema

from sessionary.surfaces.mobilenext import rules
from sessionary.web.fields import Bounds, Instant, List, OneOf, Problem, QueryInteger, Request, Text

MAX_FILTERS = 100
_OVER_THREE_DIGITS = re.compile(r"0*[1-9][0-9]{3,}", re.ASCII)


class Limit(QueryInteger):
    """The size of a page. Source: page (500 at most). Assumed: more is reduced to 500."""

    def _deserialize(self, value: Any, *args: Any, **kwargs: Any) -> int:
        if _OVER_THREE_DIGITS.fullmatch(value):
            return rules.MAX_PAGE_SIZE
        return min(super()._deserialize(value, *args, **kwargs), rules.MAX_PAGE_SIZE)


class ListQuery(Request):
    """Page of a list. Source: page. Assumed: a limit below 1 is refused."""

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
    """A condition on a device. Source: client."""

    attribute = Text(required=True, validate=OneOf(rules.ATTRIBUTES))
    operator = Text(required=True, validate=OneOf(rules.OPERATORS))
    value = Text(required=True)


class AllocateRequest(Request):
    """The device to allocate, by filters. Source: client."""

    filters = List(
        fields.Nested(Filter), required=True, validate=validate.Length(min=1, max=MAX_FILTERS)
    )

    @validates_schema
    def check_filters(self, data: dict[str, Any], **_: Any) -> None:
        """Source: client (one platform). Assumed: only versions are ordered; 100 filters."""
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


class DeviceInfo(Request):
    platform = fields.String(required=True)
    type = fields.String(required=True)
    name = fields.String(required=True)
    os_version = fields.String(required=True, data_key="osVersion")


class SessionDevice(DeviceInfo):
    """The first device of a session."""

    id = fields.String(required=True)


class AllocationInfo(DeviceInfo):
    """The device of an allocation; its serial is absent while it is provisioning."""

    serial = fields.String()


class Allocation(Request):
    """A device that is or was allocated to a session."""

    id = fields.UUID(required=True)
    status = fields.String(
        required=True, validate=OneOf((rules.PROVISIONING, rules.IN_USE, rules.RELEASED))
    )
    info = fields.Nested(AllocationInfo, required=True)
    created_at = fields.DateTime(required=True, data_key="createdAt")
    released_at = fields.DateTime(data_key="releasedAt")


class NewSession(Request):
    """A session without a device; its createdAt is provisional."""

    id = fields.UUID(required=True)
    organization = fields.String(required=True)
    user = fields.UUID(required=True)
    created_at = fields.DateTime(required=True, data_key="createdAt")


class Session(NewSession):
    """A session with at least one device."""

    device = fields.Nested(SessionDevice, required=True)
    devices = fields.List(fields.Nested(Allocation), required=True)
    released_at = fields.DateTime(required=True, allow_none=True, data_key="releasedAt")


class SessionPage(Request):
    """Sessions, newest first."""

    object = fields.String(required=True, validate=OneOf(("list",)))
    data = fields.List(fields.Nested(Session), required=True)
    next_cursor = fields.DateTime(data_key="nextCursor")


class ReadyDevice(Request):
    """A device that can be used at once."""

    id = fields.String(required=True, metadata={"description": "The serial."})
    name = fields.String(required=True)
    platform = fields.String(required=True)
    type = fields.String(required=True)
    version = fields.String(required=True)
    state = fields.String(required=True)
    model = fields.String(required=True)


class Allocated(Request):
    """The device is ready to use."""

    allocation_id = fields.UUID(required=True, data_key="allocationId")
    device = fields.Nested(ReadyDevice, required=True)


class Allocating(Request):
    """The device is reserved and provisioning."""

    allocation_id = fields.UUID(required=True, data_key="allocationId")
    state = fields.String(required=True, validate=OneOf(("allocating",)))


class AllocationList(Request):
    object = fields.String(required=True, validate=OneOf(("list",)))
    data = fields.List(fields.Nested(Allocation), required=True)


class Organization(Request):
    id = fields.String(required=True)
    name = fields.String(required=True)
    type = fields.String(required=True)
    role = fields.String(required=True)
    created_at = fields.DateTime(required=True, data_key="createdAt")


class OrganizationList(Request):
    object = fields.String(required=True, validate=OneOf(("list",)))
    data = fields.List(fields.Nested(Organization), required=True)


class Reason(Request):
    code = fields.String(required=True)
    message = fields.String(required=True)


class ErrorBody(Request):
    error = fields.Nested(Reason, required=True)
