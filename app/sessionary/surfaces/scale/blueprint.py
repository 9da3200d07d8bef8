"""Scale's routes."""

from typing import Any

from flask import Blueprint, request
from werkzeug.wrappers import Response

from sessionary import clock, identity, ids, store
from sessionary.surfaces.scale import errors, fault_presets, models, rules, schemas, serializers
from sessionary.surfaces.scale.models import SessionRow
from sessionary.web import context, json_codec
from sessionary.web.context import caller
from sessionary.web.fastapi_errors import violations
from sessionary.web.operations import Invalid, answer, operation

routes = Blueprint("scale", __name__)

_session = schemas.SessionResponse()


@routes.before_request
def authenticate() -> None:
    """Source: page (the header is required). Assumed: any text can be a key."""
    context.authenticate("scale", request.headers.get("x-api-key", ""), well_formed=True)


@routes.errorhandler(errors.Refusal)
def refused(refusal: errors.Refusal) -> Response:
    return answer(errors.body(refusal.detail), refusal.status)


@routes.errorhandler(Invalid)
def invalid(found: Invalid) -> Response:
    """Source: sibling (422 with every violation)."""
    return answer(errors.body(violations(found.problems)), 422)


@routes.after_request
def say_when_to_return(response: Response) -> Response:
    """Source: client (it prefers milliseconds where both headers are sent)."""
    if "Retry-After" in response.headers and "retry-after-ms" not in response.headers:
        response.headers.update(fault_presets.waits(1000 * int(response.headers["Retry-After"])))
    return response


@routes.post("/v4/sessions")
@operation("Create Session", body=schemas.CreateRequest(), answers={200: _session})
def create(body: dict[str, Any]) -> Response:
    """200, because an older client takes nothing else for success. Source: page, client."""
    account = body["account_id"]
    rules.must_agree(_selected(to_write=True), account)
    rules.may_enter(caller(), account, identity.is_declared, to_write=True)
    with clock.writing() as at:
        row = _new(body, at)
        models.insert.run(**row._asdict())
        models.count(None, row)
    return answer(serializers.session(row))


@routes.get("/v4/sessions")
@operation("List Sessions", query=schemas.ListQuery(), answers={200: schemas.SessionPage()})
def list_sessions(query: dict[str, Any]) -> Response:
    """Past the end no row is looked for: that is where every client's walk ends."""
    accounts, anywhere = rules.listed(
        caller(), _selected(), query["account_id"], identity.is_declared
    )
    number, size, archived_too = query["page"], query["limit"], query["include_archived"]
    scope, offset = models.scope(accounts, anywhere=anywhere), (number - 1) * size
    covered = {"account": next(iter(accounts), None), "accounts": json_codec.encode(accounts)}
    with store.snapshot():
        total = models.total(scope, archived_too=archived_too).one(**covered) or 0
        rows = []
        if offset < total:
            rows = models.page(scope, archived_too=archived_too).all(
                **covered, limit=size, offset=offset, reach=offset + size
            )
    return answer(serializers.page(rows, total=total, number=number, size=size))


@routes.get("/v4/sessions/<session_id>")
@operation("Get Session", answers={200: _session})
def get(session_id: str) -> Response:
    """An archived one, too. Source: sibling."""
    return answer(serializers.session(_existing(session_id, _selected())))


@routes.patch("/v4/sessions/<session_id>")
@operation("Update Session", body=schemas.UpdateRequest(), answers={200: _session})
def update(session_id: str, body: dict[str, Any]) -> Response:
    """Assumed: what is archived is said before what is wrong with the merged window."""
    selected = _selected(to_write=True)
    with clock.writing() as at:
        row = _existing(session_id, selected, to_write=True)
        rules.may_change(row, body)
        if not rules.keeps_window(row, body):
            raise Invalid([schemas.ENDS_BEFORE_IT_STARTS])
        row = _write(row, rules.changes(row, body, at))
    return answer(serializers.session(row))


@routes.delete("/v4/sessions/<session_id>")
@operation("Archive Session", answers={200: schemas.DeleteResponse()})
def delete(session_id: str) -> Response:
    """Deleting archives. Source: sibling."""
    selected = _selected(to_write=True)
    with clock.writing() as at:
        row = _existing(session_id, selected, to_write=True)
        is_live = rules.status(row, at) == rules.LIVE
        if is_live:
            now = rules.written_at(row, at)
            _write(row, {"archived_at": now, "updated_at": now})
    return answer(serializers.deleted(int(is_live)))


@routes.get("/user-info")
@operation("Who is asking", answers={200: schemas.UserInfo()})
def user_info() -> Response:
    _selected()
    roles = rules.accounts(caller())
    names = dict(models.account_names.all(accounts=json_codec.encode(list(roles))))
    return answer(serializers.user_info(caller(), roles, names))


def _selected(*, to_write: bool = False) -> str | None:
    """The account that the header names, once it is known that the caller may enter it.

    Source: page (optional). Assumed: empty is as absent; without access every call is refused.
    """
    account = request.headers.get("x-selected-account-id") or None
    if account is not None:
        rules.may_enter(caller(), account, identity.is_declared, to_write=to_write)
    return account


def _existing(session_id: str, selected: str | None, *, to_write: bool = False) -> SessionRow:
    row = models.by_id.one(id=ids.canonical(session_id))
    if row is None or not rules.in_reach(caller(), row.account_id, selected, identity.is_declared):
        raise errors.Unknown(session_id)
    if to_write:
        rules.may_enter(caller(), row.account_id, identity.is_declared, to_write=True)
    return row


def _new(body: dict[str, Any], at: int) -> SessionRow:
    return SessionRow(
        id=ids.uuid(),
        account_id=body["account_id"],
        title=body["title"],
        state=body["state"],
        created_at=at,
        updated_at=at,
        created_by_user_id=caller().user,
        created_by_identity_type=caller().identity_type,
        start_date=rules.microseconds(body.get("start_date")),
        end_date=rules.microseconds(body.get("end_date")),
        archived_at=None,
    )


def _write(row: SessionRow, columns: dict[str, Any]) -> SessionRow:
    """Set these columns, if there are any, and keep the counts right."""
    if not columns:
        return row
    after = row._replace(**columns)
    models.change(frozenset(columns)).run(id=row.id, **columns)
    if "archived_at" in columns:
        models.count(row, after)
    return after
