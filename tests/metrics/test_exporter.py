"""What Prometheus is told: of all workers together, whoever answers, and whoever has died."""

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

from tests.processes import COMMAND, TIMEOUT_SECONDS, Process, clean_environment, running_process

WHO = {"Authorization": "Bearer anyone"}
SERVERS = {
    "gunicorn": ("serve", "--workers", "2"),
    "double": ("double",),
}
FOLDERS = Path("/dev/shm")  # noqa: S108 - where they are kept
Numbers = dict[tuple[str, frozenset[tuple[str, str]]], float]


class Counted(NamedTuple):
    """A server and the address of its metrics."""

    process: Process
    url: str

    def ask(self, path: str = "/metrics") -> tuple[int, str]:
        """The status and the text of what is at this path of the metrics' address."""
        connection = HTTPConnection(urlsplit(self.url).netloc, timeout=TIMEOUT_SECONDS)
        connection.request("GET", path)
        answer = connection.getresponse()
        text = answer.read().decode()
        connection.close()
        return answer.status, text

    def numbers(self) -> Numbers:
        """Each sample by its name and labels."""
        return {
            (sample.name, frozenset(sample.labels.items())): sample.value
            for family in text_string_to_metric_families(self.ask()[1])
            for sample in family.samples
        }

    def value(self, name: str, **labels: str) -> float | None:
        return self.numbers().get((f"sessionary_{name}", frozenset(labels.items())))

    def lists(self, status: str = "200") -> float:
        """How many lists of Notte's have been asked for so far."""
        labels = {"surface": "notte", "route": "/sessions", "method": "GET", "status": status}
        return self.value("requests_total", **labels) or 0

    def list_sessions(self) -> int:
        return self.process.request("GET", "/notte/sessions", **WHO)[0]

    def folders(self) -> list[Path]:
        return list(FOLDERS.glob(f"sessionary-metrics-*-{urlsplit(self.url).port}-*"))


Start = Callable[..., Counted]


@contextmanager
def counting(kind: str, db: Path, address: str = "127.0.0.1:0") -> Iterator[Counted]:
    """A server of this kind with metrics at this address."""
    options = ("--port", "0", "--auth", "lenient", "--db", str(db), "--metrics", address)
    with running_process([COMMAND, *SERVERS[kind], *options], clean_environment()) as process:
        assert process.popen.stdout is not None
        said = process.popen.stdout.readline()
        yield Counted(process, said.removeprefix("Metrics: ").strip())


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    with ExitStack() as stack:
        db = tmp_path / "test.sqlite3"
        yield lambda kind, *address: stack.enter_context(counting(kind, db, *address))


@pytest.fixture(scope="module")
def db(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("metrics") / "test.sqlite3"


@pytest.fixture(scope="module")
def server(db: Path) -> Iterator[Counted]:
    with counting("gunicorn", db) as found:
        yield found


@pytest.mark.parametrize("kind", SERVERS)
def test_whoever_is_asked_knows_the_requests_of_all(start: Start, kind: str) -> None:
    server = start(kind)
    with ThreadPoolExecutor(8) as pool:
        assert set(pool.map(lambda _: server.list_sessions(), range(80))) == {200}
    assert [server.lists() for _ in range(8)] == [80] * 8
    seconds = {"surface": "notte", "route": "/sessions", "method": "GET"}
    assert server.value("request_duration_seconds_count", **seconds) == 80
    assert server.value("request_duration_seconds_bucket", le="+Inf", **seconds) == 80
    assert server.value("request_duration_seconds_sum", **seconds)


def end_workers(process: Process, by: signal.Signals) -> None:
    """Send them this, and wait until they are gone."""
    before = process.workers()
    for worker in before:
        os.kill(worker, by)
    while set(before) & set(process.workers()):
        os.sched_yield()


@pytest.mark.parametrize(
    ("kind", "by", "times"),
    [
        ("gunicorn", signal.SIGKILL, 4),
        ("gunicorn", signal.SIGTERM, 1),
    ],
)
def test_what_dead_workers_have_counted_is_kept_and_does_not_pile_up(
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


def test_numbers_only_grow_while_it_serves_and_is_asked(start: Start) -> None:
    server = start("gunicorn")
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


def until(server: Counted, wanted: float, name: str, **labels: str) -> None:
    """Ask until a number is this one: what is looked up is said again for a moment."""
    for _ in range(10_000):
        found = server.value(name, **labels)
        if found == wanted:
            return
    pytest.fail(f"{name} is {found}, not {wanted}")


def test_sessions_are_counted_by_their_status_at_that_moment(server: Counted, db: Path) -> None:
    assert server.value("sessions", surface="notte", status="active") == 0
    for _ in range(3):
        assert server.process.request("POST", "/session/start", {}, **WHO)[0] == 200
    until(server, 3, "sessions", surface="notte", status="active")
    subprocess.run([COMMAND, "clock", "advance", "6m", "--db", db], check=True)
    until(server, 0, "sessions", surface="notte", status="active")
    assert server.value("sessions", surface="notte", status="timed_out") == 3


def test_the_size_of_the_database_is_that_of_its_files(server: Counted, db: Path) -> None:
    assert server.list_sessions() == 200
    files = [db, db.with_name(f"{db.name}-wal")]
    until(server, sum(file.stat().st_size for file in files), "database_bytes")


def test_bad_keys_and_a_missing_database_are_counted_while_the_rest_goes_on(
    server: Counted, db: Path
) -> None:
    for _ in range(3):
        assert server.process.request("GET", "/notte/sessions")[0] == 401
    db.rename(db.with_name("elsewhere"))
    for _ in range(2):
        assert server.list_sessions() == 503
    assert server.value("key_failures_total", surface="notte") == 3
    assert server.value("refused_for_disorder_total", surface="notte") == 2
    assert (server.lists("401"), server.lists("503")) == (3, 2)
    db.with_name("elsewhere").rename(db)
    until(server, 0, "sessions", surface="scale", status="live")


def test_nobody_can_make_numbers_without_end(server: Counted) -> None:
    def count() -> int:
        for number in range(5):
            server.process.request("GET", f"/galtea/sessions/{secrets.token_hex(4)}", **WHO)
            server.process.request("GET", f"/nowhere/{secrets.token_hex(4)}?{number}", **WHO)
            server.process.request(f"ODD{number}", f"/galtea/{secrets.token_hex(4)}", **WHO)
        return len(server.numbers())

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
def test_nothing_is_left_when_it_stops(start: Start, kind: str) -> None:
    server = start(kind)
    server.list_sessions()
    assert len(server.folders()) == 1
    assert server.process.stop() == 0
    assert server.folders() == []


def test_what_a_killed_server_left_is_not_counted_by_the_next(start: Start) -> None:
    server = start("gunicorn")
    assert server.list_sessions() == 200
    assert server.lists() == 1
    os.killpg(server.process.popen.pid, signal.SIGKILL)
    server.process.popen.wait(TIMEOUT_SECONDS)
    assert server.folders() != []
    again = start("gunicorn", urlsplit(server.url).netloc)
    assert again.url == server.url
    assert again.lists() == 0
    assert len(again.folders()) == 1


def test_only_the_metrics_are_at_their_address_and_they_are_at_no_other(server: Counted) -> None:
    assert server.ask("/notte/sessions")[0] == 404
    assert server.ask("/metrics?x=1")[0] == 200
    assert server.process.request("GET", "/metrics")[0] == 404
