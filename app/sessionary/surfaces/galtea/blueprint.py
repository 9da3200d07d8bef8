"""Galtea's routes: sessions, and the stubs of what they refer to."""

from collections.abc import Iterator
from contextlib import contextmanager
from itertools import repeat
from typing import Any

from flask import Blueprint, request
from werkzeug.wrappers import Response

from sessionary import clock, ids
from sessionary.surfaces.galtea import errors, rules, schemas, serializers
from sessionary.surfaces.galtea.models import TEST, TEST_CASE, VERSION, SessionRow
from sessionary.surfaces.galtea.queries import lists, sessions
from sessionary.surfaces.galtea.references import LETTERS, References, to_json_text
from sessionary.web import context, json_codec
from sessionary.web.context import bearer, caller, now, read_instant, settings
from sessionary.web.operations import Invalid, answer, answer_page, operation

open_routes = Blueprint("galtea_open", __name__)
routes = Blueprint("galtea", __name__)

_session = schemas.Session()

# Where each call, path parameter and header comes from.
SOURCES = {
    "Source: page.": "create Authorization",
    "Source: client.": "minimum_sdk_version list_sessions get change finish delete list_versions "
    "get_version list_test_cases get_test_case list_tests get_test session_id version_id "
    "test_case_id test_id",
    "Source: client, docs (all or none).": "delete_batch",
}


@routes.before_request
def authenticate() -> None:
    """Source: page (a bearer token, gsk_ or the older gsk-)."""
    token = bearer()
    context.authenticate("galtea", token, well_formed=token.startswith(("gsk_", "gsk-")))


@routes.errorhandler(errors.GalteaError)
def handle_error(error: errors.GalteaError) -> Response:
    return answer(errors.body(error.status, str(error)), error.status)


@routes.errorhandler(Invalid)
@open_routes.errorhandler(Invalid)
def handle_invalid(invalid: Invalid) -> Response:
    """Source: client, docs (400 for every invalid input)."""
    texts = [": ".join([*map(str, each.path), each.text]) for each in invalid.problems]
    return answer(errors.body(400, "; ".join(texts)), 400)


@open_routes.get("/minimum-sdk-version")
@operation("Which SDKs are served", answers={200: schemas.SdkVersions()}, is_open=True)
def minimum_sdk_version() -> Response:
    read_instant(clock.now())  # the same at every instant, but it must be one
    return answer(serializers.SDK_VERSIONS)


@routes.post("/sessions")
@operation(
    "Create a session",
    body=schemas.SessionInput(),
    answers={201: _session},
    resource="Sessions",
    command="create",
)
def create(body: dict[str, Any]) -> Response:
    test_case, is_set = body["test_case"], body["is_production"]
    rules.ensure_fits_test_case(test_case, is_set, has_context=body["context"] is not None)
    is_production = rules.is_production(test_case, is_set)
    rules.ensure_can_join_run(body["run"], is_production=is_production)
    rules.ensure_has_version_or_product(body["version"], body["product"])
    with _writing() as at:
        row = _make_row(body, at, is_production=is_production)
        rules.ensure_custom_id_free(row, sessions.custom_id_holder(row))
        sessions.insert.run(**row._asdict())
    return answer(serializers.session(row, at), 201)


@routes.get("/sessions")
@operation(
    "List sessions",
    query=schemas.ListQuery(),
    answers={200: schemas.Session(many=True)},
    resource="Sessions",
    command="list",
)
def list_sessions(query: dict[str, Any]) -> Response:
    at = now()
    rows = lists.find(query, organization=_organization(), now=at)
    return answer_page(map(serializers.session, rows, repeat(at)))


@routes.get("/sessions/<session_id>")
@operation("A session", answers={200: _session}, resource="Sessions", command="get")
def get(session_id: str) -> Response:
    return answer(serializers.session(_find(session_id), now()))


@routes.patch("/sessions/<session_id>")
@operation(
    "Change a session",
    body=schemas.SessionChanges(),
    answers={200: _session},
    resource="Sessions",
    command="update",
)
def change(session_id: str, body: dict[str, Any]) -> Response:
    """An empty body is accepted, and is not activity. Source: client, docs."""
    with _writing() as at:
        row = _find(session_id)
        if body:
            rules.ensure_can_set_context(row, body.get("context"))
            row = _save(row, at, **{name: to_json_text(value) for name, value in body.items()})
    return answer(serializers.session(row, at))


@routes.patch("/sessions/<session_id>/finish")
@operation(
    "Finish a session",
    body=schemas.Finish(),
    answers={200: _session},
    resource="Sessions",
    command="finish",
)
def finish(session_id: str, body: dict[str, Any]) -> Response:
    """Source: client. Assumed: a field that is absent or empty stays as it was."""
    rules.ensure_has_outcome(body["stopping_reason"], body["error"])
    changes = {name: value for name, value in body.items() if value}
    with _writing() as at:
        row = _save(_find(session_id), at, status=rules.outcome(body["error"]), **changes)
    return answer(serializers.session(row, at))


@routes.delete("/sessions/<session_id>")
@operation("Delete a session", answers={204: None}, resource="Sessions", command="delete")
def delete(session_id: str) -> Response:
    return _delete([session_id])


@routes.delete("/sessions/batch")
@operation(
    "Delete sessions, all or none",
    body=schemas.Batch(),
    answers={204: None},
    resource="Sessions",
    command="delete-batch",
)
def delete_batch(body: dict[str, Any]) -> Response:
    return _delete(body["ids"])


@routes.get("/versions")
@operation(
    "Versions",
    query=schemas.ReferenceQuery(),
    answers={200: schemas.Version(many=True)},
    resource="Versions",
)
def list_versions(query: dict[str, Any]) -> Response:
    return answer([serializers.version(row) for row in _references().all(VERSION, query["ids"])])


@routes.get("/versions/<version_id>")
@operation("A version", answers={200: schemas.Version()}, resource="Versions")
def get_version(version_id: str) -> Response:
    return answer(serializers.version(_references().one(VERSION, version_id)))


@routes.get("/testCases")
@operation(
    "Test cases",
    query=schemas.ReferenceQuery(),
    answers={200: schemas.TestCase(many=True)},
    resource="TestCases",
)
def list_test_cases(query: dict[str, Any]) -> Response:
    rows = _references().all(TEST_CASE, query["ids"])
    return answer([serializers.test_case(row) for row in rows])


@routes.get("/testCases/<test_case_id>")
@operation("A test case", answers={200: schemas.TestCase()}, resource="TestCases")
def get_test_case(test_case_id: str) -> Response:
    return answer(serializers.test_case(_references().one(TEST_CASE, test_case_id)))


@routes.get("/tests")
@operation(
    "Tests",
    query=schemas.ReferenceQuery(),
    answers={200: schemas.Test(many=True)},
    resource="Tests",
)
def list_tests(query: dict[str, Any]) -> Response:
    return answer([serializers.test(row) for row in _references().all(TEST, query["ids"])])


@routes.get("/tests/<test_id>")
@operation("A test", answers={200: schemas.Test()}, resource="Tests")
def get_test(test_id: str) -> Response:
    return answer(serializers.test(_references().one(TEST, test_id)))


def _organization() -> str:
    """The caller's organization, which keeps the sessions. Assumed: 403 without one.

    Every method but GET and HEAD writes, and so needs a role that allows it.
    """
    organization = caller().organization
    if organization is None:
        raise errors.GalteaError("This key belongs to no organization", 403)
    if request.method not in ("GET", "HEAD"):
        rules.ensure_can_write(caller().roles[organization])
    return organization


def _references() -> References:
    return References(_organization(), settings().vendors["galtea"].references == "strict")


@contextmanager
def _writing() -> Iterator[int]:
    """A write transaction at its instant. Who may not write is refused without the lock."""
    _organization()
    with clock.transaction() as at:
        yield at


def _find(session_id: str) -> SessionRow:
    row = sessions.by_id.one(id=session_id, organization=_organization())
    if row is None:
        raise errors.NotFound("Session", [session_id])
    return row


def _make_row(body: dict[str, Any], at: int, *, is_production: bool) -> SessionRow:
    references = _references()
    if body["version"] is not None:
        version = references.one(VERSION, body["version"])
    else:
        version = references.latest_version(body["product"], at)
    return references.make_row(
        body,
        version,
        id=f"session_{ids.word(24, LETTERS)}",
        user=None if is_production else caller().user,
        is_production=int(is_production),
        created_at=at - at % 1000,
        written_at=at,
        status_since_at=at,
        auto_close_minutes=settings().vendors["galtea"].auto_close_minutes,
    )


def _save(row: SessionRow, at: int, **changes: Any) -> SessionRow:
    """Change a session: activity, so its auto-close starts over. Source: docs."""
    minutes = settings().vendors["galtea"].auto_close_minutes
    since_at = rules.next_since_at(row, changes.get("status", row.status), at)
    row = row._replace(
        **changes,
        written_at=max(at, row.written_at),
        status_since_at=since_at,
        auto_close_minutes=minutes,
    )
    row = row._replace(expires_at=rules.deadline(row.status, at, minutes))
    if "custom_id" in changes:
        rules.ensure_custom_id_free(row, sessions.custom_id_holder(row))
    sessions.update.run(**row._asdict())
    return row


def _delete(ids: list[str]) -> Response:
    """Mark sessions as deleted, all or none. Source: client, docs."""
    values = {"ids": json_codec.encode(ids), "organization": _organization()}
    with _writing() as at:
        rules.ensure_all_exist(ids, set(sessions.existing_ids.all(**values)))
        sessions.delete.run(**values, at=at)
    return Response(status=204)
