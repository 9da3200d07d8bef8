"""What happens to a disk and its files while a server runs, and what the server does then.

Each time: the vendor's 503, one line in the log, nothing lost that was answered, and everything as
before once the cause is gone.
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
from tests.conftest import App
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
    """A server with one worker, and the Notte sessions that it has answered."""

    def __init__(self, process: Process, db: Path, log: Path) -> None:
        self.process = process
        self.db = db
        self.log = log
        self.answered: list[str] = []

    def start(self) -> int:
        status, body = self.process.request("POST", "/session/start", {}, **NOTTE)
        if status == 200:
            self.answered.append(body["session_id"])
        return status

    def read(self, session_id: str) -> int:
        return self.process.request("GET", f"/notte/sessions/{session_id}", **NOTTE)[0]

    def refuses_writes_as_each_vendor_does(self) -> None:
        for surface in SURFACES:
            path, body, who = WRITES[surface.name]
            status, said = self.process.request("POST", path, body, **who)
            assert status == 503, (surface.name, said)
            assert surface.error_schemas[503].validate(said) == {}, surface.name

    def works_and_has_lost_nothing(self) -> None:
        assert self.start() == 200
        assert [self.read(each) for each in self.answered] == [200] * len(self.answered)

    def told(self) -> list[str]:
        """Stop, and give what the log says of mishaps."""
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


def test_a_full_disk(serve: Callable[..., Served]) -> None:
    served = serve()
    worker = served.worker()
    before = resource.prlimit(worker, resource.RLIMIT_FSIZE)
    journal = served.db.with_name("test.sqlite3-wal").stat().st_size  # the log is shorter
    resource.prlimit(worker, resource.RLIMIT_FSIZE, (journal, before[1]))
    for _ in range(3):
        served.refuses_writes_as_each_vendor_does()
    assert served.read(served.answered[0]) == 200
    resource.prlimit(worker, resource.RLIMIT_FSIZE, before)
    served.works_and_has_lost_nothing()
    assert len(served.told()) == 1


def test_a_disk_that_can_only_be_read(serve: Callable[..., Served]) -> None:
    """Found by a worker that starts then: what is open stays open."""
    served = serve(*WITHOUT_ROOT_ACCESS)
    served.db.parent.chmod(0o555)
    for file in served.db.parent.iterdir():
        file.chmod(0o444)
    os.kill(served.worker(), signal.SIGKILL)
    for _ in range(3):
        served.refuses_writes_as_each_vendor_does()
    assert served.read(served.answered[0]) == 200
    served.db.parent.chmod(0o755)
    for file in served.db.parent.iterdir():
        file.chmod(0o644)
    served.works_and_has_lost_nothing()
    assert len(served.told()) == 1


def test_a_corrupt_file(serve: Callable[..., Served]) -> None:
    """What it can still read, it reads."""
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
    served.works_and_has_lost_nothing()
    assert len(served.told()) == 1


def corrupt(db: Path, table: str) -> dict[int, bytes]:
    """Overwrite the first page of a table and of each of its indexes; gives what was there."""
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


def test_a_removed_file(serve: Callable[..., Served], tmp_path: Path) -> None:
    """Nothing is made in its place, and nothing goes into the file that nobody can find."""
    served = serve()
    served.db.rename(tmp_path / "elsewhere")
    for _ in range(3):
        served.refuses_writes_as_each_vendor_does()
        assert served.read(served.answered[0]) == 503
    assert not served.db.exists()
    (tmp_path / "elsewhere").rename(served.db)
    served.works_and_has_lost_nothing()
    (told,) = served.told()
    assert f"{served.db} cannot be found" in told


@pytest.mark.parametrize("other", [b"", b"not a database" * 1000])
def test_another_file_in_the_place_of_a_removed_one(
    serve: Callable[..., Served], tmp_path: Path, other: bytes
) -> None:
    """It is left alone; the journal beside it, which is not its own, would be the end of both."""
    served = serve()
    served.db.rename(tmp_path / "elsewhere")
    served.db.write_bytes(other)
    os.kill(served.worker(), signal.SIGKILL)
    for _ in range(3):
        served.refuses_writes_as_each_vendor_does()
        assert served.read(served.answered[0]) == 503
    assert served.db.read_bytes() == other
    (tmp_path / "elsewhere").rename(served.db)
    served.works_and_has_lost_nothing()
    (told,) = served.told()
    assert "was replaced while it was open" in told


def test_a_locked_file(serve: Callable[..., Served]) -> None:
    served = serve()
    with closing(sqlite3.connect(served.db, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        served.refuses_writes_as_each_vendor_does()
        served.refuses_writes_as_each_vendor_does()
        assert served.read(served.answered[0]) == 200
        other.execute("ROLLBACK")
    served.works_and_has_lost_nothing()
    assert len(served.told()) == 1


def test_the_end_of_a_mishap_is_told_with_the_number_of_refusals(
    make_file_app: Callable[..., App],
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


def test_what_comes_and_goes_is_told_once(
    make_file_app: Callable[..., App], caplog: pytest.LogCaptureFixture
) -> None:
    app = make_file_app(busy_timeout_seconds=0.01)
    for _ in range(3):
        with closing(sqlite3.connect(app.settings.db, isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            path, body, who = WRITES["notte"]
            assert app.client.post(path, json=body, headers=who).status_code == 503
        assert app.client.post(path, json=body, headers=who).status_code == 200
    assert len(caplog.records) == 1
