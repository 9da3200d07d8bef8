"""`/livez`, `/readyz` and `sessionary ready`: their responses, and that they change nothing."""

import os
import resource
import socket
import sqlite3
import subprocess
import threading
from collections.abc import Iterator
from contextlib import closing
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest

from sessionary import create_app
from sessionary.factory import create_double
from sessionary.settings import DOUBLE, Settings
from tests.conftest import App, MakeApp
from tests.docs.documents import block
from tests.processes import COMMAND, TIMEOUT_SECONDS, Process, running_server

WHO = {"Authorization": "Bearer anyone"}


@pytest.fixture
def db(tmp_path: Path) -> Path:
    return tmp_path / "data" / "test.sqlite3"


@pytest.fixture
def server(db: Path) -> Iterator[Process]:
    """A server with one worker and short timeouts."""
    with running_server(
        "--db", str(db), "--auth", "lenient", "--busy-timeout-seconds", "5"
    ) as process:
        assert process.request("POST", "/session/start", {}, **WHO)[0] == 200
        yield process


def ready(*arguments: str) -> tuple[int, str]:
    """The exit code and the output of `sessionary ready`."""
    told = subprocess.run(
        [COMMAND, "ready", *arguments],
        capture_output=True,
        text=True,
        timeout=TIMEOUT_SECONDS,
        check=False,
    )
    return told.returncode, told.stdout + told.stderr


def reason(server: Process) -> str:
    """The reason of a server that is alive and not ready."""
    assert server.request("GET", "/livez") == (200, {"status": "alive"})
    status, body = server.request("GET", "/readyz")
    assert (status, body.pop("error")) == (503, "not_ready")
    assert list(body) == ["message"]
    return str(body["message"])


def is_ready(server: Process) -> bool:
    return server.request("GET", "/readyz") == (200, {"status": "ready"})


@pytest.mark.parametrize("path", ["/livez", "/readyz", "/livez/", "/readyz/"])
def test_health_paths_need_no_key(make_app: MakeApp, path: str) -> None:
    client = make_app(auth="strict").client
    assert client.get(path).status_code == 200
    assert client.head(path).status_code == 200


@pytest.mark.parametrize("path", ["/livez", "/readyz"])
def test_health_paths_accept_get_and_head_only(app: App, path: str) -> None:
    answer = app.client.post(path)
    assert (answer.status_code, answer.headers["Allow"]) == (405, "GET, HEAD")
    assert answer.json["error"] == "refused"


@pytest.mark.parametrize("path", ["/livez", "/readyz", "/readyz/"])
def test_health_paths_refuse_another_instant(app: App, path: str) -> None:
    answer = app.client.get(path, headers={"Sessionary-At": "+1h"})
    assert answer.status_code == 400
    assert "Sessionary-At has no meaning here" in answer.json["message"]


@pytest.mark.parametrize("path", ["/livez/x", "/readyz//", "//livez", "/Livez", "/~t42/livez"])
def test_similar_paths_are_not_found(app: App, path: str) -> None:
    answer = app.client.get("/", environ_overrides={"PATH_INFO": path})
    assert (answer.status_code, answer.json["error"]) == (404, "not_found")


def test_a_double_is_ready_and_records_no_health_check() -> None:
    client = create_double(Settings(**DOUBLE)).test_client()
    assert client.get("/readyz").status_code == 200
    assert client.get("/_control/v1/journal").json["calls"] == []


def test_a_readiness_check_changes_nothing(make_file_app: MakeApp) -> None:
    app = make_file_app()
    client = create_app(app.settings, app.namespace).test_client()
    with closing(sqlite3.connect(app.settings.db)) as other:
        seen = [other.execute("PRAGMA data_version").fetchone() for _ in range(2)]
        tables = other.execute("SELECT * FROM sqlite_master").fetchall()
        assert [client.get("/readyz").status_code for _ in range(3)] == [200] * 3
        assert [other.execute("PRAGMA data_version").fetchone()] == seen[:1]
        assert other.execute("SELECT * FROM sqlite_master").fetchall() == tables
    with app.namespace.activate():
        run = app.namespace.database.run
        assert run("PRAGMA busy_timeout").fetchone() == (5000,)
        assert run("PRAGMA cache_size").fetchone()[0] < 0
        assert run("PRAGMA integrity_check").fetchone() == ("ok",)


def test_a_full_disk(server: Process, db: Path) -> None:
    (worker,) = server.workers()
    before = resource.prlimit(worker, resource.RLIMIT_FSIZE)
    journal = db.with_name(f"{db.name}-wal").stat().st_size
    resource.prlimit(worker, resource.RLIMIT_FSIZE, (journal, before[1]))
    assert reason(server) == "disk I/O error"
    assert server.request("POST", "/session/start", {}, **WHO)[0] == 503
    resource.prlimit(worker, resource.RLIMIT_FSIZE, before)
    assert is_ready(server)


def test_a_locked_file(server: Process, db: Path) -> None:
    with closing(sqlite3.connect(db, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        assert reason(server) == "database is locked"
        assert ready(server.url) == (1, f"Error: {server.url} is not ready: database is locked\n")
        other.execute("ROLLBACK")
    assert is_ready(server)


def test_a_file_that_others_write_all_the_time(server: Process, db: Path) -> None:
    """The file is locked nearly always, and works."""
    over = threading.Event()

    def write() -> None:
        with closing(sqlite3.connect(db, isolation_level=None, timeout=TIMEOUT_SECONDS)) as other:
            while not over.is_set():
                other.execute("BEGIN IMMEDIATE")
                other.execute("UPDATE mint SET count = count + 1")
                over.wait(0.05)
                other.execute("COMMIT")

    writers = [threading.Thread(target=write) for _ in range(3)]
    for each in writers:
        each.start()
    try:
        assert all(is_ready(server) for _ in range(5))
    finally:
        over.set()
        for each in writers:
            each.join()


def test_a_removed_file(server: Process, db: Path, tmp_path: Path) -> None:
    """The reason names no folder."""
    db.rename(tmp_path / "elsewhere")
    assert reason(server) == "test.sqlite3 cannot be found: No such file or directory"
    assert not db.exists()
    (tmp_path / "elsewhere").rename(db)
    assert is_ready(server)


def test_a_database_that_another_version_has_changed(server: Process, db: Path) -> None:
    with closing(sqlite3.connect(db, isolation_level=None)) as other:
        (version,) = other.execute("PRAGMA user_version").fetchone()
        other.execute(f"PRAGMA user_version = {version + 1}")
        assert f"has schema version {version + 1}" in reason(server)
        other.execute(f"PRAGMA user_version = {version}")
    assert is_ready(server)


def test_ready_prints_one_sentence_for_a_ready_server(server: Process) -> None:
    assert ready(server.url) == (0, f"{server.url} is ready\n")
    assert ready(f"{server.url}/", "--wait", "1s")[0] == 0


def free_port() -> int:
    with socket.socket() as trial:
        trial.bind(("127.0.0.1", 0))
        return int(trial.getsockname()[1])


def test_ready_prints_one_sentence_without_a_server() -> None:
    url = f"http://127.0.0.1:{free_port()}"
    assert ready(url) == (1, f"Error: {url} does not answer: Connection refused\n")


def test_ready_waits_for_a_server_that_starts_later(db: Path) -> None:
    port = free_port()
    waiting = subprocess.Popen([COMMAND, "ready", f"http://127.0.0.1:{port}", "--wait", "30s"])
    with running_server("--db", str(db), "--auth", "lenient", "--port", str(port)):
        assert waiting.wait(TIMEOUT_SECONDS) == 0


def test_the_lines_of_the_documents_work_when_pasted(db: Path) -> None:
    lines = block("sh watch")
    with running_server("--db", str(db), "--metrics", "127.0.0.1:0") as process:
        assert process.popen.stdout is not None
        metrics = process.popen.stdout.readline().removeprefix("Metrics: ").strip()
        script = lines.replace("http://127.0.0.1:8000", process.url).replace("curl", "curl -sSf")
        script = script.replace("http://127.0.0.1:9090/metrics", metrics)
        environ = os.environ | {"PATH": f"{Path(COMMAND).parent}:{os.environ['PATH']}"}
        shell = ["sh", "-ec", script]
        said = subprocess.run(shell, env=environ, capture_output=True, text=True, check=True).stdout
    for part in ("is ready", '"alive"', '"ready"', "sessionary_sessions{"):
        assert part in said


class _Stranger(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b"welcome")

    def log_message(self, *_: Any) -> None:
        pass


def test_ready_recognizes_another_program() -> None:
    with HTTPServer(("127.0.0.1", 0), _Stranger) as stranger:
        threading.Thread(target=stranger.handle_request).start()
        url = f"http://127.0.0.1:{stranger.server_port}"
        problem = f"{url} answers 200 at /readyz: it is not a Sessionary server"
        assert ready(url) == (1, f"Error: {problem}\n")


@pytest.mark.parametrize("arguments", [["127.0.0.1:8000"], ["http://x", "--wait", "soon"]])
def test_ready_refuses_an_address_that_is_not_http(arguments: list[str]) -> None:
    assert ready(*arguments)[0] == 2


def test_ready_uses_no_proxy(server: Process) -> None:
    told = subprocess.run(
        [COMMAND, "ready", server.url],
        env=os.environ | {"http_proxy": f"http://127.0.0.1:{free_port()}"},
        timeout=TIMEOUT_SECONDS,
        check=False,
    )
    assert told.returncode == 0
