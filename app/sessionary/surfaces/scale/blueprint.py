"""Scale's routes."""

from collections.abc import Iterator
from typing import Any

from flask import Blueprint, request
from werkzeug.wrappers import Response

from sessionary import clock, identity, ids, store
from sessionary.surfaces.scale import errors, queries, rules, schemas, serializers
from sessionary.surfaces.scale.models import SessionRow
from sessionary.web import context, json_codec
from sessionary.web.context import caller
from sessionary.web.fastapi_errors import violations
from sessionary.web.operations import Invalid, answer, answer_page, operation

routes = Blueprint("scale", __name__)

_session = schemas.SessionResponse()

# Where each call, path parameter and header comes from.
SOURCES = {
    "Source: page.": "create x-api-key x-selected-account-id",
    "Source: sibling.": "list_sessions get update delete session_id",
    "Source: client.": "user_info",
}


@routes.before_request
def authenticate() -> None:
    """Require a key in `x-api-key`. Source: page. Assumed: any text can be a key."""
    context.authenticate("scale", request.headers.get("x-api-key", ""), well_formed=True)


@routes.errorhandler(errors.ScaleError)
def handle_error(error: errors.ScaleError) -> Response:
    return answer(errors.body(str(error)), error.status)


@routes.errorhandler(Invalid)
def handle_invalid(error: Invalid) -> Response:
    """List every violation. Source: sibling (422)."""
    return answer(errors.body(violations(error.problems)), 422)


@routes.post("/v4/sessions")
@operation("Create Session", body=schemas.CreateRequest(), answers={200: _session})
def create(body: dict[str, Any]) -> Response:
    """Answer 200: an older client reads any other status as failure. Source: page, client."""
    account = body["account_id"]
    rules.ensure_same_account(_account_of_header(to_write=True), account)
    rules.ensure_access(caller(), account, identity.is_declared, to_write=True)
    with clock.transaction() as at:
        row = _make_row(body, at)
        queries.insert.run(**row._asdict())
        queries.update_counts(None, row)
    return answer(serializers.session(row))


@routes.get("/v4/sessions")
@operation("List Sessions", query=schemas.ListQuery(), answers={200: schemas.SessionPage()})
def list_sessions(query: dict[str, Any]) -> Response:
    """Past the end of the list, where every client's walk ends, no row is queried."""
    accounts, anywhere = rules.listed_accounts(
        caller(), _account_of_header(), query["account_id"], identity.is_declared
    )
    number, size, include_archived = query["page"], query["limit"], query["include_archived"]
    scope, offset = queries.scope(accounts, anywhere=anywhere), (number - 1) * size
    covered = {"account": next(iter(accounts), None), "accounts": json_codec.encode(accounts)}
    with store.read_transaction():
        total = queries.total(scope, include_archived=include_archived).one(**covered) or 0
        rows: Iterator[SessionRow] = iter(())
        if offset < total:
            rows = queries.page(scope, include_archived=include_archived).rows(
                **covered, limit=size, offset=offset, reach=offset + size
            )
        return answer_page(serializers.page(rows, total=total, number=number, size=size))


@routes.get("/v4/sessions/<session_id>")
@operation("Get Session", answers={200: _session})
def get(session_id: str) -> Response:
    """Archived sessions are found too. Source: sibling."""
    return answer(serializers.session(_find(session_id, _account_of_header())))


@routes.patch("/v4/sessions/<session_id>")
@operation("Update Session", body=schemas.UpdateRequest(), answers={200: _session})
def update(session_id: str, body: dict[str, Any]) -> Response:
    """Assumed: an archived session is reported before an invalid window."""
    selected = _account_of_header(to_write=True)
    with clock.transaction() as at:
        row = _find(session_id, selected, to_write=True)
        rules.ensure_can_change(row, body)
        if not rules.has_valid_window(row, body):
            raise Invalid([schemas.END_BEFORE_START])
        row = _write(row, rules.patched_columns(row, body, at))
    return answer(serializers.session(row))


@routes.delete("/v4/sessions/<session_id>")
@operation("Archive Session", answers={200: schemas.DeleteResponse()})
def delete(session_id: str) -> Response:
    """Archive; nothing is deleted. Source: sibling."""
    selected = _account_of_header(to_write=True)
    with clock.transaction() as at:
        row = _find(session_id, selected, to_write=True)
        if rules.is_live(row):
            now = rules.next_updated_at(row, at)
            _write(row, {"archived_at": now, "updated_at": now, "status_since_at": at})
    return answer(serializers.deletion(int(rules.is_live(row))))


@routes.get("/user-info")
@operation("Get User Info", answers={200: schemas.UserInfo()})
def user_info() -> Response:
    _account_of_header()
    roles = rules.account_roles(caller())
    names = dict(queries.account_names.all(accounts=json_codec.encode(list(roles))))
    return answer(serializers.user_info(caller(), roles, names))


def _account_of_header(*, to_write: bool = False) -> str | None:
    """Return the account that the header names. Raises ScaleError.

    Source: page (optional). Assumed: empty is as absent; without access every call is refused.
    """
    account = request.headers.get("x-selected-account-id") or None
    if account is not None:
        rules.ensure_access(caller(), account, identity.is_declared, to_write=to_write)
    return account


def _find(session_id: str, selected: str | None, *, to_write: bool = False) -> SessionRow:
    row, is_declared = queries.by_id.one(id=ids.canonical(session_id)), identity.is_declared
    if row is None or not rules.is_visible(caller(), row.account_id, selected, is_declared):
        raise errors.ScaleError(f"Session {session_id} not found", 404)
    if to_write:
        rules.ensure_access(caller(), row.account_id, is_declared, to_write=True)
    return row


def _make_row(body: dict[str, Any], at: int) -> SessionRow:
    return SessionRow(
        id=ids.uuid(),
        account_id=body["account_id"],
        title=body["title"],
        state=body["state"],
        created_at=at,
        updated_at=at,
        created_by_user_id=caller().user,
        created_by_identity_type=caller().identity_type,
        start_date=rules.to_microseconds(body.get("start_date")),
        end_date=rules.to_microseconds(body.get("end_date")),
        archived_at=None,
        status_since_at=at,
    )


def _write(row: SessionRow, columns: dict[str, Any]) -> SessionRow:
    """Set these columns, if there are any, and update the counts."""
    if not columns:
        return row
    after = row._replace(**columns)
    queries.update(frozenset(columns)).run(id=row.id, **columns)
    if "archived_at" in columns:
        queries.update_counts(row, after)
    return after
