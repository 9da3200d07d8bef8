"""Scale: create, get, list with its total, archive."""

import sqlite3
from collections.abc import Iterator

from benchmarks.namespaces import Dataset, hexadecimal, insert
from benchmarks.requests import Request
from sessionary.surfaces.scale.models import SessionRow

NAME = "scale"
ENDING = "archive"
ID = "id"
FIRST_PAGE = Request("GET", "/scale/v4/sessions?limit=100")


def headers(key: str) -> dict[str, str]:
    return {"x-api-key": key}


def creation(dataset: Dataset) -> Request:
    state = {"step": 3, "notes": ["first", "second"], "owner": {"name": "Ana"}}
    body = {"title": "A session", "state": state, "account_id": dataset.organization}
    return Request("POST", "/scale/v4/sessions", body)


def reading(id: str) -> Request:
    return Request("GET", f"/scale/v4/sessions/{id}")


def ending(id: str) -> Request:
    return Request("DELETE", f"/scale/v4/sessions/{id}")


def pages(dataset: Dataset) -> dict[str, Request]:
    """Return lists other than the first page."""
    middle = max(dataset.session_count // 200, 1)
    return {
        "filtered list (account_id)": Request(
            "GET", f"{FIRST_PAGE.path}&account_id={dataset.organization}"
        ),
        "list with archived": Request("GET", f"{FIRST_PAGE.path}&include_archived=true"),
        "deep page (offset)": Request("GET", f"{FIRST_PAGE.path}&page={middle}"),
    }


def id_of(number: int) -> str:
    return f"00000000-0000-4000-8000-{hexadecimal(number)}"


def fill(connection: sqlite3.Connection, dataset: Dataset) -> None:
    insert(connection, "scale_sessions", SessionRow._fields, _rows(dataset))
    archived = sum(_is_archived(dataset, number) for number in range(dataset.session_count))
    count = (dataset.organization, dataset.session_count - archived, archived)
    insert(connection, "scale_counts", ("account_id", "live", "archived"), [count])


def _is_archived(dataset: Dataset, number: int) -> bool:
    return number % 10 == 0 and not dataset.is_open(number)


def _rows(dataset: Dataset) -> Iterator[SessionRow]:
    """One in ten is archived."""
    for number in range(dataset.session_count):
        at = dataset.created_at(number)
        yield SessionRow(
            id=id_of(number),
            account_id=dataset.organization,
            title="A session",
            state='{"step":3,"notes":["first","second"],"owner":{"name":"Ana"}}',
            created_at=at,
            updated_at=at,
            created_by_user_id=dataset.user,
            created_by_identity_type="user",
            start_date=at,
            end_date=None,
            archived_at=at if _is_archived(dataset, number) else None,
            status_since_at=at,
        )
