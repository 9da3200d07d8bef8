"""Notte: start, status, list, close."""

import sqlite3
from collections.abc import Iterator

from benchmarks.namespaces import Dataset, hexadecimal, insert
from benchmarks.requests import Request
from sessionary import identity
from sessionary.surfaces.notte.models import SessionRow

NAME = "notte"
ENDING = "close"
ID = "session_id"
CREATION = Request("POST", "/notte/session/start", {"session_timeout_minutes": 5})
FIRST_PAGE = Request("GET", "/notte/sessions?page_size=100")  # of the active ones, by default
_ALL = f"{FIRST_PAGE.path}&only_active=False"
_RECENT = 1_000
_DAY = 86_400_000_000


def headers(key: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {key}"}


def creation(_: Dataset) -> Request:
    return CREATION


def reading(id: str) -> Request:
    return Request("GET", f"/notte/sessions/{id}")


def ending(id: str) -> Request:
    return Request("POST", "/notte/session/close", {"session_id": id})


def pages(dataset: Dataset) -> dict[str, Request]:
    """Return lists other than the first page."""
    middle = max(dataset.session_count // 200, 1)
    return {
        "list with ended ones": Request("GET", _ALL),
        "filtered list (only_current_token)": Request(
            "GET", f"{FIRST_PAGE.path}&only_current_token=True"
        ),
        "deep page (offset)": Request("GET", f"{_ALL}&page={middle}"),
    }


def id_of(number: int) -> str:
    return f"00000000-0000-4000-8000-{hexadecimal(number)}"


def fill(connection: sqlite3.Connection, dataset: Dataset) -> None:
    insert(connection, "notte_sessions", (*SessionRow._fields, "key_hash"), _rows(dataset))


def _rows(dataset: Dataset) -> Iterator[tuple[object, ...]]:
    """Half of the recent sessions are active; of the others one in ten timed out."""
    key_hash = identity.hash_of(dataset.keys[NAME])
    for number in range(dataset.session_count):
        at = dataset.created_at(number)
        is_recent = number >= dataset.session_count - _RECENT
        is_active = (is_recent and number % 2 == 0) or dataset.is_open(number)
        ended_at = None if is_active or number % 10 == 1 else at + 1000
        row = SessionRow(
            id=id_of(number),
            organization=dataset.organization,
            created_at=at,
            last_accessed_at=at,
            timeout_minutes=5,
            status_since_at=ended_at or at,
            expires_at=dataset.now + _DAY if is_active else at + 2000,
            ended_at=ended_at,
            ended_as=None if ended_at is None else "closed",
            close_reason=None if ended_at is None else "manual",
            url="https://example.com/",
        )
        yield *row, key_hash
