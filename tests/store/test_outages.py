"""Disk and file failures under a running server.

Each time: the vendor's 503, one line in the log, no answered write lost, and normal service once
the cause is gone.
"""

import os
import resource
import signal
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from pathlib import Path

import pytest

from sessionary.store import errors
from sessionary.surfaces import SURFACES
from tests.conftest import MakeApp
from tests.processes import COMMAND, WITHOUT_ROOT_ACCESS, Process, running_process

NOTTE = {"Authorization": "Bearer anyone"}
SCALE = {"x-api-key": "anyone"}
WRITES = {
    "scale": ("/v4/sessions", {"title": "t", "state": {}, "account_id": "a"}, SCALE),
    "mobilenext": ("/api/v1/sessions", None, {"Authorization": "Bearer mob_anyone"}),
    "notte": ("/session/start", {}, NOTTE),
    "galtea": ("/galtea/sessions", {"versionId": "v"}, {"Authorization": "Bearer gsk_anyone"}),
}


class Served:
    """A server with one worker, and the Notte sessions that it has created."""

    def __init__(self, process: Process, db: Path, log: Path) -> None:
        self.process = process
        self.db = db
        self.log = log
        self.created: list[str] = []

    def start(self) -> int:
        status, body = self.process.request("POST", "/session/start", {}, **NOTTE)
        if status == 200:
            self.created.append(body["session_id"])
        return status

    def read(self, session_id: str) -> int:
        return self.process.request("GET", f"/notte/sessions/{session_id}", **NOTTE)[0]

    def check_writes_are_refused(self) -> None:
        for surface in SURFACES:
            path, body, who = WRITES[surface.name]
            status, said = self.process.request("POST", path, body, **who)
            assert status == 503, (surface.name, said)
            assert surface.error_schemas[503].validate(said) == {}, surface.name

    def check_works_and_lost_nothing(self) -> None:
        assert self.start() == 200
        assert [self.read(each) for each in self.created] == [200] * len(self.created)

    def stop(self) -> list[str]:
        """Stop the server; return the log lines about outages and errors."""
        assert self.process.stop() == 0
        lines = self.log.read_text().splitlines()
        return [line for line in lines if "database unavailable" in line or "Traceback" in line]

    def worker(self) -> int:
        (pid,) = self.process.workers()
        return pid


@pytest.fixture
def serve(tmp_path: Path) -> Iterator[Callable[..., Served]]:
    db, log = tmp_path / "data" / "test.sqlite3", tmp_path / "log"
    arguments = ("--db", str(db), "--auth", "lenient", "--busy-timeout-seconds", "0.05")
    serve = (COMMAND, "serve", "--port", "0", *arguments)
    with ExitStack() as stack:

        def start(*prefix: str) -> Served:
            logging = ("sh", "-c", 'exec "$@" 2>"$0"', str(log))
            command = [*logging, *prefix, *serve]
            process = stack.enter_context(running_process(command, dict(os.environ)))
            served = Served(process, db, log)
            assert [served.start() for _ in range(3)] == [200] * 3
            return served

        yield start


def test_a_full_disk_gives_503_until_there_is_space(serve: Callable[..., Served]) -> None:
    served = serve()
    worker = served.worker()
    before = resource.prlimit(worker, resource.RLIMIT_FSIZE)
    wal_bytes = served.db.with_name("test.sqlite3-wal").stat().st_size
    resource.prlimit(worker, resource.RLIMIT_FSIZE, (wal_bytes, before[1]))
    for _ in range(3):
        served.check_writes_are_refused()
    assert served.read(served.created[0]) == 200
    resource.prlimit(worker, resource.RLIMIT_FSIZE, before)
    served.check_works_and_lost_nothing()
    assert len(served.stop()) == 1


def test_a_read_only_disk_gives_503_until_it_is_writable(serve: Callable[..., Served]) -> None:
    """A new worker meets it; a connection that is open stays writable."""
    served = serve(*WITHOUT_ROOT_ACCESS)
    served.db.parent.chmod(0o555)
    for file in served.db.parent.iterdir():
        file.chmod(0o444)
    os.kill(served.worker(), signal.SIGKILL)
    for _ in range(3):
        served.check_writes_are_refused()
    assert served.read(served.created[0]) == 200
    served.db.parent.chmod(0o755)
    for file in served.db.parent.iterdir():
        file.chmod(0o644)
    served.check_works_and_lost_nothing()
    assert len(served.stop()) == 1


def test_a_corrupt_table_gives_503_and_other_tables_work(serve: Callable[..., Served]) -> None:
    """The other tables are still readable and writable."""
    served = serve()
    path, body, who = WRITES["scale"]
    assert served.process.request("POST", path, body, **who)[0] == 200
    before = corrupt(served.db, "scale_sessions")
    for _ in range(3):
        assert served.process.request("POST", path, body, **who)[0] == 503
        assert served.process.request("GET", path, **who)[0] == 503
    assert served.start() == 200
    with served.db.open("r+b") as file:
        for page, content in before.items():
            file.seek(page)
            file.write(content)
    assert served.process.request("POST", path, body, **who)[0] == 200
    served.check_works_and_lost_nothing()
    assert len(served.stop()) == 1


def corrupt(db: Path, table: str) -> dict[int, bytes]:
    """Overwrite the first page of a table and of its indexes; return what was there."""
    with closing(sqlite3.connect(db)) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        found = connection.execute(
            "SELECT rootpage FROM sqlite_master WHERE tbl_name = ?", (table,)
        )
        before = {(page - 1) * 4096: b"" for (page,) in found}
    with db.open("r+b") as file:
        for page in before:
            file.seek(page)
            before[page] = file.read(4096)
            file.seek(page)
            file.write(b"\xa5" * 4096)
    return before


def test_a_removed_file_gives_503_until_it_is_back(
    serve: Callable[..., Served], tmp_path: Path
) -> None:
    """The server does not create a new file, and does not write to the unlinked one."""
    served = serve()
    served.db.rename(tmp_path / "elsewhere")
    for _ in range(3):
        served.check_writes_are_refused()
        assert served.read(served.created[0]) == 503
    assert not served.db.exists()
    (tmp_path / "elsewhere").rename(served.db)
    served.check_works_and_lost_nothing()
    (line,) = served.stop()
    assert f"{served.db} cannot be found" in line


@pytest.mark.parametrize("other", [b"", b"not a database" * 1000])
def test_another_file_in_its_place_gives_503_and_is_left_alone(
    serve: Callable[..., Served], tmp_path: Path, other: bytes
) -> None:
    """Opening it would apply the WAL of the removed file to it and destroy both."""
    served = serve()
    served.db.rename(tmp_path / "elsewhere")
    served.db.write_bytes(other)
    os.kill(served.worker(), signal.SIGKILL)
    for _ in range(3):
        served.check_writes_are_refused()
        assert served.read(served.created[0]) == 503
    assert served.db.read_bytes() == other
    (tmp_path / "elsewhere").rename(served.db)
    served.check_works_and_lost_nothing()
    (line,) = served.stop()
    assert "was replaced while it was open" in line


def test_a_locked_file_gives_503_for_writes(serve: Callable[..., Served]) -> None:
    served = serve()
    with closing(sqlite3.connect(served.db, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        served.check_writes_are_refused()
        served.check_writes_are_refused()
        assert served.read(served.created[0]) == 200
        other.execute("ROLLBACK")
    served.check_works_and_lost_nothing()
    assert len(served.stop()) == 1


def test_the_end_of_an_outage_is_logged_with_the_number_of_refused_requests(
    make_file_app: MakeApp,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(errors, "_QUIET_SECONDS", 0)
    app = make_file_app(busy_timeout_seconds=0.01)

    def start() -> int:
        return app.client.post("/session/start", json={}, headers=NOTTE).status_code

    for _ in range(2):
        with closing(sqlite3.connect(app.settings.db, isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            assert [start() for _ in range(3)] == [503] * 3
        assert [start() for _ in range(3)] == [200] * 3
    assert [record.getMessage() for record in caplog.records] == [
        "database unavailable: database is locked; every request retries",
        "database available again; 3 requests were refused",
    ] * 2


def test_a_recurring_outage_is_logged_once(
    make_file_app: MakeApp, caplog: pytest.LogCaptureFixture
) -> None:
    app = make_file_app(busy_timeout_seconds=0.01)
    for _ in range(3):
        with closing(sqlite3.connect(app.settings.db, isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            path, body, who = WRITES["notte"]
            assert app.client.post(path, json=body, headers=who).status_code == 503
        assert app.client.post(path, json=body, headers=who).status_code == 200
    assert len(caplog.records) == 1
