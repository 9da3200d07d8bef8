"""What Notte's calls accept and show, in both generations."""

from typing import Any

from marshmallow import INCLUDE, RAISE, fields, pre_load, validates, validates_schema

from sessionary.surfaces.notte import rules
from sessionary.wire.fields import (
    Boolean,
    Bounds,
    Integer,
    List,
    Object,
    OneOf,
    QueryBoolean,
    QueryInteger,
    Request,
    Text,
    problem,
)
from sessionary.wire.requests import settings

DEFAULT_TIMEOUT_MINUTES = 5


class SessionRequest(Request):
    """v1. Source: page; every field is optional, unknown ones are ignored."""

    session_id = Text(load_default=None, allow_none=True)
    keep_alive = Boolean(load_default=False)
    timeout_minutes = Integer(
        data_key="session_timeout_minutes",
        load_default=DEFAULT_TIMEOUT_MINUTES,
        metadata={
            "exclusiveMinimum": 0,
            "description": "Minutes; less than the global timeout, which is 30 unless set.",
        },
    )
    screenshot = Boolean(load_default=None, allow_none=True)

    @pre_load
    def take_the_older_name(self, data: dict[str, Any], **_: Any) -> dict[str, Any]:
        """Source: page, whose upper half still says `session_timeout`."""
        if "session_timeout" in data and "session_timeout_minutes" not in data:
            return {**data, "session_timeout_minutes": data["session_timeout"]}
        return data

    @validates("timeout_minutes")
    def is_within_the_global_timeout(self, value: int, **_: Any) -> None:
        """Source: page ("0 < x < 30", "cannot exceed the global timeout")."""
        limit = settings().notte_global_timeout_minutes
        if not 0 < value < limit:
            raise problem("bounds", f"must be greater than 0 and less than {limit}", gt=0, lt=limit)


class CloseRequest(SessionRequest):
    """Source: client; the session to close is required."""

    session_id = Text(required=True)


class ObserveRequest(SessionRequest):
    """Source: client. Without a session, `url` starts one."""

    url = Text(load_default=None, allow_none=True)
    min_nb_actions = Integer(load_default=None, allow_none=True)
    max_nb_actions = Integer(load_default=100)


class StepRequest(SessionRequest):
    """Source: client."""

    session_id = Text(required=True)
    action_id = Text(required=True)
    value = Text(load_default=None, allow_none=True)
    enter = Boolean(load_default=None, allow_none=True)
    min_nb_actions = Integer(load_default=None, allow_none=True)
    max_nb_actions = Integer(load_default=100)


class ScrapeRequest(ObserveRequest):
    """Source: client."""

    scrape_images = Boolean(load_default=False)
    only_main_content = Boolean(load_default=True)


_BROWSERS = ("chromium", "chrome", "firefox", "chrome-nightly", "chrome-turbo")
_ASPECTS = ("5:4", "16:9")


class StartRequest(Request):
    """v4. Source: client; truly unknown fields are refused."""

    class Meta:
        unknown = RAISE

    idle_timeout_minutes = Integer(load_default=None, validate=Bounds(1, 30))
    timeout_minutes = Integer(load_default=3, validate=Bounds(1, 30))
    max_duration_minutes = Integer(load_default=15, validate=Bounds(1, 1440))
    headless = Boolean()
    solve_captchas = Boolean()
    proxies = fields.Raw(allow_none=True)
    browser_type = Text(validate=OneOf(_BROWSERS))
    user_agent = Text(allow_none=True)
    chrome_args = List(Text(), allow_none=True)
    viewport_width = Integer(allow_none=True)
    viewport_height = Integer(allow_none=True)
    aspect_ratio = Text(allow_none=True, validate=OneOf(_ASPECTS))
    cdp_url = Text(allow_none=True)
    profile = Object(allow_none=True)
    web_bot_auth = Boolean()
    extra_http_headers = Object(allow_none=True)
    vault_id = Text(allow_none=True)
    auth_ids = List(Text())
    wait_for_authentication = Boolean()
    auth_retry = Integer(validate=Bounds(0, 2))
    block_ads = Boolean()
    advanced_stealth = Boolean()
    screenshot_type = Text()
    demonstrate = Boolean()
    use_file_storage = Boolean()

    @validates_schema
    def fits_the_maximum(self, data: dict[str, Any], **_: Any) -> None:
        """Source: client (idle over max is refused, max's default of 15 included)."""
        if idle_minutes(data) > data["max_duration_minutes"]:
            raise problem(
                "bounds", "must not exceed max_duration_minutes", le=data["max_duration_minutes"]
            )


def idle_minutes(data: dict[str, Any]) -> int:
    """v4's idle timeout; `timeout_minutes` is its older name. Source: client."""
    given: int | None = data["idle_timeout_minutes"]
    return int(data["timeout_minutes"]) if given is None else given


class StopQuery(Request):
    """Source: client."""

    close_reason = Text(load_default="manual", validate=OneOf(("manual", "error")))


class ListQuery(Request):
    """Source: client, which writes booleans as `True` and `False`."""

    page = QueryInteger(load_default=1, validate=Bounds(1, 1_000_000_000))
    page_size = QueryInteger(load_default=10, validate=Bounds(1, 100))
    only_active = QueryBoolean(load_default=True)
    only_current_token = QueryBoolean(load_default=False)


class PageRequest(Request):
    """v4's observe and scrape. Source: client; what a browser would do with it is not done."""

    url = Text(load_default=None, allow_none=True)


class ExecuteRequest(Request):
    """v4's execute: one action. Source: client (`type` names it, `url` is where a goto goes)."""

    class Meta:
        unknown = INCLUDE

    type = Text(required=True)
    url = Text(allow_none=True)


class SessionResponse(Request):
    """Both generations show this; the fields of v4 are harmless to v1's client."""

    session_id = fields.UUID(required=True)
    status = fields.String(
        required=True,
        validate=OneOf((rules.ACTIVE, rules.CLOSED, rules.ERROR, rules.TIMED_OUT)),
    )
    created_at = fields.DateTime(required=True)
    last_accessed_at = fields.DateTime(required=True)
    closed_at = fields.DateTime(required=True, allow_none=True)
    duration = fields.String(required=True, metadata={"format": "duration"})
    timeout_minutes = fields.Integer(required=True)
    idle_timeout_minutes = fields.Integer(required=True)
    max_duration_minutes = fields.Integer(metadata={"description": "Absent if v1 started it."})
    error = fields.String(required=True, allow_none=True)
    close_reason = fields.String(required=True, allow_none=True)
    steps = fields.List(fields.Dict(), required=True)
    proxies = fields.Boolean(required=True)
    browser_type = fields.String(required=True)
    user_agent = fields.String(required=True, allow_none=True)
    viewport_width = fields.Integer(required=True, allow_none=True)
    viewport_height = fields.Integer(required=True, allow_none=True)
    headless = fields.Boolean(required=True)
    solve_captchas = fields.Boolean(required=True)
    web_bot_auth = fields.Boolean(required=True)
    auth_ids = fields.List(fields.String(), required=True)


class SessionPage(Request):
    """v4's list."""

    items = fields.List(fields.Nested(SessionResponse), required=True)
    page = fields.Integer(required=True)
    page_size = fields.Integer(required=True)
    has_next = fields.Boolean(required=True)
    has_previous = fields.Boolean(required=True)


class ObserveResponse(Request):
    """v1's operations."""

    session = fields.Nested(SessionResponse, required=True)
    metadata = fields.Dict(required=True)
    screenshot = fields.String(required=True, allow_none=True)
    data = fields.Dict(required=True, allow_none=True)
    space = fields.Dict(required=True, allow_none=True)
    progress = fields.Dict(required=True, allow_none=True)


class Observation(Request):
    """v4's observe."""

    metadata = fields.Dict(required=True)
    screenshot = fields.Dict(required=True)
    space = fields.Dict(required=True)
    started_at = fields.DateTime(required=True)
    ended_at = fields.DateTime(required=True)


class ExecutionResult(Request):
    """v4's execute."""

    action = fields.Dict(required=True)
    success = fields.Boolean(required=True)
    message = fields.String(required=True)
    data = fields.Dict(required=True, allow_none=True)
    exception = fields.String(required=True, allow_none=True)
    started_at = fields.DateTime(required=True)
    ended_at = fields.DateTime(required=True)


class ScrapeResponse(Request):
    """v4's scrape."""

    markdown = fields.String(required=True)
    structured = fields.Dict(required=True, allow_none=True)


class Health(Request):
    """Source: client."""

    status = fields.String(required=True)
    version = fields.String(required=True)
    active_sessions = fields.Integer(required=True)


class Refused(Request):
    """Every refusal; v4's invalid input has a list of violations as its detail."""

    detail = fields.Raw(required=True)
    session_id = fields.String()
