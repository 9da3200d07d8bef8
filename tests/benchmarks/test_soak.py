"""A one-minute soak test, and tests that it detects every kind of broken promise."""

import asyncio
import json
import socket
import sqlite3
import subprocess
import sys
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, suppress
from pathlib import Path
from typing import Any

import pytest

from benchmarks.namespaces import Dataset
from benchmarks.probe import Sample, within
from benchmarks.soak.expected_state import PROMISES, ExpectedState
from benchmarks.soak.load_client import ClientLost
from benchmarks.soak.participants import check_seeds
from benchmarks.soak.running import read_log
from benchmarks.soak.surface_adapters import ADAPTERS
from benchmarks.soak.workload import WORKLOADS, SessionClient
from tests.conftest import App, MakeApp

ROOT = Path(__file__).parents[2]
KEYS = {name: f"{adapter.surface.key_prefix}anyone" for name, adapter in ADAPTERS.items()}
DATASET = Dataset("a", "a", KEYS, 0, 0, 0)


def broken(state: ExpectedState) -> dict[str, int]:
    """Count per broken promise."""
    return {name: each.times for name, each in state.violations().items() if each.times}


DISTURBED = (
    "--minutes 1 --clients 8 --kill-every 5 --backup-every 15 --lock-every 20 --seed-every 14"
    " --health-ms 1000"  # four times the limit of a machine without other work
)


def test_a_minute_of_load_with_every_disturbance_breaks_no_promise(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "benchmarks.soak", *DISTURBED.split(), "--out", str(tmp_path)]
    ended = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)

    assert ended.returncode == 0, ended.stdout + ended.stderr
    found = json.loads((tmp_path / "results.json").read_text(encoding="utf-8"))
    assert {name: each["times"] for name, each in found["promises"].items()} == dict.fromkeys(
        PROMISES, 0
    )
    done = ("kills", "lost_connections", "backups", "in_last_backup", "writes", "foreign_locks")
    for name in (*done, "seeds", "standing"):
        assert found[name], name
    assert (tmp_path / "table.md").read_text(encoding="utf-8") in ended.stdout


def test_a_long_health_check_counts_as_often_as_clients_would_have_come() -> None:
    seconds, every = 0.25, 0.05
    quick, slow = Sample(0, 0.01, 0, 200), Sample(1, 1.0, 0, 200)
    assert within([quick] * 9, seconds, every) == (9, 9)
    assert within([quick, slow], seconds, every) == (1 + 6, 1 + 21)
    assert within([quick._replace(status=503)], seconds, every) == (0, 1)
    assert within([slow._replace(late=0.75)], seconds, every) == (21, 21)


def test_a_worker_that_is_killed_by_its_timeout_is_detected(tmp_path: Path) -> None:
    log, state = tmp_path / "log", ExpectedState()
    log.write_text(
        "[1] GET 200\n[1] CRITICAL WORKER TIMEOUT (pid:7)\n[1] ERROR Worker was sent SIGKILL!\n"
        "[1] ERROR database unavailable: another program holds a.lock\n[1] ERROR no\n"
    )
    read_log(log, state)
    assert broken(state) == {"timeout": 1, "log": 1}


@pytest.mark.parametrize(
    ("applied", "found", "more", "times"),
    [
        ({1, 2}, {1: 3, 2: 3}, False, 0),
        ({1}, {1: 2}, False, 1),
        ({1}, {}, False, 1),
        ({1}, {1: 3, 2: 3}, False, 1),
        ({1}, {1: 3, 2: 3}, True, 0),
        ({1}, {1: 3, 2: 1}, True, 1),
    ],
)
def test_a_seed_that_is_applied_in_part_is_detected(
    tmp_path: Path, applied: set[int], found: dict[int, int], more: bool, times: int
) -> None:
    db, state = tmp_path / "soak.sqlite3", ExpectedState()
    ids = [
        f"5eed{number:04x}-0000-4000-8000-{row:012x}"
        for number, rows in found.items()
        for row in range(rows)
    ]
    ids.append("5eed0007-5bd1-4c53-9a3e-0c1f5f3c8f11")  # a random id, not of a seed
    with closing(sqlite3.connect(db)) as connection, connection:
        connection.execute("CREATE TABLE notte_sessions (id TEXT)")
        connection.executemany("INSERT INTO notte_sessions VALUES (?)", [(id,) for id in ids])
    check_seeds(db, applied, 3, state, more=more)
    assert broken(state) == ({"seed": times} if times else {})


def test_the_documents_name_the_command() -> None:
    text = (ROOT / "docs/operations/failures.md").read_text(encoding="utf-8")
    assert "`python -m benchmarks.soak`" in text


@pytest.fixture
def make_client(
    make_file_app: MakeApp, serve: Callable[[App], str]
) -> Callable[[str], tuple[SessionClient, App]]:
    """Make a client of a surface, and its App, so that a test can change the database."""

    def make(name: str) -> tuple[SessionClient, App]:
        app = make_file_app()
        return SessionClient(serve(app), name, DATASET, ExpectedState()), app

    return make


def run(client: SessionClient, steps: Callable[[], Awaitable[Any]]) -> None:
    async def run_steps() -> None:
        try:
            with suppress(ClientLost):
                await steps()
        finally:
            await client.http.close()

    asyncio.run(run_steps())


@pytest.mark.parametrize("name", ADAPTERS)
def test_an_undisturbed_workload_breaks_no_promise(
    name: str, make_client: Callable[[str], tuple[SessionClient, App]]
) -> None:
    client, _ = make_client(name)
    run(client, lambda: WORKLOADS[name](client))
    assert broken(client.state) == {}
    assert client.state.counts["sessions"] == len(client.state.answered) == 1


@pytest.mark.parametrize(
    ("name", "tampering"),
    [
        ("scale", "DELETE FROM scale_sessions"),
        ("scale", """UPDATE scale_sessions SET state = '{"step":2}'"""),
        ("scale", "UPDATE scale_sessions SET archived_at = 1"),
        ("notte", "UPDATE notte_sessions SET last_accessed_at = last_accessed_at - 1"),
        ("galtea", "UPDATE galtea_sessions SET deleted_at = 1"),
        ("galtea", "UPDATE galtea_sessions SET status = 'COMPLETED'"),
    ],
)
def test_a_lost_write_and_an_unconfirmed_one_are_detected(
    name: str, tampering: str, make_client: Callable[[str], tuple[SessionClient, App]]
) -> None:
    client, app = make_client(name)

    async def steps() -> None:
        id = await client.create()
        with app.namespace.activate():
            app.namespace.database.run(tampering)
        await client.read(id)

    run(client, steps)
    assert broken(client.state) == {"lost": 1}


def test_an_id_given_to_two_sessions_is_detected() -> None:
    state = ExpectedState()
    state.begin(("scale", "1"), (1,))
    state.begin(("scale", "1"), (1,))
    assert broken(state) == {"duplicate": 1}


def response(status: str, content_type: str, body: str) -> bytes:
    head = f"HTTP/1.1 {status}\r\nContent-Type: {content_type}\r\nRetry-After: 0\r\n"
    return f"{head}Connection: close\r\nContent-Length: {len(body)}\r\n\r\n{body}".encode()


BODY = '{"detail": "text"}'
NOT_FOUND = response("404 Not Found", "application/json", BODY)


@pytest.mark.parametrize(
    ("answers", "found"),
    [
        ([NOT_FOUND], {"lost": 1}),
        ([response("500 Oh", "application/json", BODY)], {"error": 1}),
        ([response("502 Oh", "text/html", "<p>")], {"error": 1, "malformed": 1}),
        ([response("200 OK", "text/html", BODY)], {"malformed": 1}),
        ([response("200 OK", "application/json", BODY)], {"malformed": 1}),
        ([response("503 Oh", "application/json", BODY), NOT_FOUND], {"lost": 1}),
        ([response("503 Oh", "text/html", "<p>"), NOT_FOUND], {"malformed": 1, "lost": 1}),
        ([b"", b"HTTP/1.1 404 Not", NOT_FOUND], {"lost": 1}),
    ],
)
def test_an_invalid_response_is_detected(answers: list[bytes], found: dict[str, int]) -> None:
    """A lost or 503 response is requested again."""
    state = ExpectedState()
    state.begin(("scale", "1"), (1,))
    with socket.create_server(("127.0.0.1", 0)) as listener, ThreadPoolExecutor(1) as pool:
        served = pool.submit(serve_one_by_one, listener, answers)
        client = SessionClient(
            f"http://127.0.0.1:{listener.getsockname()[1]}", "scale", DATASET, state
        )
        run(client, lambda: client.read("1"))
        served.result()
    assert broken(state) == found
    assert state.counts["lost_connections"] == sum(b"\r\n\r\n" not in each for each in answers)


def serve_one_by_one(listener: socket.socket, answers: list[bytes]) -> None:
    """Send each response on a connection of its own."""
    for each in answers:
        client, _ = listener.accept()
        with client:
            client.recv(65536)
            client.sendall(each)
