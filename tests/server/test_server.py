import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from http.client import HTTPConnection, HTTPException
from pathlib import Path

import pytest

from sessionary import __version__
from sessionary.http_server.shutdown import SHUTDOWN_SECONDS
from sessionary.surfaces import SURFACES
from tests.processes import (
    COMMAND,
    TIMEOUT_SECONDS,
    Process,
    clean_environment,
    run_command,
    running_double,
    running_process,
    running_server,
)
from tests.raw_http import connect

SLOW_AT_FORKS = """
import os, time
os.register_at_fork(after_in_child=lambda: time.sleep(0.5))
from sessionary.cli import main
main()
"""
WHO = {"Authorization": "Bearer anyone"}


def start(server: Process, **body: object) -> str:
    """Start a Notte session; return its id."""
    status, session = server.request("POST", "/session/start", body, **WHO)
    assert status == 200
    return str(session["session_id"])


def begin_request(server: Process, headers: dict[str, str]) -> HTTPConnection:
    """Send the head of a request; the server then waits for the body."""
    connection = server.connect()
    connection.putrequest("POST", "/session/start")
    json_body = {"Content-Type": "application/json", "Expect": "100-continue"}
    for name, text in {**WHO, **json_body, **headers}.items():
        connection.putheader(name, text)
    connection.endheaders()
    assert connection.sock.recv(1024).startswith(b"HTTP/1.1 100")
    return connection


def finish_request(connection: HTTPConnection) -> int:
    """Send the body of 30 bytes; return the timeout in the response."""
    connection.send(b'{"session_timeout_minutes": 7}')
    answer = connection.getresponse()
    body = json.loads(answer.read())
    connection.close()
    assert answer.status == 200, body
    return int(body["timeout_minutes"])


def status_of(server: Process, session_id: str) -> str:
    _, session = server.request("GET", f"/notte/sessions/{session_id}", **WHO)
    return str(session["status"])


def test_the_ready_file_holds_the_url_and_is_removed_at_the_end(db: str, tmp_path: Path) -> None:
    ready = tmp_path / "run" / "ready.json"
    ready.parent.mkdir()
    with running_server("--db", db, "--auth", "lenient", "--ready-file", str(ready)) as server:
        assert json.loads(ready.read_text()) == {
            "url": server.url,
            "pid": server.popen.pid,
            "version": __version__,
        }
        assert list(ready.parent.iterdir()) == [ready]
        assert server.request("GET", "/health")[0] == 200
        assert server.stop() == 0
    assert not ready.exists()


def test_the_first_start_prints_a_key_for_each_surface_and_curl_lines_that_work(
    db: str,
) -> None:
    with running_server("--db", db) as server:
        assert server.popen.stdout is not None
        count = len(SURFACES)
        said = [server.popen.stdout.readline() for _ in range(2 * count + 2)]
        keys = dict(line.split() for line in said[1 : count + 1])
        assert set(keys) == {surface.name for surface in SURFACES}
        for line in said[count + 2 :]:
            shell = ["sh", "-c", f"{line.strip()} -s -w ' %{{http_code}}'"]
            pasted = subprocess.run(shell, capture_output=True, check=True)
            assert pasted.stdout.endswith((b" 200", b" 201")), line
        assert server.stop() == 0
        assert server.output_lines() == []
    with running_server("--db", db) as server:
        assert server.stop() == 0
        assert server.output_lines() == []


@pytest.mark.parametrize("sent", [signal.SIGTERM, signal.SIGINT])
@pytest.mark.parametrize("send", [os.kill, os.killpg])
def test_a_request_in_flight_is_finished_and_the_exit_code_is_0(
    db: str, send: Callable[[int, int], None], sent: signal.Signals
) -> None:
    with running_server("--db", db, "--auth", "lenient") as server:
        connection = begin_request(server, {"Content-Length": "30"})
        send(server.popen.pid, sent)
        assert finish_request(connection) == 7
        assert server.popen.wait(TIMEOUT_SECONDS) == 0


@pytest.mark.parametrize("kind", ["serve", "double"])
def test_a_stop_takes_less_than_a_third_of_a_second_with_an_idle_client(db: str, kind: str) -> None:
    """The best of three, since the machine has other work."""

    def stop_seconds() -> float:
        given = ("--db", db, "--auth", "lenient")
        running = running_server(*given) if kind == "serve" else running_double()
        with running as server, connect(server.url) as idle:
            idle.send(b"GET /livez HTTP/1.1\r\nHost: here\r\n\r\n")
            assert idle.expect_response().headers["connection"] == "keep-alive"
            began = time.monotonic()
            assert server.stop() == 0
            return time.monotonic() - began

    assert min(stop_seconds() for _ in range(3)) < 0.3


def test_sighup_of_a_closed_terminal_stops_neither_server_nor_requests(db: str) -> None:
    with running_server("--db", db, "--auth", "lenient") as server:
        connection = begin_request(server, {"Content-Length": "30"})
        os.killpg(server.popen.pid, signal.SIGHUP)
        assert finish_request(connection) == 7
        assert server.request("GET", "/health")[0] == 200
        assert server.stop() == 0


@pytest.mark.parametrize("sent", [signal.SIGTERM, signal.SIGINT, signal.SIGQUIT])
@pytest.mark.parametrize("send", [os.kill, os.killpg])
def test_a_server_stopped_while_its_workers_start_exits_at_once(
    db: str, send: Callable[[int, int], None], sent: signal.Signals
) -> None:
    """If a worker missed the signal, gunicorn would wait for it for 30 s."""
    command = [sys.executable, "-c", SLOW_AT_FORKS, "serve", "--port", "0", "--workers", "2"]
    with running_process(
        [*command, "--db", db, "--auth", "lenient"], clean_environment()
    ) as server:
        send(server.popen.pid, sent)
        assert server.popen.wait(20) == 0
        assert server.output_lines() == []


@pytest.mark.parametrize("sent", [signal.SIGTERM, signal.SIGINT, signal.SIGQUIT])
def test_repeated_signals_do_not_interrupt_the_exit_of_a_worker(
    db: str, sent: signal.Signals
) -> None:
    """An interrupted exit would leave a WAL file, which a complete one merges and removes."""
    with running_server("--db", db, "--auth", "lenient") as server:
        start(server)
        workers = server.workers()
        os.kill(server.popen.pid, sent)
        while server.popen.poll() is None:
            for worker in workers:
                with suppress(ProcessLookupError):
                    os.kill(worker, sent)
        assert server.popen.returncode == 0
    assert not Path(f"{db}-wal").exists()


@pytest.mark.parametrize("kind", ["serve", "double"])
@pytest.mark.parametrize("sent", [signal.SIGTERM, signal.SIGQUIT])
def test_a_client_that_never_finishes_does_not_keep_the_server_from_stopping(
    db: str, sent: signal.Signals, kind: str
) -> None:
    """It has less time than a request in flight, since nothing is done for it yet."""
    given = ("--db", db, "--auth", "lenient")
    with running_server(*given) if kind == "serve" else running_double(*given) as server:
        start(server)
        unfinished = [
            begin_request(server, {"Transfer-Encoding": "chunked"}),
            begin_request(server, {"Content-Length": "30"}),
        ]
        began = time.monotonic()
        os.killpg(server.popen.pid, sent)
        assert server.popen.wait(TIMEOUT_SECONDS) == 0
        assert time.monotonic() - began < SHUTDOWN_SECONDS
        for each in unfinished:
            each.close()
    assert not Path(f"{db}-wal").exists(), "it was killed"


def test_a_port_in_use_is_refused_in_one_sentence(db: str) -> None:
    with running_server("--db", db, "--auth", "lenient") as server:
        port = server.url.rpartition(":")[2]
        second = run_command(COMMAND, "serve", "--db", db, "--port", port)
        assert second.returncode == 1
        assert (
            second.stderr == f"Error: cannot listen on 127.0.0.1:{port}: Address already in use\n"
        )
        assert server.request("GET", "/health")[0] == 200


def test_gunicorn_with_our_worker_refuses_a_certificate_that_would_not_be_used(db: str) -> None:
    gunicorn = Path(sys.executable).with_name("gunicorn")
    options = ("--bind", "127.0.0.1:0", "--certfile", __file__, "wsgi:app")
    ended = run_command(gunicorn, *options, cwd=Path(__file__).parents[2], SESSIONARY_DB=db)
    assert ended.returncode == 1
    assert "set SESSIONARY_TLS_CERTIFICATE and SESSIONARY_TLS_KEY" in ended.stderr
    assert "Traceback" not in ended.stderr


def test_the_clock_of_a_running_server_can_be_moved_from_the_command_line(db: str) -> None:
    with running_server("--db", db, "--auth", "lenient", "--workers", "2") as server:
        session_id = start(server)
        assert status_of(server, session_id) == "active"
        subprocess.run([COMMAND, "clock", "advance", "6m", "--db", db], check=True)
        assert [status_of(server, session_id) for _ in range(8)] == ["timed_out"] * 8


def test_a_revoked_key_is_refused_at_once_by_every_worker(db: str) -> None:
    with running_server("--db", db, "--workers", "2") as server:
        made = run_command(COMMAND, "keys", "create", "--db", db, "--json")
        key = json.loads(made.stdout)
        who = {"Authorization": f"Bearer {key['secret']}"}
        assert server.request("POST", "/session/start", {}, **who)[0] == 200
        subprocess.run([COMMAND, "keys", "revoke", key["id"], "--db", db], check=True)
        statuses = [server.request("POST", "/session/start", {}, **who)[0] for _ in range(8)]
        assert statuses == [401] * 8


def test_many_clients_of_two_workers_lose_nothing_and_see_no_lock_error(db: str) -> None:
    with running_server("--db", db, "--auth", "lenient", "--workers", "2") as server:
        with ThreadPoolExecutor(8) as pool:
            made = list(pool.map(lambda _: start(server), range(200)))
        assert len(set(made)) == 200
        _, page = server.request("GET", "/notte/sessions?page_size=100&page=2", **WHO)
        assert len(page["items"]) == 100
        assert not page["has_next"]


@pytest.mark.parametrize(
    "kills", [3, pytest.param(60, marks=pytest.mark.long)], ids=["short", "long"]
)
def test_a_confirmed_create_survives_the_kill_of_every_worker(db: str, kills: int) -> None:
    with running_server("--db", db, "--auth", "lenient", "--workers", "2") as server:
        answered = _create_while_workers_die(server, kills)
        assert len(answered) >= kills
        assert len(set(answered)) == len(answered)
        assert {status_of(server, session_id) for session_id in answered} == {"active"}


def _create_while_workers_die(server: Process, kills: int) -> list[str]:
    answered: list[str] = []
    progress = threading.Condition()
    over = threading.Event()

    def create() -> None:
        while not over.is_set():
            try:
                made = start(server)
            except (OSError, HTTPException):
                continue
            with progress:
                answered.append(made)
                progress.notify_all()

    threads = [threading.Thread(target=create) for _ in range(4)]
    for thread in threads:
        thread.start()
    for _ in range(kills):
        with progress:
            seen = len(answered)
            _wait(progress, lambda seen=seen: len(answered) >= seen + 20)
        for worker in server.workers():
            os.kill(worker, signal.SIGKILL)
    over.set()
    for thread in threads:
        thread.join()
    return answered


def _wait(progress: threading.Condition, reached: Callable[[], bool]) -> None:
    assert progress.wait_for(reached, TIMEOUT_SECONDS)
