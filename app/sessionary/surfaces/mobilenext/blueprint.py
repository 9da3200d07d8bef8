"""Mobile Next's routes, all under `/api/v1`."""

from typing import Any

from flask import Blueprint, request
from werkzeug.wrappers import Response

from sessionary import clock, ids, store
from sessionary.surfaces.mobilenext import allocation, errors, rules, schemas, serializers
from sessionary.surfaces.mobilenext.models import AllocationRow, SessionRow
from sessionary.surfaces.mobilenext.queries import allocations, sessions
from sessionary.web import context, json_codec
from sessionary.web.context import bearer, caller, now, settings
from sessionary.web.fields import Problem
from sessionary.web.operations import Invalid, answer, answer_page, operation

routes = Blueprint("mobilenext", __name__)

HEADER = "X-Organization-Id"
_allocation = schemas.Allocation()

# Where each call, path parameter and header comes from.
SOURCES = {
    "Source: page.": "list_sessions get_session session_id X-Organization-Id",
    "Source: client.": "start allocate list_devices get_device release Authorization",
    "Source: client (the serial). Assumed: the id of the allocation as well.": "device",
    "Source: docs.": "list_organizations",
}


@routes.before_request
def authenticate() -> None:
    """Require `Authorization: Bearer mob_…`. Source: client (401 for anything else)."""
    token = bearer()
    context.authenticate("mobilenext", token, well_formed=token.startswith("mob_"))


@routes.errorhandler(errors.MobileNextError)
def handle_error(error: errors.MobileNextError) -> Response:
    return answer(errors.body(error.code, str(error)), error.status)


@routes.errorhandler(Invalid)
def handle_invalid(error: Invalid) -> Response:
    """List every violation. Source: page (400). Assumed: `invalid_filters` for those of filters."""
    in_filters = any(each.path[:1] == ("filters",) for each in error.problems)
    code = errors.INVALID_FILTERS if in_filters else errors.INVALID_REQUEST
    return answer(errors.body(code, "; ".join(map(to_sentence, error.problems))), 400)


def to_sentence(problem: Problem) -> str:
    place = ".".join(map(str, problem.path))
    return f"{place}: {problem.text}" if place else problem.text


@routes.get("/api/v1/sessions")
@operation("List sessions", query=schemas.ListQuery(), answers={200: schemas.SessionPage()})
def list_sessions(query: dict[str, Any]) -> Response:
    """Every member sees every session, newest first."""
    organization, _ = organization_and_role()
    before, limit = query["before"], query["limit"]
    statement = sessions.page(only_before=before is not None)
    rows = statement.rows(
        organization=organization,
        before=None if before is None else rules.before_cursor(before),
        limit=limit + 1,
    )
    return answer_page(serializers.page(rows, now(), size=limit))


@routes.get("/api/v1/sessions/<session_id>")
@operation("Get a session", answers={200: schemas.Session()})
def get_session(session_id: str) -> Response:
    organization, _ = organization_and_role()
    rows = sessions.with_allocations.all(id=ids.canonical(session_id), organization=organization)
    rules.ensure_listed(rows, session_id)
    return answer(serializers.session(rows, now()))


@routes.post("/api/v1/sessions")
@operation("Start a session", answers={201: schemas.NewSession()})
def start() -> Response:
    """Start a session, which is listed from its first device on. A body is not read.

    Source: client (it sends neither a body nor a content type). Assumed: it expires while empty.
    """
    organization = writable_organization()
    with clock.transaction() as at:
        row = start_session(organization, at)
    return answer(serializers.new_session(row), 201)


@routes.post("/api/v1/sessions/<session_id>/devices")
@operation(
    "Allocate a device",
    body=schemas.AllocateRequest(),
    answers={201: schemas.Allocated(), 202: schemas.Allocating()},
)
def allocate(session_id: str, body: dict[str, Any]) -> Response:
    """Answer 201 for a ready device, 202 for one on demand. Source: client."""
    organization = writable_organization()
    lease_minutes = settings().vendors["mobilenext"].lease_minutes
    with clock.transaction() as at:
        session = _find(session_id, organization, at)
        rules.ensure_can_allocate(session, at)
        device = allocation.choose_device(body["filters"], at)
        row = allocation.allocate(device, session, at, lease_minutes)
    return answer(serializers.allocated(row), 201 if row.in_use_at is None else 202)


@routes.get("/api/v1/sessions/<session_id>/devices")
@operation("List a session's devices", answers={200: schemas.AllocationList()})
def list_devices(session_id: str) -> Response:
    """Source: client. Assumed: `[]` for a session without devices."""
    return answer(serializers.allocation_list(_read_allocations(session_id), now()))


@routes.get("/api/v1/sessions/<session_id>/devices/<device>")
@operation("Get a session's device", answers={200: _allocation})
def get_device(session_id: str, device: str) -> Response:
    row = rules.find_allocation(_read_allocations(session_id), device)
    return answer(serializers.allocation(row, now()))


@routes.post("/api/v1/sessions/<session_id>/devices/<device>/release")
@operation("Release a device", answers={202: _allocation})
def release(session_id: str, device: str) -> Response:
    """The last release sets `releasedAt`. Source: client (202, with the allocation as JSON)."""
    organization = writable_organization()
    with clock.transaction() as at:
        of_session = _allocations(_find(session_id, organization, at))
        found = rules.find_allocation(of_session, device)
        rules.ensure_can_release(found, at, device)
        row = allocation.release(found, of_session, at)
    return answer(serializers.allocation(row, at), 202)


@routes.get("/api/v1/organizations")
@operation("List organizations", answers={200: schemas.OrganizationList()})
def list_organizations() -> Response:
    """List all of the caller's organizations. Source: docs. Assumed: whatever the header names."""
    roles = caller().roles
    if request.headers.get(HEADER, "").strip():
        organization_and_role()
    rows = sessions.organizations.all(ids=json_codec.encode(list(roles)))
    return answer(serializers.organizations(rows, roles, clock.state().began_at))


def start_session(organization: str, at: int) -> SessionRow:
    """Insert an empty session of the caller's."""
    minutes = settings().vendors["mobilenext"].empty_session_minutes
    row = SessionRow(
        id=ids.uuid(),
        organization=organization,
        user=caller().user,
        opened_at=at,
        empty_expires_at=rules.empty_expires_at(at, minutes),
        status_since_at=at,
    )
    sessions.insert.run(**row._asdict())
    return row


def organization_and_role() -> tuple[str, str]:
    """Source: page (header, key's binding or caller's default; 403). Assumed: empty is absent.

    Assumed: the same words if it does not exist, and if the caller is a member nowhere.
    """
    organization = request.headers.get(HEADER, "").strip() or caller().organization
    role = caller().roles.get(organization or "")
    if organization is None or role is None:
        text = "You are not a member of the selected organization"
        raise errors.MobileNextError(403, "forbidden", text)
    return organization, role


def writable_organization() -> str:
    organization, role = organization_and_role()
    rules.ensure_can_write(role)
    return organization


def _find(session_id: str, organization: str, at: int) -> SessionRow:
    row = sessions.by_id.one(id=ids.canonical(session_id), organization=organization)
    return rules.ensure_exists(row, at, session_id)


def _allocations(session: SessionRow) -> list[AllocationRow]:
    return allocations.of_sessions.all(sessions=json_codec.encode([session.id]))


def _read_allocations(session_id: str) -> list[AllocationRow]:
    organization, _ = organization_and_role()
    with store.read_transaction():
        return _allocations(_find(session_id, organization, now()))
