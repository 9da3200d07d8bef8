"""Mobile Next's routes, all under `/api/v1`."""

from typing import Any

from flask import Blueprint, request
from werkzeug.wrappers import Response

from sessionary import clock, ids, store
from sessionary.surfaces.mobilenext import allocation, errors, queries, rules, schemas, serializers
from sessionary.surfaces.mobilenext.models import AllocationRow, SessionRow
from sessionary.web import context, json_codec
from sessionary.web.context import bearer, caller, now, settings
from sessionary.web.fields import Problem
from sessionary.web.operations import Invalid, answer, operation

routes = Blueprint("mobilenext", __name__)

HEADER = "X-Organization-Id"
_allocation = schemas.Allocation()


@routes.before_request
def authenticate() -> None:
    """Source: client (`Authorization: Bearer mob_…`; 401 for anything else)."""
    token = bearer()
    context.authenticate("mobilenext", token, well_formed=token.startswith("mob_"))


@routes.errorhandler(errors.Refusal)
def refused(refusal: errors.Refusal) -> Response:
    return answer(errors.body(refusal.code, str(refusal)), refusal.status)


@routes.errorhandler(Invalid)
def invalid(invalid: Invalid) -> Response:
    """Source: page (400). Assumed: `invalid_filters` where the filters are what is wrong."""
    in_filters = any(each.path[:1] == ("filters",) for each in invalid.problems)
    code = errors.INVALID_FILTERS if in_filters else errors.INVALID_REQUEST
    return answer(errors.body(code, "; ".join(map(_sentence, invalid.problems))), 400)


def _sentence(problem: Problem) -> str:
    place = ".".join(map(str, problem.path))
    return f"{place}: {problem.text}" if place else problem.text


@routes.get("/api/v1/sessions")
@operation("List sessions", query=schemas.ListQuery(), answers={200: schemas.SessionPage()})
def list_sessions(query: dict[str, Any]) -> Response:
    """Visible to every member, newest first. Source: page."""
    organization, _ = _selected()
    before, limit = query["before"], query["limit"]
    statement = queries.page(only_before=before is not None)
    rows = statement.all(
        organization=organization,
        before=None if before is None else rules.before_cursor(before),
        limit=limit + 1,
    )
    return answer(serializers.page(rows, now(), size=limit))


@routes.get("/api/v1/sessions/<session_id>")
@operation("Get a session", answers={200: schemas.Session()})
def get_session(session_id: str) -> Response:
    organization, _ = _selected()
    rows = queries.shown.all(id=ids.canonical(session_id), organization=organization)
    rules.may_be_read(rows, session_id)
    return answer(serializers.session(rows, now()))


@routes.post("/api/v1/sessions")
@operation("Start a session", answers={201: schemas.NewSession()})
def start() -> Response:
    """Source: client, which sends neither a body nor a content type; one that is sent is not read.

    Assumed: it is listed from its first device on, and gone if that does not come in time.
    """
    organization = _writable()
    with clock.writing() as at:
        row = SessionRow(
            id=ids.uuid(),
            organization=organization,
            user=caller().user,
            opened_at=at,
            void_at=rules.void_at(at, settings().mobilenext_empty_session_minutes),
            created_at=None,
            expires_at=None,
            released_at=None,
        )
        queries.insert_session.run(**row._asdict())
    return answer(serializers.new_session(row), 201)


@routes.post("/api/v1/sessions/<session_id>/devices")
@operation(
    "Allocate a device",
    body=schemas.AllocateRequest(),
    answers={201: schemas.Allocated(), 202: schemas.Allocating()},
)
def allocate(session_id: str, body: dict[str, Any]) -> Response:
    """A device that is ready is 201, one on demand is 202. Source: client."""
    organization = _writable()
    with clock.writing() as at:
        session = _existing(session_id, organization, at)
        rules.may_allocate(session, at)
        device = allocation.choose(body["filters"], at)
        row = allocation.give(device, session, at, settings().mobilenext_lease_minutes)
    if row.in_use_at is None:
        return answer(serializers.allocated(row), 201)
    return answer(serializers.allocating(row), 202)


@routes.get("/api/v1/sessions/<session_id>/devices")
@operation("List a session's devices", answers={200: schemas.AllocationList()})
def list_devices(session_id: str) -> Response:
    """Source: client. Assumed: `[]` for a session that has none yet."""
    _, allocations = _read_with_allocations(session_id)
    return answer(serializers.allocation_list(allocations, now()))


@routes.get("/api/v1/sessions/<session_id>/devices/<device>")
@operation("Get a session's device", answers={200: _allocation})
def get_device(session_id: str, device: str) -> Response:
    """Source: client."""
    _, allocations = _read_with_allocations(session_id)
    return answer(serializers.allocation(rules.allocation_of(allocations, device), now()))


@routes.post("/api/v1/sessions/<session_id>/devices/<device>/release")
@operation("Release a device", answers={202: _allocation})
def release(session_id: str, device: str) -> Response:
    """The last release ends the session. Source: client (202, with the allocation as JSON)."""
    organization = _writable()
    with clock.writing() as at:
        session = _existing(session_id, organization, at)
        allocations = _allocations(session)
        held = rules.allocation_of(allocations, device)
        rules.may_release(held, at, device)
        row = allocation.take_back(held, allocations, at)
    return answer(serializers.allocation(row, at), 202)


@routes.get("/api/v1/organizations")
@operation("List organizations", answers={200: schemas.OrganizationList()})
def list_organizations() -> Response:
    """Source: docs. Assumed: all of the caller's, whichever is selected; none is an empty list,
    so that a caller without a default can learn what to select."""
    roles = caller().roles
    if request.headers.get(HEADER, "").strip():
        _selected()
    rows = queries.organizations.all(ids=json_codec.encode(list(roles)))
    return answer(serializers.organizations(rows, roles, clock.state().began_at))


def _selected() -> tuple[str, str]:
    """The organization that the call acts in, and the caller's role there.

    Source: page (the header, else the key's binding, else the caller's default; 403). Assumed: an
    empty header is as none.
    """
    organization = request.headers.get(HEADER, "").strip() or caller().organization
    role = caller().roles.get(organization or "")
    if organization is None or role is None:
        raise errors.Forbidden
    return organization, role


def _writable() -> str:
    organization, role = _selected()
    rules.may_write(role)
    return organization


def _existing(session_id: str, organization: str, at: int) -> SessionRow:
    row = queries.by_id.one(id=ids.canonical(session_id), organization=organization)
    return rules.may_be_seen(row, at, session_id)


def _allocations(*sessions: SessionRow) -> list[AllocationRow]:
    return queries.allocations.all(sessions=json_codec.encode([each.id for each in sessions]))


def _read_with_allocations(session_id: str) -> tuple[SessionRow, list[AllocationRow]]:
    organization, _ = _selected()
    with store.read_transaction():
        row = _existing(session_id, organization, now())
        return row, _allocations(row)
