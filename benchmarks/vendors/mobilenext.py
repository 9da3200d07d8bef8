"""Mobile Next: start, get, list with its cursor, release."""

import sqlite3
from collections.abc import Iterator

from benchmarks.namespaces import Dataset, hexadecimal, insert
from benchmarks.requests import Request
from sessionary.surfaces.mobilenext.models import AllocationRow, Session, SessionRow
from sessionary.web.instants import to_text

NAME = "mobilenext"
ENDING = "release"
ID = "id"
FIRST_PAGE = Request("GET", "/mobilenext/api/v1/sessions?limit=100")
_SERIAL = "emulator-5554"


def headers(key: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {key}"}


def creation(_: Dataset) -> Request:
    return Request("POST", "/mobilenext/api/v1/sessions", status=201)


def reading(id: str) -> Request:
    return Request("GET", f"/mobilenext/api/v1/sessions/{id}")


def ending(id: str) -> Request:
    path = f"/mobilenext/api/v1/sessions/{id}/devices/{_SERIAL}/release"
    return Request("POST", path, status=202)


def pages(dataset: Dataset) -> dict[str, Request]:
    """Return lists other than the first page."""
    middle = to_text(dataset.created_at(dataset.session_count // 2))
    return {"middle page (cursor)": Request("GET", f"{FIRST_PAGE.path}&before={middle}")}


def id_of(number: int) -> str:
    return f"00000000-0000-4000-8000-{hexadecimal(number)}"


def fill(connection: sqlite3.Connection, dataset: Dataset) -> None:
    columns = [Session._meta.fields[name].column_name for name in SessionRow._fields]
    insert(connection, "mobilenext_sessions", columns, _sessions(dataset))
    insert(connection, "mobilenext_allocations", AllocationRow._fields, _allocations(dataset))
    mark = (dataset.organization, dataset.now, 0)
    insert(connection, "mobilenext_marks", ("organization", "created_at", "moves"), [mark])


def _sessions(dataset: Dataset) -> Iterator[SessionRow]:
    for number in range(dataset.session_count):
        at = dataset.created_at(number)
        ended_at = None if dataset.is_open(number) else at + 1000
        yield SessionRow(
            id=id_of(number),
            organization=dataset.organization,
            user=dataset.user,
            opened_at=at,
            empty_expires_at=at,
            status_since_at=ended_at or at,
            created_at=at,
            released_at=ended_at,
        )


def _allocations(dataset: Dataset) -> Iterator[AllocationRow]:
    """One device per session."""
    for number in range(dataset.session_count):
        at = dataset.created_at(number)
        yield AllocationRow(
            id=f"a0000000-0000-4000-8000-{hexadecimal(number)}",
            session=id_of(number),
            serial=_SERIAL,
            platform="android",
            type="emulator",
            name="Pixel 9",
            version="16",
            created_at=at,
            in_use_at=None,
            expires_at=None,
            released_at=None if dataset.is_open(number) else at + 1000,
        )
