"""A row and an instant as Notte's JSON."""

from collections.abc import Iterator
from itertools import islice, repeat
from typing import Any

from sessionary import __version__
from sessionary.surfaces.notte import rules
from sessionary.surfaces.notte.models import SessionRow
from sessionary.web import json_codec
from sessionary.web.instants import to_text

# The browser options that a start has by default.
BROWSER: dict[str, Any] = {
    "proxies": False,
    "browser_type": "chromium",
    "user_agent": None,
    "viewport_width": None,
    "viewport_height": None,
    "headless": True,
    "solve_captchas": False,
    "web_bot_auth": False,
    "use_file_storage": False,
}
# Nothing is measured here. Source: docs; client (null bytes break its models).
_UNMEASURED: dict[str, Any] = {
    "credit_usage": None,
    "network_request_bytes": 0,
    "network_response_bytes": 0,
    "cdp_url": None,
    "viewer_url": None,
}
# No browser runs here: a PNG of two by two white pixels stands for every page. v4's client pads
# odd sides, which Pillow cannot do for every kind of PNG.
PICTURE = (
    "iVBORw0KGgoAAAANSUhEUgAAAAIAAAACCAIAAAD91JpzAAAADklEQVR42mP4DwYMEAoAU7oL9YXEbhEAAAAASUVORK5C"
    "YII="
)
_SPACE: dict[str, Any] = {
    "description": "",
    "category": None,
    "interaction_actions": [],
    "actions": [],
    "browser_actions": [],
}


def session(row: SessionRow, now: int) -> dict[str, Any]:
    """SessionResponse of both generations. Source: page and client."""
    end = rules.end(row, now)
    shown = {
        "session_id": row.id,
        "status": rules.ACTIVE if end is None else end.status,
        "created_at": to_text(row.created_at),
        "last_accessed_at": to_text(row.last_accessed_at),
        "closed_at": None if end is None else to_text(end.at),
        "duration": duration(rules.duration(row, now if end is None else end.at)),
        "timeout_minutes": row.timeout_minutes,
        "idle_timeout_minutes": row.timeout_minutes,
        "error": row.error,
        "close_reason": None if end is None else end.reason,
        "steps": [],
        **BROWSER,
        **json_codec.decode(row.options),
        "auth_ids": [],
        **_UNMEASURED,
    }
    if row.max_duration_minutes is not None:
        shown["max_duration_minutes"] = row.max_duration_minutes
    return shown


def duration(microseconds: int) -> str:
    """An ISO 8601 duration such as `PT41.286072S`, `P1DT2H`, `PT0S`. Source: client."""
    minutes, rest = divmod(microseconds, 60_000_000)
    hours, minutes = divmod(minutes, 60)
    days, hours = divmod(hours, 24)
    day = f"{days}D" if days else ""
    time = f"{hours}H" if hours else ""
    if minutes:
        time += f"{minutes}M"
    if rest or not (time or day):
        time += f"{rest / 1_000_000:f}".rstrip("0").rstrip(".") + "S"
    return f"P{day}T{time}" if time else f"P{day}"


def page(
    rows: Iterator[SessionRow], now: int, *, number: int, size: int
) -> Iterator[tuple[str, Any]]:
    """v4's list; `rows` has one more than the page if a next page exists."""
    yield "items", map(session, islice(rows, size), repeat(now))
    yield "page", number
    yield "page_size", size
    yield "has_next", next(rows, None) is not None
    yield "has_previous", number > 1


def metadata(row: SessionRow, now: int) -> dict[str, Any]:
    """The page that an operation sees: the url that was opened last, with nothing on it."""
    url = row.url or "about:blank"
    return {
        "title": "",
        "url": url,
        "timestamp": to_text(now),
        "viewport": {
            "scroll_x": 0,
            "scroll_y": 0,
            "viewport_width": 1280,
            "viewport_height": 1080,
            "total_width": 1280,
            "total_height": 1080,
        },
        "tabs": [{"tab_id": 0, "title": "", "url": url}],
    }


def operated(row: SessionRow, now: int, *, screenshot: bool) -> dict[str, Any]:
    """v1's ObserveResponse. Source: client."""
    return {
        "session": session(row, now),
        "metadata": metadata(row, now),
        "screenshot": PICTURE if screenshot else None,
        "data": None,
        "space": None,
        "progress": None,
    }


def observed(row: SessionRow, now: int) -> dict[str, Any]:
    """v4's Observation. Source: client."""
    return {
        "metadata": metadata(row, now),
        "screenshot": {"raw": PICTURE, "bboxes": []},
        "space": _SPACE,
        **_operation(row, now),
    }


def scraped(row: SessionRow, now: int, *, is_structured: bool) -> dict[str, Any]:
    """v4's ScrapeResponse. Source: client (a requested structure must not be null).

    Assumed: the structure says that it could not be read.
    """
    failure = {"success": False, "error": "No browser runs here", "data": None}
    return {
        "markdown": "",
        "structured": failure if is_structured else None,
        "session": session(row, now),
    }


def executed(action: dict[str, Any], row: SessionRow, now: int) -> dict[str, Any]:
    """v4's ExecutionResult. Source: client."""
    return {
        "action": action,
        "success": True,
        "message": f"Executed {action['type']}; no browser runs here",
        "data": None,
        "exception": None,
        **_operation(row, now),
    }


def health(active_sessions: int) -> dict[str, Any]:
    """Source: client."""
    return {"status": "healthy", "version": __version__, "active_sessions": active_sessions}


def _operation(row: SessionRow, now: int) -> dict[str, Any]:
    """What each operation on a page has. Source: client (1.7.9 to 1.8.0 need the session)."""
    return {"session": session(row, now), "started_at": to_text(now), "ended_at": to_text(now)}
