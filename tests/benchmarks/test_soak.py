"""A one-minute soak test, and tests that it detects every kind of broken promise."""

import asyncio
import json
import socket
import subprocess
import sys
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from benchmarks.namespaces import Dataset
from benchmarks.soak.expected_state import PROMISES, ExpectedState
from benchmarks.soak.load_client import ClientLost
from benchmarks.soak.surface_adapters import ADAPTERS
from benchmarks.soak.workload import WORKLOADS, SessionClient
from tests.conftest import App

ROOT = Path(__file__).parents[2]
KEYS = {name: f"{adapter.surface.key_prefix}anyone" for name, adapter in ADAPTERS.items()}
DATASET = Dataset("a", "a", KEYS, 0, 0, 0)


def broken(state: ExpectedState) -> dict[str, int]:
    """Count per broken promise."""
    return {name: each.times for name, each in state.violations().items() if each.times}


def test_a_minute_of_load_with_killed_workers_and_backups_breaks_no_promise(tmp_path: Path) -> None:
    options = ["--minutes", "1", "--clients", "8", "--kill-every", "5", "--backup-every", "15"]
    command = [sys.executable, "-m", "benchmarks.soak", *options, "--out", str(tmp_path)]
    ended = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)

    assert ended.returncode == 0, ended.stdout + ended.stderr
    found = json.loads((tmp_path / "results.json").read_text(encoding="utf-8"))
    assert {name: each["times"] for name, each in found["promises"].items()} == dict.fromkeys(
        PROMISES, 0
    )
    for name in ("kills", "lost_connections", "backups", "in_last_backup", "writes"):
        assert found[name], name
    assert (tmp_path / "table.md").read_text(encoding="utf-8") in ended.stdout


def test_the_documents_name_the_command() -> None:
    text = (ROOT / "docs/operations/failures.md").read_text(encoding="utf-8")
    assert "`python -m benchmarks.soak`" in text


@pytest.fixture
def make_client(
    make_file_app: Callable[..., App], serve: Callable[[App], str]
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
