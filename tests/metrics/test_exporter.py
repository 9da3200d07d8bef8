"""Metrics of all workers together, of those that have exited too."""

import fcntl
import os
import secrets
import signal
import subprocess
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from http.client import HTTPConnection
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlsplit

import pytest
from prometheus_client.parser import text_string_to_metric_families

from sessionary.metrics import compaction
from sessionary.metrics.exporter import make_app
from sessionary.store import memory_namespace
from tests.processes import COMMAND, TIMEOUT_SECONDS, Process, clean_environment, running_process

WHO = {"Authorization": "Bearer anyone"}
SERVERS = {"serve": ("serve", "--workers", "2"), "double": ("double",)}
FOLDERS = Path("/dev/shm")  # noqa: S108
Samples = dict[tuple[str, frozenset[tuple[str, str]]], float]


class MeteredServer(NamedTuple):
    """A server and the address of its metrics."""

    process: Process
    url: str

    def get(self, path: str = "/metrics") -> tuple[int, str]:
        """GET a path of the metrics address; gives status and text."""
        connection = HTTPConnection(urlsplit(self.url).netloc, timeout=TIMEOUT_SECONDS)
        connection.request("GET", path)
        answer = connection.getresponse()
        text = answer.read().decode()
        connection.close()
        return answer.status, text

    def samples(self) -> Samples:
        """Values by name and labels."""
        return {
            (sample.name, frozenset(sample.labels.items())): sample.value
            for family in text_string_to_metric_families(self.get()[1])
            for sample in family.samples
        }

    def value(self, name: str, **labels: str) -> float | None:
        return self.samples().get((f"sessionary_{name}", frozenset(labels.items())))

    def lists(self, status: str = "200") -> float:
        """Count of list requests to Notte so far."""
        labels = {"surface": "notte", "route": "/sessions", "method": "GET", "status": status}
        return self.value("requests_total", **labels) or 0

    def list_sessions(self) -> int:
        return self.process.request("GET", "/notte/sessions", **WHO)[0]

    def folders(self) -> list[Path]:
        return list(FOLDERS.glob(f"sessionary-metrics-*-{urlsplit(self.url).port}-*"))


Start = Callable[..., MeteredServer]


@contextmanager
def counting(kind: str, db: Path, address: str = "127.0.0.1:0") -> Iterator[MeteredServer]:
    """Start a server of this kind with metrics at this address."""
    options = ("--port", "0", "--auth", "lenient", "--db", str(db), "--metrics", address)
    with running_process([COMMAND, *SERVERS[kind], *options], clean_environment()) as process:
        assert process.popen.stdout is not None
        line = process.popen.stdout.readline()
        yield MeteredServer(process, line.removeprefix("Metrics: ").strip())


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    with ExitStack() as stack:
        db = tmp_path / "test.sqlite3"
        yield lambda kind, *address: stack.enter_context(counting(kind, db, *address))


@pytest.fixture(scope="module")
def db(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("metrics") / "test.sqlite3"


@pytest.fixture(scope="module")
def server(db: Path) -> Iterator[MeteredServer]:
    with counting("serve", db) as found:
        yield found


@pytest.mark.parametrize("kind", SERVERS)
def test_each_worker_reports_the_requests_of_all(start: Start, kind: str) -> None:
    server = start(kind)
    with ThreadPoolExecutor(8) as pool:
        assert set(pool.map(lambda _: server.list_sessions(), range(80))) == {200}
    assert [server.lists() for _ in range(8)] == [80] * 8
    seconds = {"surface": "notte", "route": "/sessions", "method": "GET"}
    assert server.value("request_duration_seconds_count", **seconds) == 80
    assert server.value("request_duration_seconds_bucket", le="+Inf", **seconds) == 80
    assert server.value("request_duration_seconds_sum", **seconds)


def end_workers(process: Process, by: signal.Signals) -> None:
    """Signal all workers, and wait until they have exited."""
    before = process.workers()
    for worker in before:
        os.kill(worker, by)
    while set(before) & set(process.workers()):
        os.sched_yield()


@pytest.mark.parametrize(
    ("kind", "by", "times"), [("serve", signal.SIGKILL, 4), ("serve", signal.SIGTERM, 1)]
)
def test_counts_of_exited_workers_are_kept_and_their_files_merged(
    start: Start, kind: str, by: signal.Signals, times: int
) -> None:
    server = start(kind)
    for ended in range(times):
        for _ in range(10):
            assert server.list_sessions() == 200
        assert server.lists() == 10 * ended + 10
        end_workers(server.process, by)
    assert server.list_sessions() == 200
    assert server.lists() == 10 * times + 1
    (folder,) = server.folders()
    assert len(list(folder.glob("counter_*.db"))) <= 3


def test_a_scrape_gives_up_while_another_process_holds_the_lock(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(compaction, "MAX_WAIT_SECONDS", 0.01)
    app, found = make_app(tmp_path, memory_namespace(), ()), []
    with (tmp_path / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        body = app({"PATH_INFO": "/metrics"}, lambda status, _: found.append(status))
    assert found == ["503 Service Unavailable"]
    assert b"try again" in b"".join(body)


def test_counters_never_decrease_while_it_serves_and_is_scraped(start: Start) -> None:
    server = start("serve")
    over = threading.Event()

    def serve() -> int:
        count = 0
        while not over.is_set():
            assert server.list_sessions() == 200
            count += 1
        return count

    with ThreadPoolExecutor(4) as pool:
        serving = [pool.submit(serve) for _ in range(4)]
        seen = [server.lists() for _ in range(40)]
        over.set()
        served = sum(each.result() for each in serving)
    assert seen == sorted(seen)
    assert server.lists() == served


def wait_until(server: MeteredServer, expected: float, name: str, **labels: str) -> None:
    """Scrape until a value is reached: database metrics are reused for a moment."""
    for _ in range(10_000):
        found = server.value(name, **labels)
        if found == expected:
            return
    pytest.fail(f"{name} is {found}, not {expected}")


def test_sessions_are_counted_by_their_present_status(server: MeteredServer, db: Path) -> None:
    assert server.value("sessions", surface="notte", status="active") == 0
    for _ in range(3):
        assert server.process.request("POST", "/session/start", {}, **WHO)[0] == 200
    wait_until(server, 3, "sessions", surface="notte", status="active")
    subprocess.run([COMMAND, "clock", "advance", "6m", "--db", db], check=True)
    wait_until(server, 0, "sessions", surface="notte", status="active")
    assert server.value("sessions", surface="notte", status="timed_out") == 3


def test_the_database_size_includes_the_wal(server: MeteredServer, db: Path) -> None:
    assert server.list_sessions() == 200
    files = [db, db.with_name(f"{db.name}-wal")]
    wait_until(server, sum(file.stat().st_size for file in files), "database_bytes")


def test_bad_keys_and_a_missing_database_are_counted_and_the_rest_is_still_served(
    server: MeteredServer, db: Path
) -> None:
    for _ in range(3):
        assert server.process.request("GET", "/notte/sessions")[0] == 401
    db.rename(db.with_name("elsewhere"))
    for _ in range(2):
        assert server.list_sessions() == 503
    assert server.value("key_failures_total", surface="notte") == 3
    assert server.value("database_errors_total", surface="notte") == 2
    assert (server.lists("401"), server.lists("503")) == (3, 2)
    db.with_name("elsewhere").rename(db)
    wait_until(server, 0, "sessions", surface="scale", status="live")


def test_requests_cannot_create_unlimited_label_values(server: MeteredServer) -> None:
    def count() -> int:
        for number in range(5):
            server.process.request("GET", f"/galtea/sessions/{secrets.token_hex(4)}", **WHO)
            server.process.request("GET", f"/nowhere/{secrets.token_hex(4)}?{number}", **WHO)
            server.process.request(f"ODD{number}", f"/galtea/{secrets.token_hex(4)}", **WHO)
        return len(server.samples())

    assert count() == count()
    odd = {"surface": "galtea", "route": "none", "method": "OTHER", "status": "401"}
    assert server.value("requests_total", **odd) == 10


def test_a_dropped_connection_is_counted_without_a_status(start: Start) -> None:
    server = start("double")
    fault = {"surface": "notte", "kind": "empty"}
    assert server.process.request("POST", "/_control/v1/faults", fault)[0] == 201
    with pytest.raises(ConnectionError):
        server.list_sessions()
    assert server.lists("none") == 1


@pytest.mark.parametrize("kind", SERVERS)
def test_the_folder_is_removed_when_it_stops(start: Start, kind: str) -> None:
    server = start(kind)
    server.list_sessions()
    assert len(server.folders()) == 1
    assert server.process.stop() == 0
    assert server.folders() == []


def test_files_of_a_killed_server_are_not_counted_by_the_next(start: Start) -> None:
    server = start("serve")
    assert server.list_sessions() == 200
    assert server.lists() == 1
    os.killpg(server.process.popen.pid, signal.SIGKILL)
    server.process.popen.wait(TIMEOUT_SECONDS)
    assert server.folders() != []
    again = start("serve", urlsplit(server.url).netloc)
    assert again.url == server.url
    assert again.lists() == 0
    assert len(again.folders()) == 1


def test_the_metrics_address_serves_only_metrics_and_the_server_none(server: MeteredServer) -> None:
    assert server.get("/notte/sessions")[0] == 404
    assert server.get("/metrics?x=1")[0] == 200
    assert server.process.request("GET", "/metrics")[0] == 404
