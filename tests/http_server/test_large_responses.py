"""Large responses: they keep no other client waiting, and unread ones take no memory."""

import json
import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from tests.processes import TIMEOUT_SECONDS, Process, running_double, running_server
from tests.raw_http import RawConnection, connect

SGP = {"x-api-key": "anyone"}
STATE = {"messages": [{"role": "user", "content": "hello " * 40}] * 3700}  # a megabyte as JSON
COUNT = 20
LIST = b"GET /v4/sessions?limit=10000&account_id=a HTTP/1.1\r\nHost: h\r\nx-api-key: anyone\r\n\r\n"


@contextmanager
def filled(kind: str, db: Path) -> Iterator[Process]:
    """Run a server with COUNT sessions of a megabyte in one account and a small one in another."""
    options = ("--db", str(db), "--auth", "lenient", *(["--control"] if kind == "control" else []))
    token = {"SESSIONARY_CONTROL_TOKEN": "t"}
    run = running_double() if kind == "double" else running_server(*options, **token)
    with run as server:
        for account, state in [("a", STATE)] * COUNT + [("b", {})]:
            body = {"title": "t", "state": state, "account_id": account}
            assert server.request("POST", "/v4/sessions", body, **SGP)[0] == 200
        yield server


def memory_mb(server: Process) -> int:
    pids = server.workers() or [server.popen.pid]
    status = "".join(Path(f"/proc/{pid}/status").read_text() for pid in pids)
    lines = [line.split() for line in status.splitlines() if line.startswith("VmRSS")]
    return sum(int(kilobytes) for _, kilobytes, _ in lines) // 1024


def seconds_of(server: Process, path: str) -> float:
    started_at = time.perf_counter()
    assert server.request("GET", path, **SGP)[0] == 200
    return time.perf_counter() - started_at


@contextmanager
def unread(server: Process, count: int, request: bytes) -> Iterator[list[RawConnection]]:
    with ExitStack() as stack:
        clients = [stack.enter_context(connect(server.url)) for _ in range(count)]
        for each in clients:
            each.send(request)
        yield clients


@pytest.mark.parametrize("kind", ["serve", "control"])
def test_unread_large_lists_take_little_memory_and_keep_nobody_waiting(
    tmp_path: Path, kind: str
) -> None:
    with filled(kind, tmp_path / "test.sqlite3") as server:
        path = "/v4/sessions?account_id=b"
        usual = max(seconds_of(server, path) for _ in range(20))
        before = memory_mb(server)
        with unread(server, 12, LIST) as clients:
            waits, taken = [], []
            while len(waits) < 100 or not all(map(has_response, clients)):
                waits += [seconds_of(server, path), seconds_of(server, "/livez")]
                taken.append(memory_mb(server) - before)
            assert max(taken) <= 64
            # 250 ms on a machine with nothing else to do
            assert max(waits) <= 0.25 + 5 * usual
            response = clients[0].expect_response()
            shown = json.loads(response.body)
            assert (shown["total_item_count"], len(shown["items"])) == (COUNT, COUNT)
            assert shown["items"][-1]["state"] == STATE
            clients[0].send(LIST)  # the connection goes on
            assert clients[0].expect_response().body == response.body


def test_a_read_after_a_large_list_sees_the_latest_write(tmp_path: Path) -> None:
    seed = tmp_path / "seed.toml"
    row = '[[scale.sessions]]\naccount_id = "a"\ntitle = "t"\nstate = {}\ncreated_ago = "1m"\n'
    rows = (f'{row}id = "00000000-0000-4000-8000-{number:012}"\n' for number in range(400))
    seed.write_text('[[organizations]]\nid = "a"\nname = "A"\n' + "".join(rows))
    arguments = ("--auth", "lenient", "--seed", str(seed))
    with running_server("--db", str(tmp_path / "test.sqlite3"), *arguments) as server:
        for _ in range(5):
            status, page = server.request("GET", "/v4/sessions?limit=1000", **SGP)
            assert (status, len(page["items"]) >= 400) == (200, True)
            body = {"title": "t", "state": {}, "account_id": "a"}
            _, made = server.request("POST", "/v4/sessions", body, **SGP)
            assert server.request("GET", f"/v4/sessions/{made['id']}", **SGP) == (200, made)


def is_connected(client: RawConnection) -> bool:
    """Whether the server's end of the connection is open."""
    port = f":{client.socket.getsockname()[1]:04X}"
    ends = (line.split()[2:4] for line in Path("/proc/net/tcp").read_text().splitlines()[1:])
    return any(remote.endswith(port) and state == "01" for remote, state in ends)


def test_a_client_that_reads_nothing_of_a_large_response_is_cut(tmp_path: Path) -> None:
    options = ("--db", str(tmp_path / "x.sqlite3"), "--auth", "lenient")
    with running_server(*options, "--client-timeout-seconds", "1") as server:
        for _ in range(10):  # more than what the two sockets hold
            body = {"title": "t", "state": STATE, "account_id": "a"}
            assert server.request("POST", "/v4/sessions", body, **SGP)[0] == 200
        with connect(server.url) as client:
            client.send(LIST)
            while not has_response(client):
                assert seconds_of(server, "/livez") < 5
            due = time.monotonic() + TIMEOUT_SECONDS
            while is_connected(client):
                assert time.monotonic() < due
                time.sleep(0.01)
            assert len(client.read_to_end()) < 10_000_000


def test_a_snapshot_that_is_not_read_takes_little_memory() -> None:
    with filled("double", Path()) as server:
        before = memory_mb(server)
        snapshot = b"GET /_control/v1/namespaces/default/snapshot HTTP/1.1\r\nHost: h\r\n\r\n"
        with unread(server, 12, snapshot) as clients:
            while not all(map(has_response, clients)):
                assert seconds_of(server, "/livez") < 5
            assert memory_mb(server) - before <= 64
            content = clients[0].expect_response().body
            assert content.startswith(b"SQLite format 3")
            assert len(content) > COUNT * 1_000_000


def has_response(client: RawConnection) -> bool:
    """Return whether a client could read the beginning of its response."""
    client.socket.setblocking(False)
    try:
        return bool(client.socket.recv(1, socket.MSG_PEEK))
    except BlockingIOError:
        return False
    finally:
        client.socket.settimeout(30)
