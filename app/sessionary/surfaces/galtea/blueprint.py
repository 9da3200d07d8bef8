"""Galtea's routes: sessions, and the stubs of what they refer to."""

from typing import Any

from flask import Blueprint
from werkzeug.wrappers import Response

from sessionary import clock, ids
from sessionary.surfaces.galtea import errors, models, queries, rules, schemas, serializers
from sessionary.surfaces.galtea.models import TEST, TEST_CASE, VERSION, SessionRow
from sessionary.surfaces.galtea.references import LETTERS, Parents
from sessionary.web import context, json_codec
from sessionary.web.context import bearer, caller, now, settings
from sessionary.web.operations import Invalid, answer, operation

open_routes = Blueprint("galtea_open", __name__)
routes = Blueprint("galtea", __name__)

_session = schemas.Session()


@routes.before_request
def authenticate() -> None:
    """Source: page (a bearer token, gsk_ or the older gsk-)."""
    token = bearer()
    context.authenticate("galtea", token, well_formed=token.startswith(("gsk_", "gsk-")))


@routes.errorhandler(errors.Refusal)
def refused(refusal: errors.Refusal) -> Response:
    return answer(errors.body(refusal.status, refusal.message), refusal.status)


@routes.errorhandler(Invalid)
def invalid(found: Invalid) -> Response:
    """Source: client, docs (400 for everything that does not fit)."""
    texts = [": ".join([*map(str, each.path), each.text]) for each in found.problems]
    return answer(errors.body(400, "; ".join(texts)), 400)


@open_routes.get("/minimum-sdk-version")
@operation("Which SDKs are served", answers={200: schemas.SdkVersions()}, is_open=True)
def minimum_sdk_version() -> Response:
    return answer(serializers.SDK_VERSIONS)


@routes.post("/sessions")
@operation("Create a session", body=schemas.SessionInput(), answers={201: _session})
def create(body: dict[str, Any]) -> Response:
    is_production = rules.is_production(
        body["test_case"], body["is_production"], has_context=body["context"] is not None
    )
    rules.may_join(body["run"], is_production=is_production)
    rules.may_be_placed(body["version"], body["product"])
    with clock.writing() as at:
        row = _new(body, at, is_production=is_production)
        _claim(row)
        models.insert.run(**row._asdict())
    return answer(serializers.session(row, at), 201)


@routes.get("/sessions")
@operation("List sessions", query=schemas.ListQuery(), answers={200: schemas.Session(many=True)})
def list_sessions(query: dict[str, Any]) -> Response:
    at = now()
    rows = queries.find(query, organization=_organization(), now=at)
    return answer([serializers.session(row, at) for row in rows])


@routes.get("/sessions/<session_id>")
@operation("A session", answers={200: _session})
def get(session_id: str) -> Response:
    return answer(serializers.session(_existing(session_id), now()))


@routes.patch("/sessions/<session_id>")
@operation("Change a session", body=schemas.SessionChanges(), answers={200: _session})
def change(session_id: str, body: dict[str, Any]) -> Response:
    """Nothing to change is fine, and no activity. Source: client, docs."""
    with clock.writing() as at:
        row = _existing(session_id)
        if body:
            rules.may_set_context(row, body.get("context"))
            row = _save(row, at, **{name: _stored(value) for name, value in body.items()})
    return answer(serializers.session(row, at))


@routes.patch("/sessions/<session_id>/finish")
@operation("Finish a session", body=schemas.Finish(), answers={200: _session})
def finish(session_id: str, body: dict[str, Any]) -> Response:
    """Source: client. Assumed: what is not given, or empty, stays as it was."""
    status = rules.outcome(body["stopping_reason"], body["error"])
    given = {name: value for name, value in body.items() if value}
    with clock.writing() as at:
        row = _save(_existing(session_id), at, status=status, **given)
    return answer(serializers.session(row, at))


@routes.delete("/sessions/<session_id>")
@operation("Delete a session", answers={204: None})
def delete(session_id: str) -> Response:
    return _delete([session_id])


@routes.delete("/sessions/batch")
@operation("Delete sessions, all or none", body=schemas.Batch(), answers={204: None})
def delete_batch(body: dict[str, Any]) -> Response:
    return _delete(body["ids"])


@routes.get("/versions")
@operation("Versions", query=schemas.ParentsQuery(), answers={200: schemas.Version(many=True)})
def list_versions(query: dict[str, Any]) -> Response:
    return answer([serializers.version(row) for row in _parents().all(VERSION, query["ids"])])


@routes.get("/versions/<version_id>")
@operation("A version", answers={200: schemas.Version()})
def get_version(version_id: str) -> Response:
    return answer(serializers.version(_parents().one(VERSION, version_id)))


@routes.get("/testCases")
@operation("Test cases", query=schemas.ParentsQuery(), answers={200: schemas.TestCase(many=True)})
def list_test_cases(query: dict[str, Any]) -> Response:
    return answer([serializers.test_case(row) for row in _parents().all(TEST_CASE, query["ids"])])


@routes.get("/testCases/<test_case_id>")
@operation("A test case", answers={200: schemas.TestCase()})
def get_test_case(test_case_id: str) -> Response:
    return answer(serializers.test_case(_parents().one(TEST_CASE, test_case_id)))


@routes.get("/tests")
@operation("Tests", query=schemas.ParentsQuery(), answers={200: schemas.Test(many=True)})
def list_tests(query: dict[str, Any]) -> Response:
    return answer([serializers.test(row) for row in _parents().all(TEST, query["ids"])])


@routes.get("/tests/<test_id>")
@operation("A test", answers={200: schemas.Test()})
def get_test(test_id: str) -> Response:
    return answer(serializers.test(_parents().one(TEST, test_id)))


def _organization() -> str:
    organization = caller().organization
    if organization is None:
        raise errors.Homeless
    return organization


def _parents() -> Parents:
    return Parents(_organization(), settings().galtea_references == "strict")


def _existing(session_id: str) -> SessionRow:
    row = models.by_id.one(id=session_id, organization=_organization())
    if row is None:
        raise errors.Missing("Session", [session_id])
    return row


def _new(body: dict[str, Any], at: int, *, is_production: bool) -> SessionRow:
    """The row of a new session; a test case that is known brings its context. Source: page."""
    parents = _parents()
    if body["version"] is not None:
        version = parents.one(VERSION, body["version"])
    else:
        version = parents.latest_version(body["product"], at)
    test_case = None if body["test_case"] is None else parents.one(TEST_CASE, body["test_case"])
    minutes = settings().galtea_auto_close_minutes
    status = body["status"] or rules.PENDING
    return SessionRow(
        id=f"session_{ids.word(24, LETTERS)}",
        organization=parents.organization,
        custom_id=body["custom_id"],
        version=version.id,
        product=version.parent,
        user=None if is_production else caller().user,
        test_case=None if test_case is None else test_case.id,
        test=models.NONE if test_case is None else test_case.parent,
        run=body["run"],
        is_production=int(is_production),
        context=_stored(body["context"]) if test_case is None else test_case.context,
        metadata=_stored(body["metadata"]),
        status=status,
        stopping_reason=None,
        error=None,
        created_at=at - at % 1000,
        written_at=at,
        auto_close_minutes=minutes,
        expires_at=rules.deadline(status, at, minutes),
        deleted_at=None,
    )


def _save(row: SessionRow, at: int, **changes: Any) -> SessionRow:
    """Change a session: activity, from which its quiet time counts anew. Source: docs."""
    minutes = settings().galtea_auto_close_minutes
    written_at = max(at, row.written_at)
    row = row._replace(**changes, written_at=written_at, auto_close_minutes=minutes)
    row = row._replace(expires_at=rules.deadline(row.status, at, minutes))
    if "custom_id" in changes:
        _claim(row)
    models.update.run(**row._asdict())
    return row


def _claim(row: SessionRow) -> None:
    """Refuse a customId that another session of the version has. Source: client.

    Assumed: a deleted session has given it up. Call inside the transaction that writes the row.
    """
    if row.custom_id is None:
        return
    holder = models.holder.one(
        organization=row.organization, version=row.version, custom_id=row.custom_id
    )
    if holder not in (None, row.id):
        raise errors.Taken(row.custom_id, row.version)


def _delete(asked: list[str]) -> Response:
    """Source: client, docs (soft, and all or none)."""
    wanted = json_codec.encode(asked)
    with clock.writing() as at:
        present = models.present.all(ids=wanted, organization=_organization())
        rules.are_all_there(asked, set(present))
        models.delete.run(ids=wanted, organization=_organization(), at=at)
    return Response(status=204)


def _stored(value: Any) -> Any:
    """An object as JSON text, anything else as it is."""
    return json_codec.encode(value) if isinstance(value, dict) else value
