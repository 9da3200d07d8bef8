"""Many delayed calls at once, on real servers: they hold neither threads nor other clients."""

import sqlite3
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path

import pytest

from tests.processes import Process, running_double, running_server
from tests.raw_http import RawConnection, connect

COUNT = 500
TOKEN = {"Authorization": "Bearer t"}
FAULT = {"surface": "notte", "kind": "latency", "delay": "10m"}
START = (
    b"POST /~t1/notte/session/start HTTP/1.1\r\nHost: h\r\nAuthorization: Bearer sk-1\r\n"
    b"Content-Type: application/json\r\nContent-Length: 2\r\n\r\n{}"
)
SERVERS = ("double", "serve", "journal", "workers")


@contextmanager
def controlled(kind: str, db: Path) -> Iterator[Process]:
    """Run a double, or a server with a control plane, and a journal or two workers."""
    if kind == "double":
        with running_double() as server:
            yield server
        return
    options = ("--db", str(db), "--auth", "lenient", "--control")
    more = {"workers": ("--workers", "2"), "journal": ("--journal",)}.get(kind, ())
    with running_server(*options, *more, SESSIONARY_CONTROL_TOKEN="t") as server:
        yield server


@contextmanager
def delayed(server: Process, prefix: str, count: int = COUNT) -> Iterator[list[RawConnection]]:
    """Arm a fault and make so many calls that it delays."""
    assert server.request("POST", f"{prefix}/_control/v1/faults", FAULT, **TOKEN)[0] == 201
    request = START if prefix else START.replace(b"/~t1", b"")
    with ExitStack() as stack:
        clients = [stack.enter_context(connect(server.url)) for _ in range(count)]
        for each in clients:
            each.send(request)
        fault = f"{prefix}/_control/v1/faults/1"
        while server.request("GET", fault, **TOKEN)[1]["hit_count"] < count:
            time.sleep(0.01)
        yield clients


def worst_wait(server: Process, path: str = "/scale/user-info") -> float:
    waits = []
    for _ in range(50):
        started_at = time.perf_counter()
        assert server.request("GET", path, **{"x-api-key": "k"})[0] == 200
        waits.append(time.perf_counter() - started_at)
    return max(waits)


@pytest.mark.parametrize("kind", SERVERS)
def test_delayed_calls_hold_no_other_client_and_succeed_once_the_fault_is_disarmed(
    tmp_path: Path, kind: str
) -> None:
    with controlled(kind, tmp_path / "test.sqlite3") as server:
        usual = worst_wait(server)
        with delayed(server, "") as clients:
            assert worst_wait(server) <= 0.25 + 5 * usual
            assert server.request("DELETE", "/_control/v1/faults", **TOKEN)[0] == 204
            # 500 writes go on; in a double, reads of the same namespace wait with them.
            reads = "/livez" if kind == "double" else "/scale/user-info"
            assert worst_wait(server, reads) <= 0.25 + 5 * usual
            assert {each.expect_response().status for each in clients} == {200}


@pytest.mark.parametrize("change", ["reset", "restore"])
def test_a_change_that_fails_cuts_no_delayed_call(tmp_path: Path, change: str) -> None:
    db = tmp_path / "test.sqlite3"
    with running_double("--db", str(db), "--busy-timeout-seconds", "0.5") as server:
        path = f"/_control/v1/namespaces/default/{change}"
        contents = snapshot(server)
        with delayed(server, "", count=1) as (client,):
            with closing(sqlite3.connect(db, isolation_level=None)) as other:
                other.execute("BEGIN IMMEDIATE")
                connection = server.connect()
                connection.request("POST", path, contents)
                assert connection.getresponse().status == 503
                connection.close()
            assert server.request("DELETE", "/_control/v1/faults")[0] == 204
            assert client.expect_response().status == 200


def snapshot(server: Process) -> bytes:
    with closing(server.connect()) as connection:
        connection.request("GET", "/_control/v1/namespaces/default/snapshot")
        return connection.getresponse().read()


@pytest.mark.parametrize("change", ["drop", "reset"])
def test_delayed_calls_are_cut_once_their_namespace_is_gone(change: str) -> None:
    with running_double() as server:
        assert server.request("POST", "/_control/v1/namespaces", {"name": "t1"})[0] == 201
        with delayed(server, "/~t1") as clients:
            path = "/_control/v1/namespaces/t1"
            if change == "drop":
                assert server.request("DELETE", path)[0] == 204
            else:
                assert server.request("POST", f"{path}/reset")[0] == 200
            assert {each.read_to_end() for each in clients} == {b""}
