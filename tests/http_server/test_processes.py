"""Two worker processes and many clients: no write is lost or made twice."""

from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from threading import Event
from typing import Any

import pytest

from tests.processes import Process, running_server

MOB = {"Authorization": "Bearer mob_anyone"}
GSK = {"Authorization": "Bearer gsk_anyone"}
SGP = {"x-api-key": "anyone"}
NOTTE = {"Authorization": "Bearer anyone"}
ANDROID = {"filters": [{"attribute": "platform", "operator": "EQUALS", "value": "android"}]}
IOS = {"filters": [{"attribute": "platform", "operator": "EQUALS", "value": "ios"}]}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Process]:
    db = tmp_path_factory.mktemp("workers") / "test.sqlite3"
    with running_server("--db", str(db), "--auth", "lenient", "--workers", "2") as process:
        yield process


def at_once(count: int, call: Callable[[int], Any], threads: int = 8) -> list[Any]:
    with ThreadPoolExecutor(threads) as pool:
        return list(pool.map(call, range(count)))


def allocate(server: Process, filters: dict[str, Any]) -> tuple[str, int, Any]:
    _, session = server.request("POST", "/api/v1/sessions", **MOB)
    status, body = server.request(
        "POST", f"/api/v1/sessions/{session['id']}/devices", filters, **MOB
    )
    return session["id"], status, body


def release(server: Process, session_id: str, serial: str) -> int:
    path = f"/api/v1/sessions/{session_id}/devices/{serial}/release"
    return server.request("POST", path, **MOB)[0]


def test_racing_allocations_never_share_a_device(server: Process) -> None:
    outcomes = at_once(32, lambda _: allocate(server, ANDROID))
    won = [(session, body["device"]["id"]) for session, status, body in outcomes if status == 201]
    assert Counter(status for _, status, _ in outcomes) == {201: 8, 409: 24}
    assert len({serial for _, serial in won}) == 8
    assert [release(server, session, serial) for session, serial in won] == [202] * 8


def test_a_device_is_allocated_to_one_session_at_a_time(server: Process) -> None:
    def borrow(_: int) -> str | None:
        session, status, body = allocate(server, IOS)
        if status != 201:
            assert status == 409
            return None
        serial = str(body["device"]["id"])
        assert release(server, session, serial) == 202
        return serial

    borrowed = [serial for serial in at_once(80, borrow) if serial]
    assert borrowed
    assert len(set(borrowed)) <= 4


def walk(server: Process, limit: int) -> list[str]:
    """Return every createdAt of all pages, newest first."""
    shown: list[str] = []
    path = f"/api/v1/sessions?limit={limit}"
    while True:
        _, page = server.request("GET", path, **MOB)
        shown += [each["createdAt"] for each in page["data"]]
        if "nextCursor" not in page:
            return shown
        path = f"/api/v1/sessions?limit={limit}&before={page['nextCursor']}"


def test_cursor_pages_during_inserts_miss_and_repeat_nothing(server: Process) -> None:
    def borrow(_: int) -> None:
        session, status, body = allocate(server, ANDROID)
        if status == 201:
            release(server, session, body["device"]["id"])

    at_once(20, borrow)
    before = walk(server, 500)
    over = Event()

    def keep_borrowing(_: int) -> None:
        while not over.is_set():
            borrow(0)

    with ThreadPoolExecutor(4) as pool:
        running = [pool.submit(keep_borrowing, number) for number in range(4)]
        walks = [walk(server, 3) for _ in range(5)]
        over.set()
        for each in running:
            each.result()
    for shown in walks:
        assert shown == sorted(set(shown), reverse=True)
        assert shown[-len(before) :] == before


def test_of_concurrent_creates_of_one_custom_id_exactly_one_wins(server: Process) -> None:
    def create(number: int) -> int:
        body = {"versionId": "version-1", "customId": f"mine-{number // 8}"}
        return server.request("POST", "/sessions", body, **GSK)[0]

    assert Counter(at_once(80, create)) == {201: 10, 400: 70}


def test_updates_of_different_fields_both_survive(server: Process) -> None:
    body = {"title": "t", "state": {}, "account_id": "a"}
    _, made = server.request("POST", "/v4/sessions", body, **SGP)
    path = f"/v4/sessions/{made['id']}"

    def update(number: int) -> int:
        field = {"title": f"title {number}"} if number % 2 else {"state": {"number": number}}
        return server.request("PATCH", path, field, **SGP)[0]

    for round_ in range(10):
        assert at_once(2, lambda number: update(2 * round_ + number), threads=2) == [200, 200]  # noqa: B023
        _, now = server.request("GET", path, **SGP)
        assert (now["title"], now["state"]) == (
            f"title {2 * round_ + 1}",
            {"number": 2 * round_},
        )


def test_the_total_is_exact_after_concurrent_creates_and_archives(server: Process) -> None:
    def create_and_maybe_archive(number: int) -> None:
        body = {"title": "t", "state": {}, "account_id": "counted"}
        _, made = server.request("POST", "/v4/sessions", body, **SGP)
        if number % 3 == 0:
            server.request("DELETE", f"/v4/sessions/{made['id']}", **SGP)

    at_once(60, create_and_maybe_archive)
    _, live = server.request("GET", "/v4/sessions?account_id=counted&limit=1", **SGP)
    _, every = server.request("GET", "/v4/sessions?account_id=counted&include_archived=true", **SGP)
    assert (live["total_item_count"], every["total_item_count"]) == (40, 60)
    assert len(every["items"]) == 60


def test_of_concurrent_stops_exactly_one_wins(server: Process) -> None:
    for _ in range(10):
        _, started = server.request("POST", "/sessions/start", {}, **NOTTE)
        path = f"/sessions/{started['session_id']}/stop"
        stopped = at_once(4, lambda _: server.request("DELETE", path, **NOTTE)[0], threads=4)  # noqa: B023
        assert sorted(stopped) == [200, 400, 400, 400]
