"""Writes that wait together are committed together, and answered after the commit."""

import fcntl
import resource
import struct
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.processes import Process, running_server
from tests.raw_http import RawConnection, connect
from tests.server.test_write_lock import START, WHO

CLIENTS = 24
_FRAME_HEAD, _WAL_HEAD = 24, 32


@pytest.fixture
def db(tmp_path: Path) -> Path:
    return tmp_path / "test.sqlite3"


@pytest.fixture
def server(db: Path) -> Iterator[Process]:
    with running_server("--db", str(db), "--auth", "lenient", "--workers", "1") as process:
        for _ in range(3):
            assert start(process) == 200
        yield process


@pytest.fixture
def clients(server: Process) -> Iterator[list[RawConnection]]:
    with ExitStack() as stack:
        yield [stack.enter_context(connect(server.url)) for _ in range(CLIENTS)]


def start(server: Process) -> int:
    return server.request("POST", "/session/start", {}, **WHO)[0]


def session_count(server: Process) -> int:
    return int(server.request("GET", "/health", **WHO)[1]["active_sessions"])


def commit_count(db: Path) -> int:
    """Count the commits in the WAL: the frames that have the size of the database."""
    wal = Path(f"{db}-wal").read_bytes()
    (page_size,) = struct.unpack_from(">I", wal, 8)
    (salt,) = struct.unpack_from(">Q", wal, 16)
    heads = range(_WAL_HEAD, len(wal) - _FRAME_HEAD, _FRAME_HEAD + page_size)
    frames = [struct.unpack_from(">IIQ", wal, at) for at in heads]
    return sum(size > 0 for _, size, frame_salt in frames if frame_salt == salt)


def send_while_locked(db: Path, clients: list[RawConnection]) -> None:
    """Have all clients create a session at a time when another process writes."""
    with Path(f"{db}.lock").open() as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        for client in clients:
            client.send(START)
        time.sleep(0.1)  # they have been received


def test_writes_that_wait_together_share_commits(
    server: Process, db: Path, clients: list[RawConnection]
) -> None:
    before, sessions = commit_count(db), session_count(server)
    send_while_locked(db, clients)
    assert {client.expect_response()[0] for client in clients} == {200}
    assert session_count(server) == sessions + CLIENTS
    assert commit_count(db) - before < CLIENTS / 2


def test_writes_whose_common_commit_fails_are_all_refused_and_undone(
    server: Process, db: Path, clients: list[RawConnection]
) -> None:
    (worker,) = server.workers()
    sessions, before = session_count(server), resource.prlimit(worker, resource.RLIMIT_FSIZE)
    wal_bytes = Path(f"{db}-wal").stat().st_size
    resource.prlimit(worker, resource.RLIMIT_FSIZE, (wal_bytes, before[1]))
    send_while_locked(db, clients)
    answers = [client.expect_response() for client in clients]
    resource.prlimit(worker, resource.RLIMIT_FSIZE, before)
    assert {status for status, _, _ in answers} == {503}
    assert {headers["retry-after"] for _, headers, _ in answers} == {"1"}
    assert len({body for _, _, body in answers}) == 1
    assert session_count(server) == sessions
    assert start(server) == 200
    assert session_count(server) == sessions + 1
