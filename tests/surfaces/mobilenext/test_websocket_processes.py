"""`/ws` of a running server: over TLS, in several workers, and with 1,000 idle connections."""

import json
import resource
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from tests.credentials import make_credentials
from tests.processes import COMMAND, Process, run_command, running_double, running_server
from tests.raw_http import connect
from tests.surfaces.mobilenext.api_client import ANDROID
from tests.websocket_client import PING, PONG, TEXT, WebSocketClient, frame, open_websocket

SERIAL = "emulator-5554"
KEY = {"Authorization": "Bearer mob_test"}
IDLE_COUNT = 1000
ROUNDS, CALLS = 3, 60  # other programs delay a call of most rounds on a busy machine


# Over TLS


def test_a_device_is_driven_over_tls(db: str, tmp_path: Path) -> None:
    credentials = make_credentials(tmp_path)
    options = ("--db", db, "--auth", "lenient", *credentials.options())
    with (
        running_server(*options) as server,
        open_websocket(server.url, trust=credentials.trust, **KEY) as ws,
    ):
        ws.result("fleet.allocate", filters=[ANDROID])
        text = "é" * 200_000  # of many records
        assert ws.result("device.clipboard.set", deviceId=SERIAL, text=text) == {"status": "ok"}
        assert ws.result("device.clipboard.get", deviceId=SERIAL) == {"text": text}
        message = b'{"jsonrpc":"2.0","id":1,"method":"server.info"}'
        for part in (frame(TEXT, message[:9], is_final=False) + frame(PING, b"x"), frame(0, b"")):
            ws.send(part[:1])
            ws.send(part[1:] if part[0] & 0x0F else frame(0, message[9:])[1:])
        assert ws.read_frame() == (PONG, b"x")
        assert json.loads(ws.read_text())["result"]["name"] == "sessionary"
        server.popen.terminate()
        assert ws.read_close() == 1001


# In several workers


@contextmanager
def one_in_each_worker(server: Process, key: str) -> Iterator[list[WebSocketClient]]:
    """Open WebSockets until each worker has one; yield one of each."""
    workers, found = server.workers(), {}
    while len(workers) < 2:
        workers = server.workers()
    with ExitStack() as stack:
        for _ in range(200):
            before = socket_counts(workers)
            who = {"Authorization": f"Bearer {key}"}
            client = stack.enter_context(open_websocket(server.url, **who))
            (owner,) = (pid for pid, count in socket_counts(workers).items() if count > before[pid])
            found.setdefault(owner, client)
            if len(found) == len(workers):
                break
        yield list(found.values())


def socket_counts(workers: list[int]) -> dict[int, int]:
    """Count the open sockets of each process."""
    return {
        pid: sum(
            each.is_symlink() and str(each.readlink()).startswith("socket:")
            for each in Path(f"/proc/{pid}/fd").iterdir()
        )
        for pid in workers
    }


def test_workers_share_keys_devices_and_what_is_remembered(db: str) -> None:
    with running_server("--db", db, "--workers", "2") as server:
        options = ("--surface", "mobilenext", "--db", db, "--json")
        key = json.loads(run_command(COMMAND, "keys", "create", *options).stdout)
        with one_in_each_worker(server, key["secret"]) as (one, other):
            one.result("fleet.allocate", filters=[ANDROID])
            one.result("device.clipboard.set", deviceId=SERIAL, text="from one")
            assert other.result("device.clipboard.get", deviceId=SERIAL) == {"text": "from one"}
            other.result("device.io.orientation.set", deviceId=SERIAL, orientation="landscape")
            shown = one.result("device.io.orientation.get", deviceId=SERIAL)
            assert shown == {"orientation": "landscape"}
            other.result("fleet.release", deviceId=SERIAL)
            gone = (-32000, f"Device {SERIAL} is not allocated")
            assert one.error("device.boot", deviceId=SERIAL) == gone
            assert run_command(COMMAND, "keys", "revoke", key["id"], "--db", db).returncode == 0
            for client in (one, other):
                assert client.error("devices.list") == (-32001, "Not authenticated")
                assert client.read_close() == 1008


# Idle connections


@pytest.mark.parametrize("kind", ["serve", "double"])
def test_1000_idle_connections_take_no_thread_little_memory_and_no_time_of_others(
    db: str, kind: str
) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, max(soft, 4096)), hard))
    running = (
        running_double()
        if kind == "double"
        else running_server("--db", db, "--auth", "lenient", "--workers", "1")
    )
    with running as server, ExitStack() as stack:
        with open_websocket(server.url, **KEY) as ws:  # imports
            assert ws.result("fleet.listDevices")
        pid = server.popen.pid if kind == "double" else server.workers()[0]
        alone = min(worst_wait(server) for _ in range(ROUNDS))
        before = memory_and_threads(pid)
        clients = [
            stack.enter_context(open_websocket(server.url, **KEY)) for _ in range(IDLE_COUNT)
        ]
        after = memory_and_threads(pid)
        beside = min(worst_wait(server) for _ in range(ROUNDS))
        bytes_each = (after[0] - before[0]) / IDLE_COUNT
        print(f"{kind}: {bytes_each:.0f} bytes each; worst wait {alone:.4f} s, {beside:.4f} s")
        assert after[1] == before[1]
        assert bytes_each < 8 * 1024
        assert beside < 10 * alone + 0.5
        for client in (clients[0], clients[-1]):
            assert client.result("server.info")


def memory_and_threads(pid: int) -> tuple[int, int]:
    """Return the resident bytes and the threads of a process."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    values = dict(line.split(":", 1) for line in lines)
    return int(values["VmRSS"].split()[0]) * 1024, int(values["Threads"])


def worst_wait(server: Process) -> float:
    """Return the longest time of a read while others start sessions and read."""
    is_over = threading.Event()
    rest = b" /api/v1/sessions HTTP/1.1\r\nHost: here\r\nAuthorization: Bearer mob_test\r\n\r\n"
    read, start = b"GET" + rest, b"POST" + rest

    def keep_busy() -> None:
        with connect(server.url) as raw:
            while not is_over.is_set():
                for each in (start, read):
                    raw.send(each)
                    raw.expect_response()

    busy = [threading.Thread(target=keep_busy) for _ in range(2)]
    for each in busy:
        each.start()
    waits = []
    with connect(server.url) as raw:
        for _ in range(CALLS):
            began_at = time.monotonic()
            raw.send(read)
            assert raw.expect_response().status == 200
            waits.append(time.monotonic() - began_at)
    is_over.set()
    for each in busy:
        each.join()
    return max(waits)
