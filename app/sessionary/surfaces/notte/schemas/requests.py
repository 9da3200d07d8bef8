"""Request bodies and queries, v1 and v4."""

from typing import Any

from marshmallow import INCLUDE, RAISE, missing, post_load, pre_load, validates_schema

from sessionary.surfaces.notte import rules
from sessionary.web import fields
from sessionary.web.context import settings
from sessionary.web.fields import Bounds, OneOf, Request, Text, problem


def _without_older_name(data: dict[str, Any], older: str, newer: str) -> dict[str, Any]:
    """The older of a field's two names counts only where the newer one is absent."""
    if newer not in data:
        return data
    return {name: value for name, value in data.items() if name != older}


def _ensure_below_global_timeout(value: int) -> None:
    """Source: page ("0 < x < 30", "cannot exceed the global timeout"). Refused, not clamped."""
    limit = settings().vendors["notte"].global_timeout_minutes
    Bounds(0, limit, min_inclusive=False, max_inclusive=False)(value)


def _default_timeout() -> int:
    return rules.default_timeout_minutes(settings().vendors["notte"].global_timeout_minutes)


_BELOW_GLOBAL = {"exclusiveMinimum": 0, "exclusiveMaximum": rules.GLOBAL_TIMEOUT_MINUTES}


class SessionRequest(Request):
    """v1. Source: page; every field is optional, unknown ones are ignored."""

    session_id = Text(load_default=None, allow_none=True)
    keep_alive = fields.Boolean(load_default=False)
    timeout_minutes = fields.Integer(
        data_key="session_timeout_minutes",
        load_default=_default_timeout,
        validate=_ensure_below_global_timeout,
        metadata={
            "default": rules.DEFAULT_TIMEOUT_MINUTES,
            **_BELOW_GLOBAL,
            "description": "Minutes; less than the global timeout, which is 30 unless set.",
        },
    )
    older_timeout_minutes = fields.Integer(
        data_key="session_timeout",
        validate=_ensure_below_global_timeout,
        metadata=_BELOW_GLOBAL
        | {"deprecated": True, "description": "The older name of session_timeout_minutes."},
    )
    screenshot = fields.Boolean(load_default=None, allow_none=True)

    @pre_load
    def prefer_the_newer_name(self, data: dict[str, Any], **_: Any) -> dict[str, Any]:
        """Source: page (its upper half has `session_timeout`). Assumed: the newer name wins."""
        return _without_older_name(data, "session_timeout", "session_timeout_minutes")

    @post_load
    def take_the_older_name(self, data: dict[str, Any], **_: Any) -> dict[str, Any]:
        """Source: page (the same field; of the two defaults, 10 and 5, the body's 5 holds)."""
        if "older_timeout_minutes" in data:
            data["timeout_minutes"] = data.pop("older_timeout_minutes")
        return data


class CloseRequest(SessionRequest):
    """Source: client; the session to close is required."""

    session_id = Text(required=True)


class ObserveRequest(SessionRequest):
    """Source: client. Without a session, `url` starts one."""

    url = Text(load_default=None, allow_none=True)
    min_nb_actions = fields.Integer(load_default=None, allow_none=True)
    max_nb_actions = fields.Integer(load_default=100)


class StepRequest(CloseRequest):
    """Source: client."""

    action_id = Text(required=True)
    value = Text(load_default=None, allow_none=True)
    enter = fields.Boolean(load_default=None, allow_none=True)
    min_nb_actions = fields.Integer(load_default=None, allow_none=True)
    max_nb_actions = fields.Integer(load_default=100)


class ScrapeRequest(ObserveRequest):
    """Source: client."""

    scrape_images = fields.Boolean(load_default=False)
    only_main_content = fields.Boolean(load_default=True)


_BROWSERS = ("chromium", "chrome", "firefox", "chrome-nightly", "chrome-turbo")
_ASPECTS = ("5:4", "16:9")
_IDLE = "idle_timeout_minutes"
_OLDER_IDLE = "timeout_minutes"


class Proxies(fields.Field):
    """Whether to use a proxy: a boolean, a list of proxies or a country. Source: client."""

    expects = "list"

    def _deserialize(self, value: Any, *_: Any, **__: Any) -> bool:
        if not isinstance(value, bool | str | list):
            raise problem("list", "must be a boolean, a list of proxies or a country")
        return bool(value)


def _minutes(limit: int, default: Any = missing, **metadata: Any) -> fields.Integer:
    return fields.Integer(
        load_default=default,
        validate=Bounds(0, limit, min_inclusive=False),
        metadata={"exclusiveMinimum": 0, **metadata},
    )


class StartRequest(Request):
    """v4. Source: client. Unknown fields are refused."""

    class Meta:
        unknown = RAISE

    idle_timeout_minutes = _minutes(rules.MAX_IDLE_MINUTES, rules.DEFAULT_IDLE_MINUTES)
    timeout_minutes = _minutes(rules.MAX_IDLE_MINUTES, deprecated=True)
    max_duration_minutes = _minutes(rules.MAX_DURATION_MINUTES, rules.DEFAULT_DURATION_MINUTES)
    headless = fields.Boolean(load_default=True)
    solve_captchas = fields.Boolean(load_default=True)
    proxies = Proxies(load_default=False, metadata={"type": ["boolean", "array", "string"]})
    browser_type = Text(load_default="chromium", validate=OneOf(_BROWSERS))
    user_agent = Text(load_default=None, allow_none=True)
    chrome_args = fields.List(Text(), allow_none=True)
    viewport_width = fields.Integer(load_default=None, allow_none=True)
    viewport_height = fields.Integer(load_default=None, allow_none=True)
    aspect_ratio = Text(allow_none=True, validate=OneOf(_ASPECTS))
    cdp_url = Text(allow_none=True)
    profile = fields.Object(allow_none=True)
    web_bot_auth = fields.Boolean(load_default=False)
    extra_http_headers = fields.Object(allow_none=True)
    vault_id = Text(allow_none=True)
    auth_ids = fields.List(Text(), allow_none=True)
    wait_for_authentication = fields.Boolean()
    auth_retry = fields.Integer(validate=Bounds(0, 2))
    block_ads = fields.Boolean()
    advanced_stealth = fields.Boolean()
    screenshot_type = Text()
    demonstrate = fields.Boolean()
    use_file_storage = fields.Boolean()

    @pre_load
    def prefer_the_newer_name(self, data: dict[str, Any], **_: Any) -> dict[str, Any]:
        """Source: client (`timeout_minutes` is the older name, and gives way)."""
        return _without_older_name(data, _OLDER_IDLE, _IDLE)

    @validates_schema
    def ensure_idle_fits_maximum(self, data: dict[str, Any], **_: Any) -> None:
        """Source: client (idle over max is refused, the defaults of both included)."""
        name = _OLDER_IDLE if _OLDER_IDLE in data else _IDLE
        maximum = data["max_duration_minutes"]
        if data[name] > maximum:
            text = "must not exceed max_duration_minutes"
            raise fields.Problem("bounds", text, (name,), bounds={"le": maximum}).as_error()

    @post_load
    def take_the_older_name(self, data: dict[str, Any], **_: Any) -> dict[str, Any]:
        """Source: client."""
        if _OLDER_IDLE in data:
            data[_IDLE] = data.pop(_OLDER_IDLE)
        return data


class StopQuery(Request):
    """Source: client."""

    close_reason = Text(load_default="manual", validate=OneOf(("manual", "error")))


class ListQuery(Request):
    """Source: client, which writes booleans as `True` and `False`. Assumed: no page past 10**9."""

    page = fields.QueryInteger(load_default=1, validate=Bounds(1, 1_000_000_000))
    page_size = fields.QueryInteger(load_default=10, validate=Bounds(1, 100))
    only_active = fields.QueryBoolean(load_default=True)
    only_current_token = fields.QueryBoolean(load_default=False)


class PageRequest(Request):
    """v4's observe and scrape. Source: client; what a browser would do with it is not done."""

    url = Text(load_default=None, allow_none=True)


class ExecuteRequest(Request):
    """v4's execute: one action. Source: client (`type` names it, `url` is where a goto goes)."""

    class Meta:
        unknown = INCLUDE

    type = Text(required=True)
    url = Text(allow_none=True)
