"""Notte's routes. v1 is `/session` and `/env`; v4 is `/sessions`; both act on the same rows."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from flask import Blueprint, request
from werkzeug.wrappers import Response

from sessionary import clock, ids
from sessionary.surfaces.notte import errors, queries, rules, serializers
from sessionary.surfaces.notte.models import SessionRow
from sessionary.surfaces.notte.schemas import requests, responses
from sessionary.web import context, json_codec
from sessionary.web.context import bearer, caller, now, read_instant, settings
from sessionary.web.fastapi_errors import violations
from sessionary.web.operations import Invalid, answer, answer_page, operation

open_routes = Blueprint("notte_open", __name__)
v1 = Blueprint("notte_v1", __name__)
v4 = Blueprint("notte_v4", __name__)

_session = responses.SessionResponse()
_observed = responses.ObserveResponse()

# Where each call, path parameter and header comes from.
SOURCES = {
    "Source: page.": "start Authorization",
    "Source: client.": "close observe scrape step start_v4 list_sessions status stop observe_page "
    "execute scrape_page health session_id x-notte-sdk-version",
}


def claims_root_path(environ: Mapping[str, Any], path: str) -> bool:
    """Whether a path under `/sessions` at the root is Notte's: every other one is Galtea's.

    Source: client (its header, and the two calls that no other vendor has).
    """
    if path != "/sessions" and not path.startswith("/sessions/"):
        return False
    method, parts = environ["REQUEST_METHOD"], path.split("/")
    return (
        "HTTP_X_NOTTE_SDK_VERSION" in environ
        or (method == "POST" and path == "/sessions/start")
        or (method == "DELETE" and len(parts) == 4 and parts[3] == "stop")
    )


@v1.before_request
@v4.before_request
def authenticate() -> None:
    """Source: page (a bearer token), client (401 for a missing or unknown one)."""
    context.authenticate("notte", bearer(), well_formed=True)


@v1.errorhandler(errors.NotteError)
@v4.errorhandler(errors.NotteError)
def handle_error(error: errors.NotteError) -> Response:
    return answer(errors.body(error.detail, error.session_id), error.status)


@v1.errorhandler(Invalid)
@open_routes.errorhandler(Invalid)
def handle_invalid_v1(invalid: Invalid) -> Response:
    """Source: page (400), client (a string that names the field)."""
    texts = [": ".join([*map(str, each.path), each.text]) for each in invalid.problems]
    return answer(errors.body("; ".join(texts)), 400)


@v4.errorhandler(Invalid)
def handle_invalid_v4(invalid: Invalid) -> Response:
    """Source: client (422 with a list)."""
    return answer(errors.body(violations(invalid.problems)), 422)


@open_routes.get("/health")
@operation("Whether the server works", answers={200: responses.Health()}, is_open=True)
def health() -> Response:
    active = queries.active_count.one(now=read_instant(clock.now()))
    return answer(serializers.health(active or 0))


@v1.post("/session/start")
@operation("Start or join a session", body=requests.SessionRequest(), answers={200: _session})
def start(body: dict[str, Any]) -> Response:
    """Source: page ("Session ID should not be provided when starting a new session").

    Assumed: with one, an active session is joined, which is activity and keeps its timeout.
    """
    with _writing() as at:
        row = _find_or_create(body, at)
    return answer(serializers.session(row, at))


@v1.post("/session/close")
@operation("Close a session", body=requests.CloseRequest(), answers={200: _session})
def close(body: dict[str, Any]) -> Response:
    """Source: client. Assumed: closing a session that has ended shows it as it is."""
    with _writing() as at:
        row = _find(body["session_id"])
        if rules.is_active(row, at):
            row = _end(row, at, "manual")
    return answer(serializers.session(row, at))


@v1.post("/env/observe")
@operation("Look at a page", body=requests.ObserveRequest(), answers={200: _observed})
def observe(body: dict[str, Any]) -> Response:
    return _operate(body)


@v1.post("/env/scrape")
@operation("Read a page", body=requests.ScrapeRequest(), answers={200: _observed})
def scrape(body: dict[str, Any]) -> Response:
    return _operate(body)


@v1.post("/env/step")
@operation("Act on a page", body=requests.StepRequest(), answers={200: _observed})
def step(body: dict[str, Any]) -> Response:
    """The client sends no url here."""
    return _operate(body)


@v4.post("/sessions/start")
@operation("Start a session", body=requests.StartRequest(), answers={200: _session})
def start_v4(body: dict[str, Any]) -> Response:
    with _writing() as at:
        row = _create(
            at,
            timeout_minutes=body["idle_timeout_minutes"],
            max_duration_minutes=body["max_duration_minutes"],
            options=json_codec.encode({name: body[name] for name in serializers.BROWSER}),
        )
    return answer(serializers.session(row, at))


@v4.get("/sessions")
@operation("List sessions", query=requests.ListQuery(), answers={200: responses.SessionPage()})
def list_sessions(query: dict[str, Any]) -> Response:
    """Newest first."""
    statement = queries.page(only_active=query["only_active"], only_key=query["only_current_token"])
    number, size = query["page"], query["page_size"]
    rows = statement.rows(
        organization=_organization(),
        key_hash=caller().key_hash,
        now=now(),
        limit=size + 1,
        offset=(number - 1) * size,
    )
    return answer_page(serializers.page(rows, now(), number=number, size=size))


@v4.get("/sessions/<session_id>")
@operation("A session's state", answers={200: _session})
def status(session_id: str) -> Response:
    """A read is not activity. Source: page ("last access" is of an operation), client."""
    return answer(serializers.session(_find(session_id), now()))


@v4.delete("/sessions/<session_id>/stop")
@operation("Stop a session", query=requests.StopQuery(), answers={200: _session})
def stop(session_id: str, query: dict[str, Any]) -> Response:
    with _writing() as at:
        row = _find(session_id)
        rules.ensure_can_stop(row, at)
        row = _end(row, at, query["close_reason"])
    return answer(serializers.session(row, at))


@v4.post("/sessions/<session_id>/page/observe")
@operation("Look at the page", body=requests.PageRequest(), answers={200: responses.Observation()})
def observe_page(session_id: str, body: dict[str, Any]) -> Response:
    return answer(serializers.observed(*_operate_on_page(session_id, body["url"])))


@v4.post("/sessions/<session_id>/page/execute")
@operation(
    "Act on the page", body=requests.ExecuteRequest(), answers={200: responses.ExecutionResult()}
)
def execute(session_id: str, body: dict[str, Any]) -> Response:
    url = body.get("url") if body["type"] in rules.NAVIGATIONS else None
    return answer(serializers.executed(body, *_operate_on_page(session_id, url)))


@v4.post("/sessions/<session_id>/page/scrape")
@operation(
    "Read the page", body=requests.ScrapePageRequest(), answers={200: responses.ScrapeResponse()}
)
def scrape_page(session_id: str, body: dict[str, Any]) -> Response:
    row, at = _operate_on_page(session_id, body["url"])
    is_structured = bool(body["instructions"] or body["response_format"])
    return answer(serializers.scraped(row, at, is_structured=is_structured))


def _organization() -> str:
    """The caller's organization, which keeps the sessions. Assumed: 403 without one.

    Every method but GET and HEAD writes, and so needs a role that allows it.
    """
    organization = caller().organization
    if organization is None:
        raise errors.NotteError("This key belongs to no organization", 403)
    if request.method not in ("GET", "HEAD"):
        rules.ensure_can_write(caller().roles[organization])
    return organization


@contextmanager
def _writing() -> Iterator[int]:
    """A write transaction at its instant. Who may not write is refused without the lock."""
    _organization()
    with clock.transaction() as at:
        yield at


def _find(session_id: str) -> SessionRow:
    row = queries.by_id.one(id=ids.canonical(session_id), organization=_organization())
    if row is None:
        raise errors.SessionError(session_id, "not found")
    return row


def _create(at: int, *, keep_alive: bool = False, **facts: Any) -> SessionRow:
    outlives_timeout = rules.outlives_timeout(keep_alive, settings().vendors["notte"].keep_alive)
    row = SessionRow(
        id=ids.uuid(),
        organization=_organization(),
        created_at=at,
        last_accessed_at=at,
        status_since_at=at,
        outlives_timeout=int(outlives_timeout),
        **facts,
    )
    row = row._replace(expires_at=rules.deadline(row, at))
    queries.insert.run(**row._asdict(), key_hash=caller().key_hash)
    return row


def _touch(session_id: str, at: int, url: str | None = None) -> SessionRow:
    """Activity of an active session: the idle timeout counts from here. Source: page."""
    row = _find(session_id)
    rules.ensure_can_operate(row, at)
    at = max(at, row.last_accessed_at)
    row = row._replace(last_accessed_at=at, expires_at=rules.deadline(row, at), url=url or row.url)
    queries.touch.run(**row._asdict())
    return row


def _end(row: SessionRow, at: int, reason: str) -> SessionRow:
    """Close a session by a call. Source: client (`close_reason=error` closes it as well)."""
    ended_at = max(at, row.last_accessed_at)
    row = row._replace(ended_at=ended_at, ended_as=rules.CLOSED, close_reason=reason)
    row = row._replace(status_since_at=at)
    queries.end.run(**row._asdict())
    return row


def _operate(body: dict[str, Any]) -> Response:
    """An operation of v1, which closes its session unless that is kept alive.

    Source: page ("a new session is created when not provided"). Assumed: without a url, 400.
    """
    url = body.get("url")
    if body["session_id"] is None and not url:
        raise errors.NotteError("session_id: is required where no url is given")
    with _writing() as at:
        row = _find_or_create(body, at, url)
        if rules.closes_after_operation(body["keep_alive"], settings().vendors["notte"].keep_alive):
            row = _end(row, at, rules.BY_OPERATION)
    return answer(serializers.operated(row, at, screenshot=bool(body["screenshot"])))


def _find_or_create(body: dict[str, Any], at: int, url: str | None = None) -> SessionRow:
    """The session that a call of v1 names, or a new one."""
    if body["session_id"] is not None:
        return _touch(body["session_id"], at, url)
    minutes = body["session_timeout_minutes"]
    return _create(at, keep_alive=body["keep_alive"], timeout_minutes=minutes, url=url)


def _operate_on_page(session_id: str, url: str | None) -> tuple[SessionRow, int]:
    """An operation of v4: activity. Source: client."""
    with _writing() as at:
        return _touch(session_id, at, url), at
