"""Requests explained: one that is only tried, and one that was made."""

from io import BytesIO
from typing import Any
from urllib.parse import unquote, urlencode

from marshmallow import fields
from werkzeug.wrappers import Response

from sessionary import clock, store
from sessionary.control import errors
from sessionary.control.blueprint import PREFIX, control, make_blueprint
from sessionary.control.fields import Strict
from sessionary.control.journal import blueprint as journal
from sessionary.control.journal.models import CallRow
from sessionary.control.journal.redaction import REDACTED
from sessionary.control.messages import ask
from sessionary.control.validation.validator import Verdict
from sessionary.web import json_codec
from sessionary.web.context import CALLER
from sessionary.web.fields import Object, Text
from sessionary.web.instants import to_text
from sessionary.web.operations import answer, operation

_TOO_LARGE = 413
_WELL_FORMED = "the request is well formed: what refuses it is said in the answer's body"
_NOT_WHOLE = "the body was not kept whole, so it could not be looked at"
_WITHOUT_SECRETS = "credentials were taken out of what was kept of the call"
routes = make_blueprint("requests")


class Tried(Strict):
    """A vendor's call as it would be made; a body that is a string is sent as it is."""

    method = Text(required=True)
    path = Text(required=True)
    headers = Object(load_default=dict)
    query = Object(load_default=dict)
    body = fields.Raw(load_default=None, allow_none=True)


class Violation(Strict):
    """What is wrong at a place: what it should be, what it was, and the nearest that would do."""

    location = Text(required=True)
    pointer = Text(required=True)
    expected = Text(required=True)
    actual = fields.Raw()
    suggestion = fields.Raw()
    hint = Text(required=True, allow_none=True)


class Ignored(Strict):
    """What nobody looks at, and what may have been meant."""

    location = Text(required=True)
    pointer = Text(required=True)
    actual = fields.Raw()
    hint = Text(required=True, allow_none=True)


class RequestExplained(Strict):
    """A call, what it gets or got, everything that is wrong with it, and what is ignored."""

    at = Text(required=True)
    surface = Text(required=True, allow_none=True)
    method = Text(required=True)
    path = Text(required=True)
    route = Text(required=True, allow_none=True)
    operation = Text(required=True, allow_none=True)
    caller = fields.Nested(journal.Caller, required=True, allow_none=True)
    status = fields.Integer(required=True, allow_none=True)
    response = fields.Raw(required=True, allow_none=True)
    violations = fields.List(fields.Nested(Violation), required=True)
    ignored = fields.List(fields.Nested(Ignored), required=True)
    fault = fields.Nested(journal.Hit, required=True, allow_none=True)
    note = Text(required=True, allow_none=True)


@routes.post("/requests/explain")
@operation("Try a vendor's call", body=Tried(), answers={200: RequestExplained()})
def explain_request(body: dict[str, Any]) -> Response:
    """Nothing is changed by it, and it meets no fault."""
    return answer(_tried(body))


@routes.get("/journal/<id:call_id>/explain")
@operation("Why a call was answered so", answers={200: RequestExplained()})
def explain_call(call_id: int) -> Response:
    return answer(_made(journal.kept_call(call_id)))


def _tried(asked: dict[str, Any]) -> dict[str, Any]:
    environ = _environ(asked)
    environ["PATH_INFO"] = control().path_of(environ)
    if environ["PATH_INFO"].startswith(f"/{PREFIX.partition('/')[0]}"):
        raise errors.Refusal(400, "path: must be a vendor's: the control plane's is not explained")
    at, again = clock.now(), _copy(environ)
    with store.dry_run():
        found = ask(control().application, environ)
        is_whole = found.code != _TOO_LARGE
        if not is_whole:
            again |= {"wsgi.input": BytesIO(), "CONTENT_LENGTH": "0"}
        verdict = control().judge.verdict(again, is_admitted=found.code != 401, has_body=is_whole)
    caller = environ.get(CALLER)
    return {
        "at": to_text(at),
        **_place(environ["REQUEST_METHOD"], environ["PATH_INFO"]),
        "caller": caller and {"user": caller.user, "organization": caller.organization},
        "status": found.code,
        "response": journal.value(found.body.decode(errors="replace")),
        **verdict._asdict(),
        "fault": None,
        "note": _WELL_FORMED if found.code >= 400 and not verdict.violations else None,
    }


def _made(call: CallRow) -> dict[str, Any]:
    shown, prefix = journal.shown(call), "" if call.surface is None else f"/{call.surface}"
    is_whole = not call.body_truncated
    environ = _environ(
        {
            "method": call.method,
            "path": prefix + call.path,
            "headers": shown["headers"],
            "query": shown["query"],
            "body": (call.body or "") if is_whole else "",
        }
    )
    was_refused = call.fault is None and call.status == 401
    with store.dry_run():
        verdict = control().judge.verdict(environ, is_admitted=not was_refused, has_body=is_whole)
    return {
        "at": shown["at"],
        **_place(call.method, prefix + call.path),
        "caller": shown["caller"],
        "status": shown["status"],
        "response": shown["response"],
        **verdict._asdict(),
        "fault": shown["fault"],
        "note": _note(call, verdict),
    }


def _place(method: str, path: str) -> dict[str, Any]:
    address = control().addresses.find(method, path)
    return {
        "surface": address.surface and address.surface.name,
        "method": method,
        "path": address.path,
        "route": address.route,
        "operation": address.operation and address.operation.summary,
    }


def _note(call: CallRow, verdict: Verdict) -> str | None:
    notes = [_NOT_WHOLE] if call.body_truncated else []
    if REDACTED in f"{call.path}{call.query}{call.body}":
        notes.append(_WITHOUT_SECRETS)
    if not notes and call.fault is None and (call.status or 0) >= 400 and not verdict.violations:
        notes.append(_WELL_FORMED)
    return "; ".join(notes) or None


def _environ(asked: dict[str, Any]) -> dict[str, Any]:
    """A WSGI environment that is such a request."""
    from werkzeug.test import EnvironBuilder

    path, _, query = asked["path"].partition("?")
    if not path.startswith("/") or unquote(path).startswith(("/~", "//")):
        raise errors.Refusal(
            400,
            "path: must begin with /, just one, and name no namespace: "
            "it is the one that this call enters",
        )
    content, headers = asked["body"], dict(asked["headers"])
    if content is not None and not isinstance(content, str):
        content = json_codec.encode(content)
        if not any(name.lower() == "content-type" for name in headers):
            headers["Content-Type"] = "application/json"
    try:
        builder = EnvironBuilder(
            path=path,
            method=asked["method"].upper(),
            headers=headers,
            query_string="&".join(filter(None, (query, urlencode(asked["query"], doseq=True)))),
            data=(content or "").encode("utf-8", "surrogatepass"),
        )
        return builder.get_environ()
    except (AttributeError, TypeError, ValueError) as error:
        raise errors.Refusal(400, f"headers and query must be texts by name: {error}") from None


def _copy(environ: dict[str, Any]) -> dict[str, Any]:
    """The same request, whose body can be read once more."""
    content = environ["wsgi.input"].read()
    environ["wsgi.input"] = BytesIO(content)
    return {**environ, "wsgi.input": BytesIO(content)}
