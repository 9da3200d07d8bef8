"""Response bodies, v1 and v4. Source: page, client."""

from marshmallow import fields

from sessionary.surfaces.notte import rules
from sessionary.web.fields import OneOf, Request, Text


class SessionResponse(Request):
    """Both v1 and v4 answer this; v1's client ignores the fields of v4."""

    session_id = fields.UUID(required=True)
    status = Text(required=True, validate=OneOf(rules.STATUSES))
    created_at = fields.DateTime(required=True)
    last_accessed_at = fields.DateTime(required=True)
    closed_at = fields.DateTime(required=True, allow_none=True)
    duration = Text(required=True, metadata={"description": "ISO 8601, such as PT41.286072S"})
    timeout_minutes = fields.Integer(required=True)
    idle_timeout_minutes = fields.Integer(required=True)
    max_duration_minutes = fields.Integer(metadata={"description": "Absent if v1 started it."})
    error = Text(required=True, allow_none=True)
    close_reason = Text(required=True, allow_none=True)
    steps = fields.List(fields.Dict(), required=True)
    proxies = fields.Boolean(required=True)
    browser_type = Text(required=True)
    user_agent = Text(required=True, allow_none=True)
    viewport_width = fields.Integer(required=True, allow_none=True)
    viewport_height = fields.Integer(required=True, allow_none=True)
    headless = fields.Boolean(required=True)
    solve_captchas = fields.Boolean(required=True)
    web_bot_auth = fields.Boolean(required=True)
    auth_ids = fields.List(Text(), required=True)


class SessionPage(Request):
    items = fields.List(fields.Nested(SessionResponse), required=True)
    page = fields.Integer(required=True)
    page_size = fields.Integer(required=True)
    has_next = fields.Boolean(required=True)
    has_previous = fields.Boolean(required=True)


class ObserveResponse(Request):
    """v1's operations."""

    session = fields.Nested(SessionResponse, required=True)
    metadata = fields.Dict(required=True)
    screenshot = Text(required=True, allow_none=True)
    data = fields.Dict(required=True, allow_none=True)
    space = fields.Dict(required=True, allow_none=True)
    progress = fields.Dict(required=True, allow_none=True)


class _Timed(Request):
    started_at = fields.DateTime(required=True)
    ended_at = fields.DateTime(required=True)


class Observation(_Timed):
    """v4's observe."""

    metadata = fields.Dict(required=True)
    screenshot = fields.Dict(required=True)
    space = fields.Dict(required=True)


class ExecutionResult(_Timed):
    action = fields.Dict(required=True)
    success = fields.Boolean(required=True)
    message = Text(required=True)
    data = fields.Dict(required=True, allow_none=True)
    exception = Text(required=True, allow_none=True)


class ScrapeResponse(Request):
    markdown = Text(required=True)
    structured = fields.Dict(required=True, allow_none=True)


class Health(Request):
    status = Text(required=True)
    version = Text(required=True)
    active_sessions = fields.Integer(required=True)


class ErrorBody(Request):
    """Every error; the detail of v4's invalid input is a list of violations."""

    detail = fields.Raw(required=True)
    session_id = Text()
