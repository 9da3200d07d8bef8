"""Response bodies, v1 and v4."""

from marshmallow import fields

from sessionary.surfaces.notte import rules
from sessionary.web.fields import OneOf, Text
from sessionary.web.responses import items, nested, response_schema

_DURATION = {"description": "ISO 8601, such as PT41.286072S"}
_MAX_DURATION = {"description": "Absent if v1 started it."}

# Both v1 and v4 answer this; v1's client ignores the fields of v4.
SessionResponse = response_schema(
    "SessionResponse",
    uuid="session_id",
    status=Text(required=True, validate=OneOf(rules.STATUSES)),
    instant="created_at last_accessed_at",
    instant_or_null="closed_at",
    duration=Text(required=True, metadata=_DURATION),
    integer="timeout_minutes idle_timeout_minutes network_request_bytes network_response_bytes",
    max_duration_minutes=fields.Integer(metadata=_MAX_DURATION),
    text="browser_type",
    text_or_null="error close_reason user_agent cdp_url viewer_url",
    steps=fields.List(fields.Dict(), required=True),
    boolean="proxies headless solve_captchas web_bot_auth use_file_storage",
    integer_or_null="viewport_width viewport_height",
    number_or_null="credit_usage",
    auth_ids=fields.List(Text(), required=True),
)
SessionPage = response_schema(
    "SessionPage",
    items=items(SessionResponse),
    integer="page page_size",
    boolean="has_next has_previous",
)
# Of v1's operations.
ObserveResponse = response_schema(
    "ObserveResponse",
    session=nested(SessionResponse),
    object="metadata",
    object_or_null="data space progress",
    text_or_null="screenshot",
)
# Of v4's observe.
_SPAN = "started_at ended_at"
Observation = response_schema(
    "Observation",
    session=nested(SessionResponse),
    instant=_SPAN,
    object="metadata screenshot space",
)
ExecutionResult = response_schema(
    "ExecutionResult",
    session=nested(SessionResponse),
    instant=_SPAN,
    object="action",
    boolean="success",
    text="message",
    object_or_null="data",
    text_or_null="exception",
)
ScrapeResponse = response_schema(
    "ScrapeResponse",
    session=nested(SessionResponse),
    text="markdown",
    object_or_null="structured",
)
Health = response_schema("Health", text="status version", integer="active_sessions")
# The detail of v4's invalid input is a list of violations.
ErrorBody = response_schema("ErrorBody", value="detail", session_id=Text())

# Where each field comes from: by schema, the names that a source holds for.
_OLDER = "Source: client (1.7.9 and 1.8.0 need it)."
SOURCES = {
    SessionResponse: {
        "Source: page.": "session_id status timeout_minutes created_at last_accessed_at error",
        "Source: page, client (a duration of ISO 8601, never a number).": "duration",
        "Source: client.": "idle_timeout_minutes max_duration_minutes close_reason proxies "
        "browser_type user_agent viewport_width viewport_height headless solve_captchas "
        "web_bot_auth",
        "Source: client (set whenever the status is not active).": "closed_at",
        "Source: client. Assumed: always empty.": "steps auth_ids",
        "Source: docs.": "use_file_storage",
        "Source: docs, client (never null). Assumed: 0.": (
            "network_request_bytes network_response_bytes"
        ),
        "Source: docs. Assumed: always null.": "credit_usage cdp_url viewer_url",
    },
    SessionPage: {"Source: client.": "items page page_size has_next has_previous"},
    ObserveResponse: {
        "Source: client.": "session metadata screenshot",
        "Source: client. Assumed: always null.": "data space progress",
    },
    Observation: {
        "Source: client.": "started_at ended_at metadata screenshot space",
        _OLDER: "session",
    },
    ExecutionResult: {
        "Source: client.": "started_at ended_at action success message data exception",
        _OLDER: "session",
    },
    ScrapeResponse: {
        "Source: client. Assumed: always empty.": "markdown",
        _OLDER: "session",
        "Source: client (not null if requested). Assumed: a failure.": "structured",
    },
    Health: {"Source: client.": "status version active_sessions"},
    ErrorBody: {"Source: client.": "detail session_id"},
}
