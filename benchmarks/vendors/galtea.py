"""Galtea: create, get, list with its filters, finish."""

import sqlite3
from collections.abc import Iterator

from benchmarks.namespaces import Dataset, hexadecimal, insert
from benchmarks.requests import Request
from sessionary.surfaces.galtea.models import SessionRow

NAME = "galtea"
ENDING = "finish"
ID = "id"
FIRST_PAGE = Request("GET", "/galtea/sessions?limit=100")


def headers(key: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {key}"}


def creation(_: Dataset) -> Request:
    return Request("POST", "/galtea/sessions", {"versionId": "ver_1"}, 201)


def reading(id: str) -> Request:
    return Request("GET", f"/galtea/sessions/{id}")


def ending(id: str) -> Request:
    return Request("PATCH", f"/galtea/sessions/{id}/finish", {"stoppingReason": "done"})


def pages(dataset: Dataset) -> dict[str, Request]:
    """Return lists other than the first page."""
    middle = dataset.session_count // 2
    return {
        "filtered list (statuses)": Request("GET", f"{FIRST_PAGE.path}&statuses=PENDING"),
        "filtered list (versionIds)": Request("GET", f"{FIRST_PAGE.path}&versionIds=ver_1"),
        "deep page (offset)": Request("GET", f"{FIRST_PAGE.path}&offset={middle}"),
    }


def id_of(number: int) -> str:
    return f"session_000000000000{hexadecimal(number)}"


def fill(connection: sqlite3.Connection, dataset: Dataset) -> None:
    insert(connection, "galtea_sessions", SessionRow._fields, _rows(dataset))


def _rows(dataset: Dataset) -> Iterator[SessionRow]:
    """About 500 pending sessions among them; five versions."""
    every = max(dataset.session_count // 500, 1)
    for number in range(dataset.session_count):
        at = dataset.created_at(number)
        is_pending = number % every == 0 or dataset.is_open(number)
        yield SessionRow(
            id=id_of(number),
            organization=dataset.organization,
            version=f"ver_{number // every % 5}",
            product="product_1",
            status="PENDING" if is_pending else "COMPLETED",
            created_at=at - at % 1000,
            written_at=at,
            status_since_at=at,
            metadata='{"channel":"web"}',
            stopping_reason=None if is_pending else "done",
        )
