"""Another process holds the write lock: writes get 503 in time, and nothing else waits."""

import fcntl
import json
import re
import select
import signal
import sqlite3
import subprocess
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path

import pytest

from sessionary.surfaces import SURFACES
from tests.processes import (
    COMMAND,
    TIMEOUT_SECONDS,
    Process,
    clean_environment,
    run_command,
    running_server,
)
from tests.raw_http import RawConnection, connect
from tests.store.test_outages import WRITES

WHO = {"Authorization": "Bearer anyone"}
START = (
    b"POST /session/start HTTP/1.1\r\nHost: here\r\nAuthorization: Bearer anyone\r\n"
    b"Content-Type: application/json\r\nContent-Length: 2\r\n\r\n{}"
)
BUSY_SECONDS = 2
WRITERS = 8
Hold = Callable[[str], None]


@contextmanager
def held_by_flock(db: str) -> Iterator[None]:
    with Path(f"{db}.lock").open() as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def is_locked(db: str) -> bool:
    with Path(f"{db}.lock").open() as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
    return False


def write_seed(db: str, count: int) -> str:
    """Write a seed file with so many sessions; return its path."""
    session = '[[notte.sessions]]\norganization = "o"\ncreated_ago = "1h"\n'
    ids = (f'id = "00000000-0000-4000-8000-{number:012}"\n' for number in range(count))
    file = Path(f"{db}.toml")
    file.write_text('[[organizations]]\nid = "o"\nname = "o"\n' + session.join(["", *ids]))
    return str(file)


@contextmanager
def held_by_a_stopped_seed(db: str) -> Iterator[None]:
    """Stop `sessionary seed` in the middle of its transaction."""
    command = [COMMAND, "seed", write_seed(db, 2_000), "--db", db]
    with subprocess.Popen(command, env=clean_environment(), stdout=subprocess.PIPE) as seed:
        try:
            for _ in range(TIMEOUT_SECONDS * 1000):
                if is_locked(db):
                    seed.send_signal(signal.SIGSTOP)
                    if is_locked(db):
                        break
                    seed.send_signal(signal.SIGCONT)
                time.sleep(0.001)
            assert seed.poll() is None
            yield
        finally:
            seed.kill()


@contextmanager
def serving(db: str, *options: str, **variables: str) -> Iterator[tuple[Process, str]]:
    """Run a server with a session; gives it and the session's path."""
    busy = ("--busy-timeout-seconds", str(BUSY_SECONDS))
    always = ("--db", db, "--auth", "lenient", *busy)
    with running_server(*always, *options, **variables) as server:
        _, started = server.request("POST", "/session/start", {}, **WHO)
        yield server, f"/notte/sessions/{started['session_id']}"


def is_readable(client: RawConnection) -> bool:
    return bool(select.select([client.socket], [], [], 0)[0])


@pytest.mark.parametrize("hold", [held_by_flock, held_by_a_stopped_seed])
def test_writes_get_503_in_time_while_reads_and_health_go_on(db: str, hold: Hold) -> None:
    with serving(db) as (server, path), ExitStack() as stack:
        workers = server.workers()
        stack.enter_context(hold(db))  # type: ignore[func-returns-value, arg-type]
        began = time.clock_gettime(time.CLOCK_MONOTONIC)
        clients = [stack.enter_context(connect(server.url)) for _ in range(WRITERS)]
        for client in clients:
            client.send(START)
        assert server.request("GET", path, **WHO)[0] == 200
        assert server.request("GET", "/livez")[0] == 200
        assert server.request("GET", "/readyz")[0] in (200, 503)
        assert server.request("GET", path, **WHO)[0] == 200
        assert not any(is_readable(each) for each in clients)
        assert [each.expect_response().status for each in clients] == [503] * WRITERS
        # One after the other they would take 16 s.
        assert time.clock_gettime(time.CLOCK_MONOTONIC) - began < 3 * BUSY_SECONDS
        assert server.workers() == workers
        stack.close()
        assert server.request("POST", "/session/start", {}, **WHO)[0] == 200


def test_beside_a_control_plane_only_what_meets_a_fault_waits_for_the_lock(db: str) -> None:
    fault = {"surface": "notte", "route": "/sessions", "kind": "latency", "delay": "1us"}
    token = {"Authorization": "Bearer secret"}
    with serving(db, "--control", SESSIONARY_CONTROL_TOKEN="secret") as (server, path):
        assert server.request("POST", "/_control/v1/faults", fault, **token)[0] == 201
        with held_by_flock(db), connect(server.url) as writer, connect(server.url) as delayed:
            writer.send(START)
            delayed.send(START.replace(b"POST /session/start", b"GET /notte/sessions"))
            assert server.request("GET", path, **WHO)[0] == 200
            assert not is_readable(writer)
            assert [each.expect_response().status for each in (writer, delayed)] == [503, 503]


def test_beside_a_journal_a_read_waits_for_no_lock_and_is_recorded_in_order(db: str) -> None:
    token = {"Authorization": "Bearer secret"}
    options = ("--control", "--journal")
    with serving(db, *options, SESSIONARY_CONTROL_TOKEN="secret") as (server, path):
        with held_by_flock(db), connect(server.url) as writer:
            writer.send(START)
            for _ in range(20):
                assert server.request("GET", path, **WHO)[0] == 200
            assert not is_readable(writer)
            connection = server.connect()
            connection.request("GET", "/_control/v1/journal", headers=token)
        with connection.getresponse() as response:  # it waited for the lock, as the writer
            calls = json.loads(response.read())["calls"]
        connection.close()
        assert [each["status"] for each in calls[:21]] == [200] * 21
        assert server.request("GET", "/notte/sessions/none", **WHO)[0] == 404
        assert server.request("GET", path, **WHO)[0] == 200
        assert server.request("POST", "/session/start", {}, **WHO)[0] == 200
        _, page = server.request("GET", "/_control/v1/journal?after=21", **token)
        found = [(each["method"], each["status"]) for each in page["calls"]]
        assert found[-3:] == [("GET", 404), ("GET", 200), ("POST", 200)]
        assert server.request("GET", path, **WHO)[0] == 200
        assert server.stop() == 0
    with closing(sqlite3.connect(db)) as stopped:
        last = "SELECT method, status FROM control_call ORDER BY id DESC"
        assert stopped.execute(last).fetchone() == ("GET", 200)


def test_a_refused_write_is_answered_in_the_words_of_the_vendor(db: str) -> None:
    with serving(db) as (server, _), held_by_flock(db):
        for surface in SURFACES:
            path, body, who = WRITES[surface.name]
            status, said = server.request("POST", path, body, **who)
            assert status == 503
            assert surface.error_schemas[503].validate(said) == {}


def peak_megabytes(pid: int) -> float:
    found = re.search(r"VmHWM:\s+(\d+)", Path(f"/proc/{pid}/status").read_text())
    assert found is not None
    return int(found[1]) / 1024


def test_bodies_that_wait_for_the_lock_share_a_memory_limit(db: str) -> None:
    body = b"{}" + b" " * 3_999_998
    request = START.replace(b"Content-Length: 2", b"Content-Length: %d" % len(body))[:-2] + body
    with serving(db) as (server, _), ExitStack() as stack:
        (worker,) = server.workers()
        before = peak_megabytes(worker)
        lock = stack.enter_context(ExitStack())
        lock.enter_context(held_by_flock(db))
        clients = [stack.enter_context(connect(server.url)) for _ in range(40)]
        with ThreadPoolExecutor(4) as pool:
            sending = [pool.submit(each.send, request) for each in clients]
            assert server.request("GET", "/livez")[0] == 200
            assert clients[0].expect_response().status in (200, 503)
            lock.close()
            for each in sending:
                each.result()
        assert all(each.expect_response().status in (200, 503) for each in clients[1:])
        assert peak_megabytes(worker) - before < 200  # without the limit: 350


def create_by_seed(db: str) -> str:
    """Create the database; return the seed file."""
    file = write_seed(db, 1)
    assert run_command(COMMAND, "seed", file, "--db", db).returncode == 0
    return file


@pytest.mark.parametrize(
    "command",
    [
        ("seed", "{file}", "--db", "{db}"),
        ("keys", "create", "--db", "{db}"),
        ("serve", "--port", "0", "--db", "{db}"),
    ],
)
def test_a_command_gives_up_after_the_busy_timeout_with_one_sentence(
    db: str, command: tuple[str, ...]
) -> None:
    file = create_by_seed(db)
    with held_by_flock(db):
        words = [word.format(db=db, file=file) for word in command]
        ended = run_command(COMMAND, *words, SESSIONARY_BUSY_TIMEOUT_SECONDS="0.1")
    assert (ended.returncode, ended.stdout) == (1, "")
    assert ended.stderr == (
        f"Error: another program holds {db}.lock: end it, or try again when it has ended\n"
    )


def test_opening_a_database_that_is_being_replaced_gives_up_with_one_sentence(db: str) -> None:
    create_by_seed(db)
    with Path(f"{db}.hold").open() as lease:
        fcntl.flock(lease, fcntl.LOCK_EX)
        ended = run_command(
            COMMAND, "clock", "show", "--db", db, SESSIONARY_BUSY_TIMEOUT_SECONDS="0.1"
        )
    assert (ended.returncode, ended.stdout) == (1, "")
    assert ended.stderr == f"Error: another program replaces {db}: try again when it has ended\n"


@pytest.mark.parametrize(
    ("options", "key", "status"),
    [
        (("--trusted-proxy", "127.0.0.1"), b"malformed", 401),
        (("--rate-limit", "1000"), b"mob_anyone", 200),
    ],
    ids=["a failed key", "a rate limit"],
)
def test_a_read_that_counts_something_waits_alone_and_is_answered_uncounted(
    db: str, options: tuple[str, ...], key: bytes, status: int
) -> None:
    """The count is a row. Without the lock it is left out."""
    read = (
        b"GET /api/v1/sessions HTTP/1.1\r\nHost: here\r\nX-Forwarded-For: 203.0.113.9\r\n"
        b"Authorization: Bearer %s\r\n\r\n" % key
    )
    with serving(db, *options) as (server, _), held_by_flock(db), connect(server.url) as client:
        client.send(read)
        assert server.request("GET", "/livez")[0] == 200
        assert server.request("GET", "/readyz")[0] == 200
        assert not is_readable(client)
        assert client.expect_response().status == status


@contextmanager
def held_by_a_recovery(db: str) -> Iterator[None]:
    """Keep the WAL index as it is while SQLite rebuilds it after a crash."""
    with Path(f"{db}-shm").open("r+b", buffering=0) as index:
        for lock in (120, 122):  # WAL_WRITE_LOCK and WAL_RECOVER_LOCK
            fcntl.lockf(index, fcntl.LOCK_EX, 1, lock)
        index.write(bytes(96))  # both copies of the header
        yield


def test_a_read_that_waits_for_a_recovery_keeps_no_other_route_waiting(db: str) -> None:
    with serving(db) as (server, path), connect(server.url) as reader:
        with held_by_a_recovery(db):
            reader.send(b"GET %s HTTP/1.1\r\nHost: h\r\n" % path.encode())
            reader.send(b"Authorization: Bearer anyone\r\n\r\n")
            for _ in range(20):
                assert server.request("GET", "/livez")[0] == 200
            assert not is_readable(reader)
        assert reader.expect_response().status == 200


def test_a_file_that_another_program_keeps_to_itself_keeps_no_other_route_waiting(db: str) -> None:
    options = ("--db", db, "--auth", "lenient", "--busy-timeout-seconds", str(BUSY_SECONDS))
    with (
        running_server(*options) as server,
        closing(sqlite3.connect(db, isolation_level=None)) as other,
        connect(server.url) as reader,
    ):
        other.execute("PRAGMA locking_mode = EXCLUSIVE")
        other.execute("BEGIN IMMEDIATE")
        reader.send(b"GET /notte/sessions HTTP/1.1\r\nHost: h\r\nAuthorization: Bearer a\r\n\r\n")
        for _ in range(20):
            assert server.request("GET", "/livez")[0] == 200
        assert not select.select([reader.socket], [], [], 0)[0]  # it waits still
        assert reader.expect_response().status == 503
        other.execute("ROLLBACK")
        other.close()
        assert server.request("GET", "/notte/sessions", **WHO)[0] == 200
