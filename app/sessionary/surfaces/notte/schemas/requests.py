"""Request bodies and queries, v1 and v4."""

from typing import Any, ClassVar

from marshmallow import INCLUDE, RAISE, missing, post_load, pre_load, validates_schema
from marshmallow.fields import Raw

from sessionary.surfaces.notte import rules
from sessionary.web import fields
from sessionary.web.context import settings
from sessionary.web.fields import Bounds, OneOf, Request, Text, problem


class _Renamed(Request):
    """A request with a field that has an older name, too, which counts if the newer is absent."""

    newer: ClassVar[str]
    older: ClassVar[str]

    @pre_load
    def prefer_the_newer_name(self, data: dict[str, Any], **_: Any) -> dict[str, Any]:
        is_newer = self.newer in data
        return {name: value for name, value in data.items() if not is_newer or name != self.older}

    @post_load
    def take_the_older_name(self, data: dict[str, Any], **_: Any) -> dict[str, Any]:
        if self.older in data:
            data[self.newer] = data.pop(self.older)
        return data


def _ensure_below_global_timeout(value: int) -> None:
    """Source: page ("0 < x < 30", "cannot exceed the global timeout"). Refused, not clamped."""
    limit = settings().vendors["notte"].global_timeout_minutes
    Bounds(0, limit, min_inclusive=False, max_inclusive=False)(value)


def _default_timeout() -> int:
    return rules.default_timeout_minutes(settings().vendors["notte"].global_timeout_minutes)


_BELOW_GLOBAL = {"exclusiveMinimum": 0, "exclusiveMaximum": rules.GLOBAL_TIMEOUT_MINUTES}


class SessionRequest(_Renamed):
    """v1; every field is optional, unknown ones are ignored."""

    newer, older = "session_timeout_minutes", "session_timeout"

    session_id = Text(load_default=None, allow_none=True)
    keep_alive = fields.Boolean(load_default=False)
    session_timeout_minutes = fields.Integer(
        load_default=_default_timeout,
        validate=_ensure_below_global_timeout,
        metadata={
            "default": rules.DEFAULT_TIMEOUT_MINUTES,
            **_BELOW_GLOBAL,
            "description": "Minutes; less than the global timeout, which is 30 unless set.",
        },
    )
    session_timeout = fields.Integer(
        validate=_ensure_below_global_timeout,
        metadata=_BELOW_GLOBAL
        | {"deprecated": True, "description": "The older name of session_timeout_minutes."},
    )
    screenshot = fields.Boolean(load_default=None, allow_none=True)


class CloseRequest(SessionRequest):
    session_id = Text(required=True)


class ObserveRequest(SessionRequest):
    """Without a session, `url` starts one."""

    url = Text(load_default=None, allow_none=True)
    min_nb_actions = fields.Integer(load_default=None, allow_none=True)
    max_nb_actions = fields.Integer(load_default=100)


class StepRequest(CloseRequest):
    action_id = Text(required=True)
    value = Text(load_default=None, allow_none=True)
    enter = fields.Boolean(load_default=None, allow_none=True)
    min_nb_actions = fields.Integer(load_default=None, allow_none=True)
    max_nb_actions = fields.Integer(load_default=100)


class ScrapeRequest(ObserveRequest):
    scrape_images = fields.Boolean(load_default=False)
    only_main_content = fields.Boolean(load_default=True)


_BROWSERS = ("chromium", "chrome", "firefox", "chrome-nightly", "chrome-turbo")
_ASPECTS = ("5:4", "16:9")


class Proxies(fields.Field):
    """Whether to use a proxy: a boolean, a list of proxies or a country."""

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


class StartRequest(_Renamed):
    """v4. Unknown fields are refused."""

    class Meta:
        unknown = RAISE

    newer, older = "idle_timeout_minutes", "timeout_minutes"

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
    use_file_storage = fields.Boolean(load_default=False)
    # Sent by 1.4.x, and ignored whatever they hold.
    max_steps = Raw(allow_none=True)
    screenshot = Raw(allow_none=True)

    @validates_schema
    def ensure_idle_fits_maximum(self, data: dict[str, Any], **_: Any) -> None:
        """Idle over maximum is refused, the defaults of both included."""
        name = self.older if self.older in data else self.newer
        maximum = data["max_duration_minutes"]
        if data[name] > maximum:
            text = "must not exceed max_duration_minutes"
            raise fields.Problem("bounds", text, (name,), bounds={"le": maximum}).as_error()


class StopQuery(Request):
    close_reason = Text(load_default="manual", validate=OneOf(("manual", "error")))


class ListQuery(Request):
    """The client writes booleans as `True` and `False`."""

    page = fields.QueryInteger(load_default=1, validate=Bounds(1, 1_000_000_000))
    page_size = fields.QueryInteger(load_default=10, validate=Bounds(1, 100))
    only_active = fields.QueryBoolean(load_default=True)
    only_current_token = fields.QueryBoolean(load_default=False)


class PageRequest(Request):
    """v4's observe; what a browser would do with it is not done."""

    url = Text(load_default=None, allow_none=True)


class ScrapePageRequest(PageRequest):
    """v4's scrape: instructions or a format request a structure."""

    instructions = Text(load_default=None, allow_none=True)
    response_format = Raw(load_default=None, allow_none=True)


class ExecuteRequest(Request):
    """v4's execute: one action, which `type` names; `url` is where a goto goes."""

    class Meta:
        unknown = INCLUDE

    type = Text(required=True)
    url = Text(allow_none=True)


# Where each field comes from: by schema, the names that a source holds for.
SOURCES = {
    SessionRequest: {
        "Source: page.": "keep_alive screenshot",
        "Source: page. Assumed: with one, start joins it.": "session_id",
        "Source: page (of its defaults, 10 and 5, the body's 5 holds; 0 < x < 30).": (
            "session_timeout_minutes"
        ),
        "Source: page (its upper half). Assumed: the newer name wins.": "session_timeout",
    },
    CloseRequest: {"Source: client.": "session_id"},
    ObserveRequest: {"Source: client.": "url min_nb_actions max_nb_actions"},
    StepRequest: {"Source: client.": "action_id value enter min_nb_actions max_nb_actions"},
    ScrapeRequest: {"Source: client.": "scrape_images only_main_content"},
    StartRequest: {
        "Source: client.": "max_duration_minutes headless solve_captchas proxies browser_type "
        "user_agent chrome_args viewport_width viewport_height aspect_ratio cdp_url profile "
        "web_bot_auth extra_http_headers vault_id auth_ids wait_for_authentication auth_retry "
        "block_ads advanced_stealth screenshot_type demonstrate",
        "Source: client (not over the maximum; the newer name wins).": (
            "idle_timeout_minutes timeout_minutes"
        ),
        "Source: docs.": "use_file_storage",
        "Source: client (1.4.x sends it). Assumed: ignored.": "max_steps screenshot",
    },
    StopQuery: {"Source: client.": "close_reason"},
    ListQuery: {
        "Source: client.": "page_size only_active only_current_token",
        "Source: client. Assumed: 10**9 at most.": "page",
    },
    PageRequest: {"Source: client. Assumed: nothing else is read.": "url"},
    ScrapePageRequest: {"Source: client.": "instructions response_format"},
    ExecuteRequest: {"Source: client.": "type url"},
}
