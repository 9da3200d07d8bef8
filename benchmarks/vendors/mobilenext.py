"""Mobile Next: start, get, list with its cursor, release."""

import sqlite3
from collections.abc import Iterator

from benchmarks.namespaces import Place, hexadecimal, insert
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


def creation(_: Place) -> Request:
    return Request("POST", "/mobilenext/api/v1/sessions", status=201)


def reading(id: str) -> Request:
    return Request("GET", f"/mobilenext/api/v1/sessions/{id}")


def ending(id: str) -> Request:
    path = f"/mobilenext/api/v1/sessions/{id}/devices/{_SERIAL}/release"
    return Request("POST", path, status=202)


def pages(place: Place) -> dict[str, Request]:
    """Lists beside the first page."""
    middle = to_text(place.created_at(place.count // 2))
    return {"middle page (cursor)": Request("GET", f"{FIRST_PAGE.path}&before={middle}")}


def id_of(number: int) -> str:
    return f"00000000-0000-4000-8000-{hexadecimal(number)}"


def fill(connection: sqlite3.Connection, place: Place) -> None:
    columns = [Session._meta.fields[name].column_name for name in SessionRow._fields]
    insert(connection, "mobilenext_sessions", columns, _sessions(place))
    insert(connection, "mobilenext_allocations", AllocationRow._fields, _allocations(place))
    mark = (place.organization, place.now, 0)
    insert(connection, "mobilenext_marks", ("organization", "created_at", "moves"), [mark])


def _sessions(place: Place) -> Iterator[tuple[object, ...]]:
    for number in range(place.count):
        at = place.created_at(number)
        ended_at = None if place.is_held(number) else at + 1000
        yield id_of(number), place.organization, place.user, at, at, at, None, ended_at


def _allocations(place: Place) -> Iterator[tuple[object, ...]]:
    """One device for each session."""
    for number in range(place.count):
        at = place.created_at(number)
        yield (
            f"a0000000-0000-4000-8000-{hexadecimal(number)}",
            id_of(number),
            _SERIAL,
            "android",
            "emulator",
            "Pixel 9",
            "16",
            at,
            None,
            None,
            None if place.is_held(number) else at + 1000,
        )
