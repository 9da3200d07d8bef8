"""Galtea: create, get, list with its filters, finish."""

import sqlite3
from collections.abc import Iterator

from benchmarks.namespaces import Place, hexadecimal, insert
from benchmarks.requests import Request
from sessionary.surfaces.galtea.models import SessionRow

NAME = "galtea"
ENDING = "finish"
ID = "id"
FIRST_PAGE = Request("GET", "/galtea/sessions?limit=100")


def headers(key: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {key}"}


def creation(_: Place) -> Request:
    return Request("POST", "/galtea/sessions", {"versionId": "ver_1"}, 201)


def reading(id: str) -> Request:
    return Request("GET", f"/galtea/sessions/{id}")


def ending(id: str) -> Request:
    return Request("PATCH", f"/galtea/sessions/{id}/finish", {"stoppingReason": "done"})


def pages(place: Place) -> dict[str, Request]:
    """Lists beside the first page."""
    middle = place.count // 2
    return {
        "filtered list (statuses)": Request("GET", f"{FIRST_PAGE.path}&statuses=PENDING"),
        "filtered list (versionIds)": Request("GET", f"{FIRST_PAGE.path}&versionIds=ver_1"),
        "deep page (offset)": Request("GET", f"{FIRST_PAGE.path}&offset={middle}"),
    }


def id_of(number: int) -> str:
    return f"session_000000000000{hexadecimal(number)}"


def fill(connection: sqlite3.Connection, place: Place) -> None:
    insert(connection, "galtea_sessions", SessionRow._fields, _rows(place))


def _rows(place: Place) -> Iterator[tuple[object, ...]]:
    """500 pending ones among them; five versions."""
    every = max(place.count // 500, 1)
    for number in range(place.count):
        at = place.created_at(number)
        is_pending = number % every == 0 or place.is_held(number)
        yield (
            id_of(number),
            place.organization,
            None,
            f"ver_{number // every % 5}",
            "product_1",
            None,
            None,
            "",
            None,
            1,
            None,
            '{"channel":"web"}',
            "PENDING" if is_pending else "COMPLETED",
            None if is_pending else "done",
            None,
            at - at % 1000,
            at,
            None,
            None,
            None,
        )
