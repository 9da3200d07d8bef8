"""The log of a server whose workers are processes."""

import json
import os
import signal
import socket
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from sessionary.factory.request_id_middleware import HEADER
from tests.processes import COMMAND, TIMEOUT_SECONDS, Process, clean_environment, running_process

SERVERS = {
    "gunicorn": ("serve", "--workers", "2"),
    "double": ("double",),
}
Start = Callable[..., Process]


@pytest.fixture
def log(tmp_path: Path) -> Path:
    return tmp_path / "log"


@pytest.fixture
def start(tmp_path: Path, log: Path) -> Iterator[Start]:
    db = str(tmp_path / "test.sqlite3")
    with ExitStack() as stack:

        def start(kind: str, *options: str) -> Process:
            command = [COMMAND, *SERVERS[kind], "--port", "0", "--db", db, "--auth", "lenient"]
            logging = ["sh", "-c", 'exec "$@" 2>"$0"', str(log), *command, *options]
            return stack.enter_context(running_process(logging, clean_environment()))

        yield start


def given_id(process: Process) -> str | None:
    connection = process.connect()
    connection.request("GET", "/health")
    answer = connection.getresponse()
    answer.read()
    connection.close()
    return answer.headers[HEADER]


def test_no_two_workers_give_the_same_id(start: Start, log: Path) -> None:
    process = start("gunicorn", "--log-format", "json")
    with ThreadPoolExecutor(8) as pool:
        ids = set(pool.map(lambda _: given_id(process), range(100)))
    assert len(ids) == 100
    assert process.stop() == 0
    assert {json.loads(line)["request_id"] for line in log.read_text().splitlines()} == ids


def test_a_request_that_is_not_http_is_told_of_without_what_was_in_it(
    start: Start, log: Path
) -> None:
    process = start("gunicorn")
    address = urlsplit(process.url)
    for line in (b"GET /hush?key=hush BAD", b"GET / HTTP/1.1\r\nAuthorization hush"):
        with socket.create_connection(
            (address.hostname, address.port), TIMEOUT_SECONDS
        ) as connection:
            connection.sendall(line + b"\r\n\r\n")
            assert b" 400 " in connection.makefile("rb").readline()
    assert process.stop() == 0
    told = log.read_text()
    assert told.count("Invalid request from ip=127.0.0.1") == 2
    assert "hush" not in told


def test_what_a_server_says_of_its_workers_has_the_form_of_the_rest(
    start: Start, log: Path
) -> None:
    process = start("gunicorn", "--log-format", "json")
    assert given_id(process)
    killed = process.workers()
    for worker in killed:
        os.kill(worker, signal.SIGKILL)
    while set(killed) & set(process.workers()):
        os.sched_yield()
    assert given_id(process)
    assert process.stop() == 0
    told = [json.loads(line) for line in log.read_text().splitlines()]
    assert [each for each in told if each.get("level") in ("error", "warning")]


@pytest.mark.parametrize(
    ("options", "count"), [((), 0), (("--log-requests",), 3)], ids=["unasked", "asked"]
)
def test_a_double_logs_requests_when_it_is_asked_to(
    start: Start, log: Path, options: tuple[str, ...], count: int
) -> None:
    process = start("double", *options)
    assert all(given_id(process) for _ in range(3))
    assert process.stop() == 0
    assert len(log.read_text().splitlines()) == count


def test_a_server_can_be_told_to_log_no_requests(start: Start, log: Path) -> None:
    process = start("gunicorn", "--no-log-requests")
    assert given_id(process)
    assert process.stop() == 0
    assert log.read_text() == ""
