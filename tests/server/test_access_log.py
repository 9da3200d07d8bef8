"""The access log of `serve` and `double`."""

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
    "serve": ("serve", "--workers", "2"),
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


def request_id(process: Process) -> str | None:
    connection = process.connect()
    connection.request("GET", "/health")
    answer = connection.getresponse()
    answer.read()
    connection.close()
    return answer.headers[HEADER]


def test_request_ids_are_unique_across_workers(start: Start, log: Path) -> None:
    process = start("serve", "--log-format", "json")
    with ThreadPoolExecutor(8) as pool:
        ids = set(pool.map(lambda _: request_id(process), range(100)))
    assert len(ids) == 100
    assert process.stop() == 0
    assert {json.loads(line)["request_id"] for line in log.read_text().splitlines()} == ids


def test_a_malformed_request_is_logged_without_its_content(start: Start, log: Path) -> None:
    process = start("serve")
    address = urlsplit(process.url)
    for line in (b"GET /hush?key=hush BAD", b"GET / HTTP/1.1\r\nAuthorization hush"):
        with socket.create_connection(
            (address.hostname, address.port), TIMEOUT_SECONDS
        ) as connection:
            connection.sendall(line + b"\r\n\r\n")
            assert b" 400 " in connection.makefile("rb").readline()
    assert process.stop() == 0
    log_text = log.read_text()
    assert log_text.count("Invalid request from ip=127.0.0.1") == 2
    assert "hush" not in log_text


def test_lines_about_workers_have_the_same_format(start: Start, log: Path) -> None:
    process = start("serve", "--log-format", "json")
    assert request_id(process)
    killed = process.workers()
    for worker in killed:
        os.kill(worker, signal.SIGKILL)
    while set(killed) & set(process.workers()):
        os.sched_yield()
    assert request_id(process)
    assert process.stop() == 0
    log_text = [json.loads(line) for line in log.read_text().splitlines()]
    assert [each for each in log_text if each.get("level") in ("error", "warning")]


@pytest.mark.parametrize(
    ("options", "count"), [((), 0), (("--log-requests",), 3)], ids=["default", "option"]
)
def test_a_double_logs_requests_only_with_the_option(
    start: Start, log: Path, options: tuple[str, ...], count: int
) -> None:
    process = start("double", *options)
    assert all(request_id(process) for _ in range(3))
    assert process.stop() == 0
    assert len(log.read_text().splitlines()) == count


def test_the_access_log_of_a_server_can_be_disabled(start: Start, log: Path) -> None:
    process = start("serve", "--no-log-requests")
    assert request_id(process)
    assert process.stop() == 0
    assert log.read_text() == ""
