"""`/ws` of a double: namespaces, the journal, faults, explanations and runs."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from sessionary.replay import first_difference, play, read, running_double
from sessionary.testing import Namespace, Server
from tests.conftest import App, Serve
from tests.processes import COMMAND, run_command
from tests.raw_http import Response, connect
from tests.surfaces.mobilenext.api_client import ANDROID, IOS, device
from tests.websocket_client import (
    TEXT,
    WebSocketClient,
    frame,
    open_websocket,
    send_handshake,
)

SERIAL = "emulator-5554"
NOON = "2026-03-01T12:00:00Z"


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with Server() as server:
        yield server


@pytest.fixture
def namespace(server: Server) -> Iterator[Namespace]:
    namespace = server.namespace(now=NOON)
    yield namespace
    namespace.drop()


@contextmanager
def opened(namespace: Namespace, **headers: str) -> Iterator[WebSocketClient]:
    """Open a WebSocket in a namespace by the key that its environment has."""
    who = {"Authorization": f"Bearer {namespace.mobilenext.key}", **headers}
    with open_websocket(namespace.mobilenext.server_url, **who) as client:
        yield client


@pytest.fixture
def ws(namespace: Namespace) -> Iterator[WebSocketClient]:
    with opened(namespace) as client:
        yield client


def close_code_of(ws: WebSocketClient, method: str, **params: Any) -> int:
    """Call a method that closes the connection instead of an answer; return the code."""
    ws.send(frame(TEXT, json.dumps(request(method, **params)).encode()))
    return ws.read_close()


def request(method: str, **params: Any) -> dict[str, Any]:
    return {"jsonrpc": "2.0", "id": 1, "method": method, "params": params}


def count_devices(ws: WebSocketClient) -> int:
    return len(ws.result("devices.list")["devices"])


# Namespaces


def test_a_namespace_is_chosen_by_the_key_the_path_or_a_header(
    server: Server, namespace: Namespace
) -> None:
    name, key = namespace.namespace, {"Authorization": "Bearer mob_test"}
    ways: list[tuple[str, dict[str, str]]] = [
        (f"/~{name}/ws", key),
        (f"/~{name}/mobilenext/ws", key),
        (f"/~{name}/ws?token=mob_test", {}),
        ("/ws", {**key, "Sessionary_Namespace": name}),
        ("/ws", {"Authorization": f"Bearer mob_ns-{name}-test"}),
        (f"/ws?token=mob_ns-{name}-test", {}),
    ]
    for count, (path, given) in enumerate(ways, 1):
        with open_websocket(server.url, path, **given) as client:
            client.result("fleet.listDevices")
        assert namespace.journal.count("WS", "fleet.listDevices") == count, path
    with open_websocket(server.url, **key) as client:
        client.result("fleet.listDevices")
    assert namespace.journal.count("WS") == len(ways)


def test_a_handshake_creates_its_namespace(server: Server) -> None:
    with open_websocket(server.url, Authorization="Bearer mob_ns-made-x") as client:
        assert count_devices(client) == 0
    assert "made" in server.client.namespaces.list()
    with connect(server.url) as raw:
        assert send_handshake(raw, Authorization="Bearer nope_ns-unmade-x").status == 401
    assert "unmade" not in server.client.namespaces.list()


def test_a_connection_goes_on_in_a_namespace_that_was_reset(
    namespace: Namespace, ws: WebSocketClient
) -> None:
    ws.result("fleet.allocate", filters=[ANDROID])
    namespace.reset()
    assert count_devices(ws) == 0


@pytest.mark.parametrize("at", ["+5m", "-5m", "2026-03-01T12:05:00Z"])
@pytest.mark.parametrize("method", ["devices.list", "device.io.tap"])
def test_a_message_is_about_now(namespace: Namespace, at: str, method: str) -> None:
    key, name = namespace.mobilenext.key, namespace.namespace
    refused = "Sessionary-At: a message is about now: leave it out, also of the key and of the path"
    by_key = {"Authorization": f"Bearer {key.replace(name, f'{name}@{at}')}"}
    by_header = {"Authorization": f"Bearer {key}", "Sessionary_At": at}
    by_path = {"Authorization": "Bearer mob_x"}
    url = namespace.mobilenext.server_url
    namespace.clock.advance("10m")
    for path, given in (("/ws", by_key), ("/ws", by_header), (f"/~{name}@{at}/ws", by_path)):
        with open_websocket(url, path, **given) as client:
            assert client.error(method) == (-32602, refused)


# The journal


def test_each_message_is_a_call_of_its_method(namespace: Namespace, ws: WebSocketClient) -> None:
    session = ws.result("fleet.allocate", filters=[ANDROID])["sessionId"]
    for x in (1, 2):
        ws.result("device.io.tap", deviceId=SERIAL, x=x, y=2)
    assert ws.error("device.io.tap", deviceId="nope", x=1, y=2)[0] == -32000
    assert ws.error("device.io.tap", deviceId=SERIAL)[0] == -32602
    (call, _) = namespace.journal.assert_called("WS", "device.io.tap", status=200, times=2)
    assert (call["path"], call["session"], call["surface"]) == ("/ws", session, "mobilenext")
    assert call["body"] == {"deviceId": SERIAL, "x": 1, "y": 2}
    assert call["response"] == {"jsonrpc": "2.0", "id": 2, "result": {"status": "ok"}}
    for status in (-32000, -32602):
        namespace.journal.assert_called("WS", "device.io.tap", status=status, times=1)
    found = namespace.journal.assert_called("WS", "device.io.tap", times=1, json={"x": 2})
    assert found[0]["session"] == session
    (started,) = namespace.journal.find("WS", "fleet.allocate", session=session)
    assert started["response"]["result"]["sessionId"] == session


def test_a_near_miss_is_shown_by_its_method(namespace: Namespace, ws: WebSocketClient) -> None:
    ws.error("device.io.tap", deviceId=SERIAL, x=1, y=2)
    with pytest.raises(AssertionError) as failed:
        namespace.journal.assert_called("WS", "device.io.tab")
    lines = str(failed.value).splitlines()
    assert lines[2].endswith(
        f'WS device.io.tap {{"deviceId": "{SERIAL}", "x": 1, "y": 2}} -> -32000'
    )
    assert lines[3] == "    path is device.io.tap, expected device.io.tab"


def test_what_is_no_request_is_recorded_without_a_method(
    namespace: Namespace, ws: WebSocketClient
) -> None:
    ws.send(frame(TEXT, b"{"))
    ws.read_text()
    ws.error("unknown.method")
    found = namespace.journal.find("WS")
    assert [(each["route"], each["status"]) for each in found] == [("/ws", -32700), ("/ws", -32601)]


def test_a_picture_is_recorded_as_its_length(namespace: Namespace, ws: WebSocketClient) -> None:
    ws.result("fleet.allocate", filters=[ANDROID])
    picture = ws.result("device.screenshot", deviceId=SERIAL)["data"]
    (call,) = namespace.journal.assert_called("WS", "device.screenshot", times=1)
    assert call["response"]["result"]["data"] == f"{len(picture)} characters"


def test_a_handshake_is_a_call_and_its_token_is_not_recorded(
    server: Server, namespace: Namespace
) -> None:
    key = namespace.mobilenext.key
    with open_websocket(server.url, f"/ws?token={key}") as client:
        assert count_devices(client) == 0
    with connect(server.url) as raw:
        send_handshake(raw, f"/~{namespace.namespace}/ws?token=a-secret")
        send_handshake(raw, Upgrade="", Authorization=f"Bearer {key}")
    assert [each["status"] for each in namespace.journal.find("GET", "/ws")] == [101, 401, 426]
    recorded = json.dumps(namespace.journal.find())
    assert key not in recorded
    assert "a-secret" not in recorded


def test_refusals_are_explained(namespace: Namespace, ws: WebSocketClient) -> None:
    ws.error("device.io.tap", deviceId=SERIAL)
    with connect(namespace.mobilenext.server_url) as raw:
        path = f"/~{namespace.namespace}/ws"
        refused = send_handshake(raw, path, Authorization="Bearer nope")
        send_handshake(raw, path, Upgrade="", Authorization="Bearer mob_x")
    assert "/explain" in refused.headers["link"]
    message, unknown, plain = (
        namespace.journal.explain(each["id"])
        for each in namespace.journal.find()
        if each["status"] != 101
    )
    assert (message["route"], message["status"]) == ("device.io.tap", -32602)
    assert message["note"] == "the response says why the message is refused"
    assert [each["pointer"] for each in unknown["violations"]] == ["Authorization"]
    assert plain["note"] == "the request is well formed; the response says why it is refused"


# Faults


@pytest.mark.parametrize(
    ("fault", "code", "data"),
    [
        ({"preset": "device_offline"}, -32000, "The device is offline"),
        ({"preset": "no_device_available"}, -32000, "Every device that matches"),
        ({"status": 400, "message": "Wrong"}, -32602, "Wrong"),
        ({"status": 500, "message": "secret"}, -32603, "Something went wrong"),
        ({"status": 503, "message": "Busy"}, -32000, "Busy"),
    ],
)
def test_a_fault_of_a_method_is_its_error_and_the_connection_stays(
    namespace: Namespace, ws: WebSocketClient, fault: dict[str, Any], code: int, data: str
) -> None:
    namespace.faults.add("mobilenext", route="device.info", times=1, **fault)
    assert count_devices(ws) == 0
    found = ws.error("device.info", deviceId=SERIAL)
    assert found[0] == code
    assert found[1].startswith(data)
    assert ws.error("device.info", deviceId=SERIAL) == (-32000, f"Device {SERIAL} is not allocated")
    call, _ = namespace.journal.find("WS", "device.info")
    assert (call["status"], call["fault"]["kind"]) == (code, "status")


def test_a_fault_that_refuses_the_key_closes_the_connection(
    namespace: Namespace, ws: WebSocketClient
) -> None:
    namespace.faults.add("mobilenext", method="WS", status=401)
    assert ws.error("devices.list")[0] == -32001
    assert ws.read_close() == 1008


@pytest.mark.parametrize(
    ("kind", "phase", "is_allocated"),
    [("empty", "before", False), ("empty", "after", True), ("truncated", "after", True)],
)
def test_a_dropped_message_closes_with_1011_before_or_after_its_work(
    namespace: Namespace, ws: WebSocketClient, kind: str, phase: str, is_allocated: bool
) -> None:
    namespace.faults.add("mobilenext", route="fleet.allocate", kind=kind, phase=phase, times=1)
    assert close_code_of(ws, "fleet.allocate", filters=[ANDROID]) == 1011
    with opened(namespace) as client:
        assert count_devices(client) == is_allocated


def test_a_reset_ends_the_connection_without_a_close(
    namespace: Namespace, ws: WebSocketClient
) -> None:
    namespace.faults.add("mobilenext", method="WS", kind="reset")
    ws.send(frame(TEXT, json.dumps(request("devices.list")).encode()))
    with pytest.raises(ConnectionResetError):
        ws.raw.socket.recv(1)


def test_a_delayed_message_keeps_nobody_else_waiting(
    namespace: Namespace, ws: WebSocketClient
) -> None:
    namespace.faults.add("mobilenext", route="devices.list", kind="latency", delay="9m", times=1)
    delayed: list[int] = []
    waiting = threading.Thread(target=lambda: delayed.append(count_devices(ws)))
    waiting.start()
    with opened(namespace) as other:
        while not namespace.faults.list()[0]["hit_count"]:
            assert other.result("server.info")
        assert count_devices(other) == 0
    assert waiting.is_alive()
    namespace.faults.clear()
    waiting.join(30)
    assert delayed == [0]


@pytest.mark.parametrize("kind", ["empty", "reset"])
def test_a_fault_of_the_handshake_leaves_open_connections_alone(
    namespace: Namespace, ws: WebSocketClient, kind: str
) -> None:
    namespace.faults.add("mobilenext", method="GET", route="/ws", status=503, times=1)
    namespace.faults.add("mobilenext", method="GET", route="/ws", kind=kind, times=1)
    who = {"Authorization": f"Bearer {namespace.mobilenext.key}"}
    with connect(namespace.mobilenext.server_url) as raw:
        refused = send_handshake(raw, **who)
        assert (refused.status, list(json.loads(refused.body))) == (503, ["error"])
    with connect(namespace.mobilenext.server_url) as raw, pytest.raises(AssertionError):
        send_handshake(raw, **who)
    assert count_devices(ws) == 0
    with opened(namespace) as client:
        assert count_devices(client) == 0


def test_a_fault_names_a_method_that_exists(namespace: Namespace) -> None:
    with pytest.raises(Exception, match=r"mobilenext has no route 'device\.io\.tab'"):
        namespace.faults.add("mobilenext", route="device.io.tab", status=500)


# What is remembered


def remembered(namespace: Namespace, session: str, at: str | None = None) -> dict[str, Any]:
    (allocation,) = namespace.explain(session, at=at)["inputs"]["allocations"]
    return {
        each["name"]: (each["value"], each["call"]) for each in allocation.get("remembered", ())
    }


def test_an_explanation_lists_what_is_remembered_also_as_of_the_past(
    namespace: Namespace, ws: WebSocketClient
) -> None:
    session = ws.result("fleet.allocate", filters=[ANDROID])["sessionId"]
    ws.result("device.clipboard.set", deviceId=SERIAL, text="é")
    before = {"clipboard": ("é", "device.clipboard.set")}
    namespace.clock.advance("1m")
    ws.result("device.clipboard.set", deviceId=SERIAL, text="later")
    ws.result("device.io.orientation.set", deviceId=SERIAL, orientation="landscape")
    now = {
        "clipboard": ("later", "device.clipboard.set"),
        "orientation": ("landscape", "device.io.orientation.set"),
    }
    assert remembered(namespace, session) == now
    assert remembered(namespace, session, "-1s") == before
    assert remembered(namespace, session, "+1h") == now
    fork = namespace.fork()
    assert remembered(fork, session) == now
    ws.result("fleet.release", deviceId=SERIAL)
    assert remembered(fork, session) == now
    assert remembered(namespace, session) == {}
    fork.drop()


# Runs and recordings


def test_a_run_with_messages_is_done_again(server: Server, tmp_path: Path) -> None:
    namespace = server.namespace(now=NOON, record=True)
    namespace.seed(device("A-1"))
    with opened(namespace) as ws:
        ws.result("fleet.allocate", filters=[IOS])
        ws.result("device.clipboard.set", deviceId="A-1", text="x")
        ws.result("device.screenshot", deviceId="A-1")
        ws.error("device.info", deviceId="nope")
        namespace.faults.add("mobilenext", route="device.boot", preset="device_offline", times=1)
        ws.error("device.boot", deviceId="A-1")
        namespace.faults.add("mobilenext", method="WS", kind="empty", phase="after", times=1)
        assert close_code_of(ws, "fleet.release", deviceId="A-1") == 1011
    with opened(namespace) as ws:
        assert count_devices(ws) == 0
        namespace.faults.add("mobilenext", method="WS", status=401, times=1)
        assert ws.error("devices.list")[0] == -32001
    run = read(namespace.save_run(tmp_path / "run.jsonl"))
    namespace.drop()
    methods = [each["method"] for each in run.calls]
    assert methods == ["GET", *["WS"] * 6, "GET", *["WS"] * 2]
    with running_double(run) as client:
        assert first_difference(run, play(run, client)) is None


def test_a_message_by_http_is_for_doubles(server: Server, app: App, serve: Serve) -> None:
    def answer(url: str, body: bytes, length: int) -> Response:
        head = (
            "POST /ws HTTP/1.1\r\nHost: here\r\nAuthorization: Bearer mob_test\r\n"
            "Sessionary-Method: WS\r\nContent-Type: application/json\r\n"
            f"Content-Length: {length}\r\n\r\n"
        )
        with connect(url) as raw:
            raw.send(head.encode() + body)
            return raw.expect_response()

    body = json.dumps(request("devices.list")).encode()
    shown = answer(server.url, body, len(body))
    assert (shown.status, json.loads(shown.body)["result"]) == (200, {"devices": []})
    broken = answer(server.url, b"{", 1)
    assert (broken.status, json.loads(broken.body)["error"]["code"]) == (200, -32700)
    assert answer(serve(app), body, len(body)).status == 405
    assert answer(server.url, body, 2**40).status == 405


def test_the_websocket_of_a_recording_is_left_out_with_a_reason(tmp_path: Path) -> None:
    url = "https://api.mobilenext.ai/ws"
    entry = {
        "startedDateTime": NOON,
        "request": {"method": "GET", "url": url, "headers": []},
        "response": {"status": 101},
    }
    (tmp_path / "ws.har").write_text(json.dumps({"log": {"entries": [entry]}}))
    verified = run_command(COMMAND, "verify", str(tmp_path / "ws.har"), "--surface=mobilenext")
    assert "it opens a WebSocket; messages are not replayed" in verified.stdout


def test_launched_apps_are_explained_and_listed(namespace: Namespace, ws: WebSocketClient) -> None:
    session = ws.result("fleet.allocate", filters=[ANDROID])["sessionId"]
    ws.result("device.apps.launch", deviceId=SERIAL, bundleId="com.example.shop")
    apps, call = remembered(namespace, session)["apps"]
    assert (apps, call) == (["com.example.shop"], "device.apps.launch")
    assert [each["id"] for each in namespace.sessions()] == [session]
