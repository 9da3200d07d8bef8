"""The fleet and the devices over `/ws`, on real sockets."""

import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from sessionary.identity.models import Key
from sessionary.settings import Settings
from tests.conftest import App, Serve
from tests.raw_http import connect
from tests.surfaces.mobilenext.api_client import ANDROID, IOS, Calls, device
from tests.websocket_client import (
    BINARY,
    TEXT,
    WebSocketClient,
    frame,
    open_websocket,
    send_handshake,
)

KEY = {"Authorization": "Bearer mob_test"}


@pytest.fixture
def url(app: App, serve: Serve) -> str:
    return serve(app)


@pytest.fixture
def ws(url: str) -> Any:
    with open_websocket(url, **KEY) as client:
        yield client


@pytest.mark.parametrize("path", ["/ws", "/mobilenext/ws", "/ws/"])
@pytest.mark.parametrize("given", [KEY, {}])
def test_a_key_in_the_header_or_the_query_opens_a_websocket(
    url: str, path: str, given: dict[str, str]
) -> None:
    query = "" if given else "?token=mob_test"
    with open_websocket(url, path + query, **given) as client:
        assert client.result("devices.list") == {"devices": []}


@pytest.mark.parametrize(
    ("path", "headers"),
    [("/ws", {}), ("/ws?token=nope", {}), ("/ws?token=mob_test", {"Authorization": "Bearer nope"})],
)
def test_a_missing_or_unknown_key_is_401_before_the_upgrade(
    url: str, path: str, headers: dict[str, str]
) -> None:
    with connect(url) as raw:
        response = send_handshake(raw, path, **headers)
    assert response.status == 401
    assert response.body == b'{"error":{"code":"unauthorized","message":"Not authenticated"}}'


def test_a_request_without_upgrade_is_426(url: str) -> None:
    with connect(url) as raw:
        response = send_handshake(raw, Upgrade="", **KEY)
    assert (response.status, response.headers["upgrade"]) == (426, "websocket")
    assert b'"code":"upgrade_required"' in response.body


def test_a_device_is_allocated_shown_and_released(ws: WebSocketClient, calls: Calls) -> None:
    allocated = ws.result("fleet.allocate", filters=[ANDROID])
    provider = {"type": "mobilenext"} | {
        name: allocated[name] for name in ("allocationId", "sessionId")
    }
    shown = {
        "id": "emulator-5554",
        "name": "Pixel 9",
        "platform": "android",
        "type": "emulator",
        "version": "16",
        "state": "online",
        "model": "Pixel 9",
        "provider": provider,
    }
    assert allocated == {
        "sessionId": provider["sessionId"],
        "allocationId": provider["allocationId"],
        "device": shown,
    }
    assert ws.result("devices.list") == {"devices": [shown]}
    assert ws.result("device.list", deviceId="x") == {"data": {"devices": [shown]}}
    (session,) = calls.page()["data"]
    assert (session["id"], session["releasedAt"]) == (provider["sessionId"], None)
    assert ws.result("fleet.release", deviceId="emulator-5554") == {"status": "ok"}
    assert ws.result("devices.list") == {"devices": []}
    assert calls.session(session["id"])["releasedAt"] is not None


def test_an_on_demand_device_is_allocating_until_it_is_ready(ws: WebSocketClient, app: App) -> None:
    app.seed(device("A-1", provision_seconds=20))
    allocated = ws.result("fleet.allocate", filters=[IOS])
    assert allocated["state"] == "allocating"
    assert "device" not in allocated

    def listed() -> list[tuple[str, str, str]]:
        found = ws.result("devices.list")["devices"]
        return [(each["id"], each["state"], each["provider"]["allocationId"]) for each in found]

    app.advance(timedelta(seconds=20, microseconds=-1))
    assert listed() == [("", "allocating", allocated["allocationId"])]
    app.advance(microseconds=1)
    assert listed() == [("A-1", "online", allocated["allocationId"])]


def test_a_device_is_gone_at_the_end_of_its_lease(
    make_app: Callable[..., App], serve: Serve
) -> None:
    app = make_app(mobilenext_lease_minutes=10)
    with open_websocket(serve(app), **KEY) as ws:
        ws.result("fleet.allocate", filters=[IOS])
        app.advance(timedelta(minutes=10, microseconds=-1))
        assert len(ws.result("devices.list")["devices"]) == 1
        app.advance(microseconds=1)
        assert ws.result("devices.list") == {"devices": []}


def test_the_callers_own_devices_are_listed_oldest_first(url: str, ws: WebSocketClient) -> None:
    ids = [ws.result("fleet.allocate", filters=[each])["allocationId"] for each in (IOS, ANDROID)]
    with open_websocket(url, Authorization="Bearer mob_other") as other:
        other.result("fleet.allocate", filters=[IOS])
        assert len(other.result("devices.list")["devices"]) == 1
    shown = ws.result("devices.list")["devices"]
    assert [each["provider"]["allocationId"] for each in shown] == ids


def test_the_newest_allocation_of_a_device_is_released(ws: WebSocketClient, calls: Calls) -> None:
    over = calls.hold()
    calls.release(over["id"], "emulator-5554")
    held = calls.hold()
    assert ws.result("fleet.release", deviceId="emulator-5554") == {"status": "ok"}
    assert calls.session(held["id"])["releasedAt"] is not None
    refused = (-32000, "Device emulator-5554 is not allocated in this session")
    assert ws.error("fleet.release", deviceId="emulator-5554") == refused


def test_the_fleet_has_each_model_once_without_retired_ones(ws: WebSocketClient, app: App) -> None:
    for serial in ("A-1", "A-2"):
        app.seed(device(serial))
    shown = {"name": "iPhone", "platform": "ios", "type": "real", "version": "18"}
    ws.result("fleet.allocate", filters=[IOS])
    assert ws.result("fleet.listDevices")["devices"] == [{**shown, "formFactor": "phone"}]


def test_the_server_says_its_name_and_version(ws: WebSocketClient) -> None:
    assert ws.result("server.info")["name"] == "sessionary"


def test_filters_are_checked_as_in_rest(ws: WebSocketClient) -> None:
    assert ws.error("fleet.allocate") == (-32602, "filters: is required")
    two = "filters: must have exactly one filter on platform"
    assert ws.error("fleet.allocate", filters=[IOS, IOS]) == (-32602, two)
    nothing = [IOS, {"attribute": "name", "operator": "EQUALS", "value": "Nokia"}]
    refused = (-32000, "No device matches these filters")
    assert ws.error("fleet.allocate", filters=nothing) == refused


@pytest.mark.parametrize(
    ("message", "id", "code", "data"),
    [
        (b"{", None, -32700, "expecting jsonrpc payload"),
        (b'{"id": NaN}', None, -32700, "expecting jsonrpc payload"),
        (b'{"id":' + b"[" * 200 + b"]" * 200 + b"}", None, -32700, "expecting jsonrpc payload"),
        (b"[]", None, -32600, "a request must be an object; batches are not supported"),
        (b'{"jsonrpc":"2.0","method":"x"}', None, -32600, "'id' is required: a string or a number"),
        (b'{"jsonrpc":"1.0","id":"a","method":"x"}', "a", -32600, "'jsonrpc' must be '2.0'"),
        (b'{"jsonrpc":"2.0","id":7}', 7, -32600, "'method' is required"),
        (b'{"jsonrpc":"2.0","id":7,"method":"a.b"}', 7, -32601, "a.b not found"),
        (
            b'{"jsonrpc":"2.0","id":7,"method":"devices.list","params":[]}',
            7,
            -32602,
            "params: must be an object",
        ),
    ],
)
def test_every_message_that_can_be_read_is_answered(
    ws: WebSocketClient, message: bytes, id: object, code: int, data: str
) -> None:
    ws.send(frame(TEXT, message))
    answer = json.loads(ws.read_text())
    assert (answer["jsonrpc"], answer["id"]) == ("2.0", id)
    assert (answer["error"]["code"], answer["error"]["data"]) == (code, data)
    assert ws.result("devices.list") == {"devices": []}


def test_a_binary_message_is_refused_and_the_connection_stays(ws: WebSocketClient) -> None:
    ws.send(frame(BINARY, b"{}"))
    assert "only text messages accepted for requests" in ws.read_text()
    assert ws.result("devices.list") == {"devices": []}


@pytest.mark.parametrize(
    ("sent", "code"),
    [
        (b"\x81\x02{}", 1002),  # not masked
        (b"\xc1" + frame(TEXT, b"{}")[1:], 1002),  # a reserved bit
        (frame(TEXT, b"\xff"), 1007),
        (frame(TEXT, b" " * (Settings.max_body_bytes + 1)), 1009),
    ],
)
def test_what_no_answer_can_be_given_to_closes_the_connection(
    ws: WebSocketClient, sent: bytes, code: int
) -> None:
    ws.send(sent)
    assert ws.read_close() == code


def test_a_readonly_member_reads_and_changes_nothing(strict: App, serve: Serve) -> None:
    with open_websocket(serve(strict), Authorization="Bearer mob_rob") as ws:
        assert ws.result("devices.list") == {"devices": []}
        refused = (-32000, "Your role in this organization does not allow this")
        assert ws.error("fleet.allocate", filters=[IOS]) == refused


def test_a_key_that_was_revoked_is_refused_at_the_next_message(strict: App, serve: Serve) -> None:
    with open_websocket(serve(strict), Authorization="Bearer mob_ana") as ws:
        assert ws.result("devices.list") == {"devices": []}
        with strict.namespace.activate():
            Key.update(revoked_at=1).execute()
        error = ws.call("devices.list")["error"]
        assert error == {"code": -32001, "message": "Unauthorized", "data": "Not authenticated"}
        assert ws.read_close() == 1008


def test_the_organization_is_the_one_of_the_handshake(strict: App, serve: Serve) -> None:
    url = serve(strict)
    with open_websocket(url, Authorization="Bearer mob_ana") as ws:
        ws.result("fleet.allocate", filters=[IOS])
        header = {"Authorization": "Bearer mob_ana", "X_Organization_Id": "nope"}
        with open_websocket(url, **header) as other:
            assert other.error("devices.list")[0] == -32000
        assert len(ws.result("devices.list")["devices"]) == 1
