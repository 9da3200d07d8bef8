"""Explanations of vendor calls: of a request that is only tried, and of a recorded call."""

from io import BytesIO
from typing import Any
from urllib.parse import unquote, urlencode

from flask import request
from marshmallow import fields
from werkzeug.wrappers import Response

from sessionary import clock, store
from sessionary.control.blueprint import PREFIX, control, make_blueprint
from sessionary.control.errors import ApiError
from sessionary.control.faults import matching
from sessionary.control.fields import StrictSchema, response_schema
from sessionary.control.journal import blueprint as journal
from sessionary.control.journal.models import CallRow
from sessionary.control.journal.redaction import REDACTED
from sessionary.control.messages import call_wsgi
from sessionary.control.validation.validator import ValidationReport
from sessionary.web import json_codec, messages
from sessionary.web.context import CALLER
from sessionary.web.fields import Object, Text
from sessionary.web.held import LOAD
from sessionary.web.instants import to_text
from sessionary.web.operations import answer, operation
from sessionary.web.responses import items

_TOO_LARGE = 413
_UNREAD_STATUSES = (400, 414, 415, 417, 431, 501)  # of a call without a route
_WELL_FORMED = "the request is well formed; the response says why it is refused"
_REFUSED_MESSAGE = "the response says why the message is refused"
_UNREAD = "the request could not be read; the response says why"
_TRUNCATED = "the recorded body is truncated, so it was not validated"
_REDACTED = "credentials were removed from the recorded call"
# What a fault does before a call's work is done, and after it.
_EFFECTS = {
    matching.STATUS: ("answered it", "replaced the response"),
    matching.LATENCY: ("delayed it", "delayed the response"),
    matching.RESET: ("dropped the connection", "dropped the connection"),
    matching.EMPTY: ("dropped the connection", "dropped the connection"),
    matching.TRUNCATED: ("cut the response", "cut the response"),
}
routes = make_blueprint("requests")


class ExplainRequest(StrictSchema):
    """A vendor call; a body that is a string is sent unchanged."""

    method = Text(required=True)
    path = Text(required=True)
    headers = Object(load_default=dict)
    query = Object(load_default=dict)
    body = fields.Raw(load_default=None, allow_none=True)


ViolationResponse = response_schema(
    "ViolationResponse",
    text="location pointer expected",
    text_or_null="hint",
    actual=fields.Raw(),
    suggestion=fields.Raw(),
)
IgnoredResponse = response_schema(
    "IgnoredResponse", text="location pointer", text_or_null="hint", actual=fields.Raw()
)
RequestExplanationResponse = response_schema(
    "RequestExplanationResponse",
    text="at method path",
    text_or_null="surface route operation note",
    integer_or_null="status",
    value_or_null="response",
    caller=fields.Nested(journal.CallerResponse, required=True, allow_none=True),
    fault=fields.Nested(journal.FaultHit, required=True, allow_none=True),
    violations=items(ViolationResponse),
    ignored=items(IgnoredResponse),
)
_answers = {200: RequestExplanationResponse()}


@routes.post("/requests/explain")
@operation(
    "Explain a vendor call without making it",
    body=ExplainRequest(),
    answers=_answers,
    is_read=True,
)
def explain_request(body: dict[str, Any]) -> Response:
    """Make the call in a dry run, without faults."""
    if not body["path"].startswith("/") or unquote(body["path"]).startswith(("/~", "//")):
        raise ApiError(400, "path: must begin with a single / and name no namespace")
    environ = _environ(body)
    environ["PATH_INFO"] = control().path_of(environ)
    if environ["PATH_INFO"].startswith(f"/{PREFIX.partition('/')[0]}"):
        raise ApiError(400, "path: must be a vendor's, not one of the control plane")
    at, content = clock.now(), environ["wsgi.input"].read()
    environ["wsgi.input"] = BytesIO(content)
    copy = {**environ, "wsgi.input": BytesIO(content)}
    if LOAD in request.environ:
        environ[LOAD] = request.environ[LOAD]
    with store.dry_run():
        response = call_wsgi(control().application, environ)
        has_body = response.code != _TOO_LARGE
        if not has_body:
            copy |= {"wsgi.input": BytesIO(), "CONTENT_LENGTH": "0"}
        report = control().validator.validate(
            copy, is_authenticated=response.code != 401, has_body=has_body
        )
    caller = environ.get(CALLER)
    explanation = {
        "at": to_text(at),
        **_route(environ["REQUEST_METHOD"], environ["PATH_INFO"]),
        "caller": caller and {"user": caller.user, "organization": caller.organization},
        "status": response.code,
        "response": journal.parse_json(response.start().decode(errors="replace")),
        **report._asdict(),
        "fault": None,
        "note": _WELL_FORMED if response.code >= 400 and not report.violations else None,
    }
    return answer(explanation)


@routes.get("/journal/<id:call_id>/explain")
@operation("Explain a recorded call", answers=_answers)
def explain_call(call_id: int) -> Response:
    call = journal.find_call(call_id)
    recorded, path = journal.call_to_json(call), f"/{call.surface}{call.path}"
    if call.surface is None:
        path = call.path
    has_body = not call.body_truncated
    environ = _environ(
        {
            **{name: recorded[name] for name in ("method", "headers", "query")},
            "path": path,
            "body": (call.body or "") if has_body else "",
        }
    )
    was_refused = call.fault is None and call.status == 401
    route = {**_route(call.method, path), "route": call.route}
    is_unread = call.route is None and call.fault is None and call.status in _UNREAD_STATUSES
    report = ValidationReport([], [])
    if not is_unread:
        with store.dry_run():
            report = control().validator.validate(
                environ, is_authenticated=not was_refused, has_body=has_body
            )
    explanation = {
        **route,
        **{name: recorded[name] for name in ("at", "caller", "status", "response", "fault")},
        **report._asdict(),
        "note": _UNREAD if is_unread else _note(call, report),
    }
    return answer(explanation)


def _route(method: str, path: str) -> dict[str, Any]:
    match = control().routes.match(method, path)
    return {
        "surface": match.surface and match.surface.name,
        "method": method,
        "path": match.path,
        "route": match.route,
        "operation": match.operation and match.operation.summary,
    }


def _note(call: CallRow, report: ValidationReport) -> str | None:
    notes = [] if call.fault is None else [_fault_note(call)]
    if call.body_truncated:
        notes.append(_TRUNCATED)
    if REDACTED in f"{call.path}{call.query}{call.body}":
        notes.append(_REDACTED)
    if call.method == messages.METHOD and (call.status or 0) < 0:
        notes.append(_REFUSED_MESSAGE)
    if not notes and call.fault is None and (call.status or 0) >= 400 and not report.violations:
        notes.append(_WELL_FORMED)
    return "; ".join(notes) or None


def _fault_note(call: CallRow) -> str:
    before, after = _EFFECTS[call.fault_kind or matching.STATUS]
    is_before = call.fault_phase == matching.BEFORE
    preset = matching.preset_of.one(**call._asdict())
    name = f"{call.fault_kind}, preset {preset}" if preset else call.fault_kind
    effect = f"fault {call.fault} ({name}) {before if is_before else after}"
    note = f"{effect} {call.fault_phase} its work was done"
    is_lost = is_before and call.fault_kind != matching.LATENCY
    return f"{note}, so nothing was stored" if is_lost else note


def _environ(call: dict[str, Any]) -> dict[str, Any]:
    """Build the WSGI environ of a call. Raises ApiError."""
    from werkzeug.test import EnvironBuilder

    path, _, query = call["path"].partition("?")
    content, headers = call["body"], dict(call["headers"])
    if content is not None and not isinstance(content, str):
        content = json_codec.encode(content)
        if not any(name.lower() == "content-type" for name in headers):
            headers["Content-Type"] = "application/json"
    try:
        return EnvironBuilder(
            path=path,
            method=call["method"].upper(),
            headers=headers,
            query_string="&".join(filter(None, (query, urlencode(call["query"], doseq=True)))),
            data=(content or "").encode("utf-8", "surrogatepass"),
        ).get_environ()
    except (AttributeError, TypeError, ValueError) as error:
        raise ApiError(400, f"headers and query must be texts by name: {error}") from None
