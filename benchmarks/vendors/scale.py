"""Scale: create, get, list with its total, archive."""

import sqlite3
from collections.abc import Iterator

from benchmarks.namespaces import Place, hexadecimal, insert
from benchmarks.requests import Request
from sessionary.surfaces.scale.models import SessionRow

NAME = "scale"
ENDING = "archive"
ID = "id"
FIRST_PAGE = Request("GET", "/scale/v4/sessions?limit=100")


def headers(key: str) -> dict[str, str]:
    return {"x-api-key": key}


def creation(place: Place) -> Request:
    state = {"step": 3, "notes": ["first", "second"], "owner": {"name": "Ana"}}
    body = {"title": "A session", "state": state, "account_id": place.organization}
    return Request("POST", "/scale/v4/sessions", body)


def reading(id: str) -> Request:
    return Request("GET", f"/scale/v4/sessions/{id}")


def ending(id: str) -> Request:
    return Request("DELETE", f"/scale/v4/sessions/{id}")


def pages(place: Place) -> dict[str, Request]:
    """Lists beside the first page."""
    middle = max(place.count // 200, 1)
    return {
        "filtered list (account_id)": Request(
            "GET", f"{FIRST_PAGE.path}&account_id={place.organization}"
        ),
        "list with archived": Request("GET", f"{FIRST_PAGE.path}&include_archived=true"),
        "deep page (offset)": Request("GET", f"{FIRST_PAGE.path}&page={middle}"),
    }


def id_of(number: int) -> str:
    return f"00000000-0000-4000-8000-{hexadecimal(number)}"


def fill(connection: sqlite3.Connection, place: Place) -> None:
    insert(connection, "scale_sessions", SessionRow._fields, _rows(place))
    archived = sum(_is_archived(place, number) for number in range(place.count))
    count = (place.organization, place.count - archived, archived)
    insert(connection, "scale_counts", ("account_id", "live", "archived"), [count])


def _is_archived(place: Place, number: int) -> bool:
    return number % 10 == 0 and not place.is_held(number)


def _rows(place: Place) -> Iterator[tuple[object, ...]]:
    """One of ten archived."""
    for number in range(place.count):
        at = place.created_at(number)
        yield (
            id_of(number),
            place.organization,
            "A session",
            '{"step":3,"notes":["first","second"],"owner":{"name":"Ana"}}',
            at,
            at,
            place.user,
            "user",
            at,
            None,
            at if _is_archived(place, number) else None,
        )
