"""A minute under load and trouble; and that the soak would notice if something were not kept."""

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

from benchmarks.namespaces import Place
from benchmarks.soak.expected_state import PROMISES, Ledger
from benchmarks.soak.load_client import Astray
from benchmarks.soak.surface_adapters import KINDS
from benchmarks.soak.workload import LIVES, Client
from tests.conftest import App

ROOT = Path(__file__).parents[2]
KEYS = {name: f"{kind.surface.key_prefix}anyone" for name, kind in KINDS.items()}
PLACE = Place("a", "a", KEYS, 0, 0, 0)


def broken(ledger: Ledger) -> dict[str, int]:
    """How often each promise was broken that was."""
    return {name: each.times for name, each in ledger.verdicts().items() if each.times}


def test_a_minute_of_killed_workers_and_backups_under_load_costs_nothing(tmp_path: Path) -> None:
    options = ["--minutes", "1", "--clients", "8", "--kill-every", "5", "--backup-every", "15"]
    command = [sys.executable, "-m", "benchmarks.soak", *options, "--out", str(tmp_path)]
    ended = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)

    assert ended.returncode == 0, ended.stdout + ended.stderr
    found = json.loads((tmp_path / "results.json").read_text(encoding="utf-8"))
    assert {name: each["times"] for name, each in found["promises"].items()} == dict.fromkeys(
        PROMISES, 0
    )
    for happened in ("kills", "cut", "backups", "in_last_backup", "writes"):
        assert found[happened], happened
    assert (tmp_path / "table.md").read_text(encoding="utf-8") in ended.stdout


def test_the_documents_name_the_command() -> None:
    text = (ROOT / "docs/operations/failures.md").read_text(encoding="utf-8")
    assert "`python -m benchmarks.soak`" in text


@pytest.fixture
def make_client(
    make_file_app: Callable[..., App], serve: Callable[[App], str]
) -> Callable[[str], tuple[Client, App]]:
    """A client of a surface whose database can be tampered with."""

    def make(name: str) -> tuple[Client, App]:
        app = make_file_app()
        return Client(serve(app), name, PLACE, Ledger()), app

    return make


def run(client: Client, steps: Callable[[], Awaitable[Any]]) -> None:
    async def through() -> None:
        try:
            with suppress(Astray):
                await steps()
        finally:
            await client.caller.close()

    asyncio.run(through())


@pytest.mark.parametrize("name", KINDS)
def test_a_life_that_nothing_befalls_breaks_no_promise(
    name: str, make_client: Callable[[str], tuple[Client, App]]
) -> None:
    client, _ = make_client(name)
    run(client, lambda: LIVES[name](client))
    assert broken(client.ledger) == {}
    assert client.ledger.counts["sessions"] == len(client.ledger.answered) == 1


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
def test_a_write_that_is_lost_is_noticed_and_one_that_nobody_made(
    name: str, tampering: str, make_client: Callable[[str], tuple[Client, App]]
) -> None:
    client, app = make_client(name)

    async def steps() -> None:
        id = await client.create()
        with app.namespace.activate():
            app.namespace.database.run(tampering)
        await client.see(id)

    run(client, steps)
    assert broken(client.ledger) == {"lost": 1}


def test_a_session_and_a_device_that_are_given_twice_are_noticed() -> None:
    ledger = Ledger()
    ledger.begin(("scale", "1"), (1,))
    ledger.begin(("scale", "1"), (1,))
    assert broken(ledger) == {"twice": 1}


def told(status: str, content_type: str, body: str) -> bytes:
    head = f"HTTP/1.1 {status}\r\nContent-Type: {content_type}\r\nRetry-After: 0\r\n"
    return f"{head}Connection: close\r\nContent-Length: {len(body)}\r\n\r\n{body}".encode()


SAID = '{"detail": "said"}'
NOWHERE = told("404 Not Found", "application/json", SAID)


@pytest.mark.parametrize(
    ("answers", "found"),
    [
        ([NOWHERE], {"lost": 1}),
        ([told("500 Oh", "application/json", SAID)], {"broken": 1}),
        ([told("502 Oh", "text/html", "<p>")], {"broken": 1, "foreign": 1}),
        ([told("200 OK", "text/html", SAID)], {"foreign": 1}),
        ([told("200 OK", "application/json", SAID)], {"foreign": 1}),
        ([told("503 Oh", "application/json", SAID), NOWHERE], {"lost": 1}),
        ([told("503 Oh", "text/html", "<p>"), NOWHERE], {"foreign": 1, "lost": 1}),
        ([b"", b"HTTP/1.1 404 Not", NOWHERE], {"lost": 1}),
    ],
)
def test_an_answer_that_is_not_the_vendors_is_noticed(
    answers: list[bytes], found: dict[str, int]
) -> None:
    """What is cut or answered with 503 is asked for again."""
    ledger = Ledger()
    ledger.begin(("scale", "1"), (1,))
    with socket.create_server(("127.0.0.1", 0)) as listener, ThreadPoolExecutor(1) as pool:
        served = pool.submit(serve_one_by_one, listener, answers)
        client = Client(f"http://127.0.0.1:{listener.getsockname()[1]}", "scale", PLACE, ledger)
        run(client, lambda: client.see("1"))
        served.result()
    assert broken(ledger) == found
    assert ledger.counts["cut"] == sum(b"\r\n\r\n" not in each for each in answers)


def serve_one_by_one(listener: socket.socket, answers: list[bytes]) -> None:
    """Each answer to a client of its own."""
    for each in answers:
        client, _ = listener.accept()
        with client:
            client.recv(65536)
            client.sendall(each)
