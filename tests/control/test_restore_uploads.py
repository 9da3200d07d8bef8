"""Large files that are restored: their own limit, what a refusal reads, and what others notice."""

import json
from collections.abc import Iterator
from contextlib import ExitStack, closing
from pathlib import Path

import pytest

from tests.processes import Process, running_double
from tests.raw_http import RawConnection, Response, connect

MIB = 1024 * 1024
MAX_BYTES = 24 * MIB
SCALE = {"x-api-key": "anyone"}
RESTORE = "/_control/v1/namespaces/{}/restore"


@pytest.fixture(scope="module")
def double() -> Iterator[Process]:
    with running_double("--max-restore-bytes", str(MAX_BYTES), "--threads", "2") as process:
        yield process


def call(double: Process, method: str, path: str, body: bytes | None = None) -> tuple[int, bytes]:
    with closing(double.connect()) as connection:
        connection.request(method, path, body)
        response = connection.getresponse()
        return response.status, response.read()


def begin(raw: RawConnection, name: str, length: int, *headers: bytes) -> None:
    """Send the head of an upload."""
    line = f"POST {RESTORE.format(name)} HTTP/1.1\r\nHost: 127.0.0.1\r\n".encode()
    raw.send(line + b"".join(each + b"\r\n" for each in headers))
    raw.send(b"Content-Length: %d\r\n\r\n" % length)


def detail(response: Response) -> str:
    assert response.headers["content-type"] == "application/problem+json"
    return str(json.loads(response.body)["detail"])


def memory_bytes(process: Process) -> int:
    status = Path(f"/proc/{process.popen.pid}/status").read_text()
    return int(status.split("VmRSS:")[1].split()[0]) * 1024


@pytest.fixture(scope="module")
def snapshot(double: Process) -> bytes:
    """A snapshot of more than the limit of other bodies."""
    for number in range(6):
        body = {"title": str(number), "state": {"x": "x" * 900_000}, "account_id": "a"}
        assert double.request("POST", "/v4/sessions", body, **SCALE)[0] == 200
    contents = call(double, "GET", "/_control/v1/namespaces/default/snapshot")[1]
    assert 5 * MIB < len(contents) < MAX_BYTES
    return contents


def test_a_large_snapshot_is_restored(double: Process, snapshot: bytes) -> None:
    assert call(double, "POST", RESTORE.format("large"), snapshot)[0] == 200
    status, listed = double.request("GET", "/~large/v4/sessions", **SCALE)
    assert (status, len(listed["items"])) == (200, 6)
    assert call(double, "GET", "/_control/v1/namespaces/large/snapshot")[0] == 200


def test_the_connection_of_an_upload_serves_the_next_request(
    double: Process, snapshot: bytes
) -> None:
    with connect(double.url) as raw:
        for _ in range(2):
            begin(raw, "kept", len(snapshot))
            raw.send(snapshot)
            assert raw.expect_response().status == 200
        raw.send(b"GET /livez HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
        assert raw.expect_response().status == 200


@pytest.mark.parametrize("length", [MAX_BYTES + 1, 8 * MAX_BYTES], ids=["by one byte", "far"])
def test_a_client_that_sends_too_much_can_read_the_refusal(double: Process, length: int) -> None:
    status, body = call(double, "POST", RESTORE.format("t1"), bytes(length))
    assert status == 413
    assert json.loads(body)["status"] == 413


def test_a_chunked_upload_over_the_limit_is_refused(double: Process) -> None:
    with connect(double.url) as raw:
        line = f"POST {RESTORE.format('t1')} HTTP/1.1\r\nHost: 127.0.0.1\r\n".encode()
        raw.send(line + b"Transfer-Encoding: chunked\r\n\r\n")
        for _ in range(MAX_BYTES // MIB + 1):
            raw.send(b"%x\r\n%s\r\n" % (MIB, bytes(MIB)))
        response = raw.expect_response()
        assert response.status == 413
        assert f"than {MAX_BYTES} bytes, the maximum of the setting max_restore_bytes" in detail(
            response
        )


def test_other_bodies_keep_their_limit(double: Process) -> None:
    status, body = call(double, "POST", "/_control/v1/namespaces/default/seed", bytes(5 * MIB))
    assert (status, json.loads(body)["status"]) == (413, 413)


def test_a_truncated_upload_changes_nothing(double: Process, snapshot: bytes) -> None:
    with connect(double.url) as raw:
        begin(raw, "truncated", len(snapshot))
        raw.send(snapshot[:-1])
    names = json.loads(call(double, "GET", "/_control/v1/namespaces")[1])["namespaces"]
    assert "truncated" not in names


def test_uploads_that_stall_hold_neither_memory_nor_other_clients(
    double: Process, snapshot: bytes
) -> None:
    before = memory_bytes(double)
    with ExitStack() as stack:
        slow = [stack.enter_context(connect(double.url)) for _ in range(2)]
        for each in slow:
            begin(each, "slow", MAX_BYTES)
            each.send(bytes(MAX_BYTES - 1))
        assert double.request("GET", "/readyz")[0] == 200
        assert double.request("GET", "/v4/sessions?limit=1", **SCALE)[0] == 200
        assert double.request("GET", "/_control/v1/clock")[0] == 200
        assert call(double, "POST", "/_control/v1/namespaces/default/fork")[0] == 201
        assert memory_bytes(double) - before < MAX_BYTES
    assert call(double, "POST", RESTORE.format("slow"), snapshot)[0] == 200


def test_an_upload_without_the_token_is_refused_unread() -> None:
    with running_double(SESSIONARY_CONTROL_TOKEN="hush") as double, connect(double.url) as raw:
        begin(raw, "t1", 100 * MIB)
        assert raw.expect_response().status == 401
